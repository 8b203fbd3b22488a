//! What a leaked key takes, in time.

use nhs_auth::{Kid, Moment, PublishTo, RingContent, Rotation, Step, UnixSeconds};
use nhs_auth_rules::limits::JWKS_CACHE_S;
use nhs_auth_rules::rotation::{
    BEFORE_REMOVAL_OF_A_LEAKED_KEY_S, Freshness, KEY_SET_MAX_AGE_S, REGISTERED_URL_CACHE_S,
};

use crate::commands::rfc3339;
use crate::console::Console;

/// Says what waits for the platform's cache, and what a new URL saves.
pub(super) fn explain(content: &RingContent, now: &Moment, console: Console) {
    let Some(leaked) = content.keys().iter().find(|key| key.leaked && key.is_in_the_set()) else {
        return;
    };
    let leaked = &leaked.kid;
    let at = |wanted: fn(&Step) -> bool| {
        content.plan(now).into_iter().find(|planned| wanted(&planned.step))
    };
    let changed = at(|step| matches!(step, Step::Activate(_)));
    let removed = at(|step| matches!(step, Step::Retire(_)));
    let next = changed.as_ref().and_then(|planned| planned.kid.as_ref());
    let next = next.map_or("the next key", Kid::as_str);
    console.heading(format_args!("{leaked} has leaked"));
    console.note(format_args!(
        "  the platform keeps a key set for {} minutes by its URL, and doesn't look again for a key\n  \
         that it doesn't know (A18, A19): until its copy has gone it takes what {leaked} signs, and\n  \
         refuses what {next} signs",
        JWKS_CACHE_S / 60,
    ));
    if let (Some(changed), Some(removed)) = (&changed, &removed) {
        let keeps_s = match content.settings().publish_to {
            PublishTo::Echo => REGISTERED_URL_CACHE_S,
            _ => JWKS_CACHE_S + KEY_SET_MAX_AGE_S,
        };
        console.heading("at this URL");
        console.note(format_args!("  {}  {next} signs", time(changed.at)));
        console.note(format_args!("  {}  {leaked} leaves the key set", time(removed.at)));
        console.note(format_args!(
            "  {}  the platform takes {leaked} no more\n  run rotate-keys at each of the first two, or \
             every few minutes",
            time(removed.at.plus(keeps_s)),
        ));
    }
    explain_new_url(content, console);
    console.heading("to shut it out at once");
    console.note(
        "  take the public key away in the portal: nobody gets a token then, until the new one is\n  \
         registered",
    );
}

/// Says of a leaked key that was retired just now how long it may still be taken.
pub(super) fn explain_retired(rotation: &Rotation, console: Console) {
    for (step, _) in &rotation.done {
        let Step::Retire(kid) = step else { continue };
        let keys = rotation.content.keys();
        let Some(leaked) = keys.iter().find(|key| key.leaked && key.kid == *kid) else { continue };
        let gone = leaked.state.since().at().plus(JWKS_CACHE_S + KEY_SET_MAX_AGE_S);
        console.note(format_args!(
            "  {kid} is out of the key set; the platform may have a copy with it, and take what it signs, \
             until\n  {} (a URL at which it has never looked saves that time)",
            time(gone),
        ));
    }
}

fn explain_new_url(content: &RingContent, console: Console) {
    let minutes = |seconds: i64| (seconds + 59) / 60;
    let new_url_s = Freshness::NewUrl.before_signing_s();
    let in_all_s = new_url_s + BEFORE_REMOVAL_OF_A_LEAKED_KEY_S + REGISTERED_URL_CACHE_S;
    console.heading("at a URL at which the platform has never looked");
    if content.settings().publish_to == PublishTo::Echo {
        console.note(
            "  the echo's URL is a new one with each key set: enter each in the portal as soon as it is\n  \
             shown, and no hour is waited for",
        );
        return;
    }
    console.note(format_args!(
        "  there is no copy; with the platform's echo (--publish-to echo), whose URL changes with the key\n  \
         set, the key is of no use after some {} minutes, and nothing is refused in between\n  or publish \
         the key set at another path or name, enter that in the portal, and say so with\n  --new-url: the \
         next key then signs after {} minutes (that the portal's change is noticed within\n  {} minutes is \
         inferred)",
        minutes(in_all_s),
        minutes(new_url_s),
        minutes(REGISTERED_URL_CACHE_S),
    ));
}

fn time(at: UnixSeconds) -> String {
    rfc3339(at.to_millis())
}
