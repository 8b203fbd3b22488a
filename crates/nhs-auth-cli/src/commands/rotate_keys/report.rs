//! A ring and what comes next, for people and for programs.

use nhs_auth::{
    Due, KeyState, Kid, Moment, PlannedStep, RingContent, RingKey, Rotation, Step, UnixSeconds,
};
use serde_json::{Value, json};

use crate::arguments::Output;
use crate::commands::rfc3339;
use crate::console;
use crate::failure::Failure;

/// What was done, in words.
pub(super) fn done(step: &Step, kid: Option<&Kid>, content: &RingContent) -> String {
    let name = kid.map_or("the next key", Kid::as_str);
    match step {
        Step::Publish => format!("published the key set to {}", content.settings().publish_to),
        Step::Announce => format!("announced {name}"),
        Step::Activate(_) => format!("{name} signs from now on"),
        Step::Retire(_) => format!("retired {name}"),
        _ => format!("{step:?}"),
    }
}

/// What is to be done, in words.
fn to_do(step: &Step, kid: Option<&Kid>, content: &RingContent) -> String {
    let name = kid.map_or("the next key", Kid::as_str);
    match step {
        Step::Publish if content.settings().publish_to.is_by_hand() => {
            "the key set is published, by your hand".to_owned()
        }
        Step::Publish => format!("the key set is published to {}", content.settings().publish_to),
        Step::Announce => format!("{name} is announced"),
        Step::Activate(_) => format!("{name} signs"),
        Step::Retire(_) => format!("{name} is retired"),
        _ => format!("{step:?}"),
    }
}

/// The ring as it is, and the step after.
pub(super) fn ring(place: &str, rotation: &Rotation, output: Output) -> Result<(), Failure> {
    let Rotation { content, due, done, .. } = rotation;
    match output {
        Output::Human => {
            let keys = content.keys().iter().filter(|key| key.is_in_the_set());
            let width = keys.clone().map(|key| key.kid.as_str().len()).max().unwrap_or(0).max(4);
            let mut lines: Vec<_> = keys.map(|key| line(key, width)).collect();
            if let Some(Due { step, at, .. }) = due.first() {
                let what = to_do(step, kid_of(step), content);
                lines.push(format!("{:width$}  {}  {what}\n", "next", time(*at)));
            }
            console::answer(lines.concat().as_bytes())
        }
        Output::Json => console::answer_json(&json!({
            "schema": 1,
            "key_ring": place,
            "publish_to": content.settings().publish_to.to_string(),
            "key_set_mark": content.mark(),
            "is_to_be_published": content.is_to_be_published(),
            "done": done.iter().map(|(step, kid)| one_step(step, kid.as_ref())).collect::<Vec<_>>(),
            "keys": content.keys().iter().map(one_key).collect::<Vec<_>>(),
            "next": due.first().map(|Due { step, at, .. }| {
                let mut next = one_step(step, kid_of(step));
                next["at"] = time(*at).into();
                next
            }),
        })),
    }
}

fn line(key: &RingKey, width: usize) -> String {
    let RingKey { kid, state, .. } = key;
    let leaked = if key.leaked { "  leaked" } else { "" };
    format!(
        "{:width$}  {:9}  since {}{leaked}\n",
        kid.as_str(),
        state.name(),
        time(state.since().at())
    )
}

/// The steps to come.
pub(super) fn plan(content: &RingContent, now: &Moment, output: Output) -> Result<(), Failure> {
    let plan = content.plan(now);
    match output {
        Output::Human => {
            let line = |PlannedStep { at, step, kid, .. }: &PlannedStep| {
                format!("{}  {}\n", time(*at), to_do(step, kid.as_ref(), content))
            };
            console::answer(plan.iter().map(line).collect::<String>().as_bytes())
        }
        Output::Json => {
            let steps = plan.iter().map(|PlannedStep { at, step, kid, .. }| {
                let mut planned = one_step(step, kid.as_ref());
                planned["at"] = time(*at).into();
                planned
            });
            console::answer_json(&json!({ "schema": 1, "plan": steps.collect::<Vec<_>>() }))
        }
    }
}

fn kid_of(step: &Step) -> Option<&Kid> {
    match step {
        Step::Activate(kid) | Step::Retire(kid) => Some(kid),
        _ => None,
    }
}

fn one_step(step: &Step, kid: Option<&Kid>) -> Value {
    let name = match step {
        Step::Publish => "publish",
        Step::Announce => "announce",
        Step::Activate(_) => "activate",
        Step::Retire(_) => "retire",
        _ => "other",
    };
    json!({ "step": name, "kid": kid.map(Kid::as_str) })
}

fn one_key(key: &RingKey) -> Value {
    json!({
        "kid": key.kid.as_str(),
        "state": key.state.name(),
        "since": time(key.state.since().at()),
        "published_since": match &key.state {
            KeyState::Announced { published, .. } => {
                published.as_ref().map(|published| time(published.since.at()))
            }
            _ => None,
        },
        "leaked": key.leaked,
        "private_key": key.place.to_string(),
        "thumbprint": key.public_key.thumbprint(),
    })
}

fn time(at: UnixSeconds) -> String {
    rfc3339(at.to_millis())
}
