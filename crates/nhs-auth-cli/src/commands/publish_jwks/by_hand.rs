//! What a person does in the developer portal.

use nhs_auth::{PublishTo, RingContent, echo_url};

use crate::arguments::RingPlace;
use crate::commands::generate_keys::PORTAL;
use crate::console::Console;

/// What to paste where, and how to say that it is done.
pub(in crate::commands) fn explain(content: &RingContent, ring: &RingPlace, console: Console) {
    let to = &content.settings().publish_to;
    if !to.is_by_hand() {
        return;
    }
    explain_target(to, console);
    let place = ring.key_ring.as_deref().unwrap_or_default();
    console.note(format_args!(
        "  2. then: nhs-auth publish-jwks --key-ring {place} --done {}\n     (the waits count from \
         then on; until then no key changes)",
        content.mark()
    ));
}

/// What is to be pasted, or how to get it.
pub(in crate::commands) fn show(content: &RingContent, console: Console) {
    match content.settings().publish_to {
        PublishTo::Echo => console.note(format_args!("  {}", echo_url(&content.key_set()))),
        PublishTo::Portal => {
            console.note("  nhs-auth publish-jwks makes the file, on standard output");
        }
        _ => {}
    }
}

/// What to paste where.
pub(super) fn explain_target(to: &PublishTo, console: Console) {
    console.heading("publish by hand");
    let what = match to {
        PublishTo::Echo => "choose a URL, and enter the one shown",
        _ => "choose an upload, and take the file of what is shown",
    };
    console.note(format_args!(
        "  1. in the developer portal, {PORTAL}, open your application,\n     then `Manage public \
         key`; {what}"
    ));
}
