//! A client with its secret (RFC 6749 §2.3.1), as the grants of combined sign-in have it.

use std::sync::Arc;

use aws_lc_rs::constant_time;
use nhs_auth_rules::{Evidence, Form, Inquiry, Need, Quota, Rule, SecretRecord, Step};

use super::answer::{refusal, refused_by};
use crate::answer::Reply;
use crate::state::State;
use crate::state::apps::Registered;
use nhs_auth_rules::request::UNKNOWN_ERROR;

/// The application that the form's `client_id` names.
pub(super) fn client(state: &State, form: &Form) -> Option<Arc<Registered>> {
    state.apps.by_key(form.get("client_id")?)
}

/// Whether the form's `client_secret` is the application's.
pub(super) fn secret(form: &Form, client: Option<&Registered>) -> Option<SecretRecord> {
    let given = form.get("client_secret")?.as_bytes();
    let own = client?.identity.client_secret().as_bytes();
    Some(match constant_time::verify_slices_are_equal(given, own) {
        Ok(()) => SecretRecord::Right,
        Err(_) => SecretRecord::Wrong,
    })
}

/// Judges by a group whose evidence is at hand. What it costs to ask, the quota, is asked when a
/// rule does. `None` when every rule holds.
pub(super) fn refused(
    state: &State,
    client: Option<&Registered>,
    rules: &'static [Rule],
    known: Evidence<'_>,
) -> Option<Reply> {
    let mut inquiry = Inquiry::new(rules);
    let mut step = inquiry.resume(&known);
    if let (Step::Needs(_, Need::Quota), Some(client)) = (&step, client) {
        let quota: Quota = client.token_requests.count(state.clock.now());
        step = inquiry.resume(&Evidence { quota: Some(quota), ..known });
    }
    let mut reply = match step {
        Step::Accepted => return None,
        Step::Refused(rule, _) => refused_by(rule),
        Step::Needs(..) => refusal(&UNKNOWN_ERROR),
    };
    reply.note.judged = vec![rules];
    reply.note.application_id = client.map(|client| client.identity.application_id().to_owned());
    Some(reply)
}
