//! Client credentials with a client assertion (RFC 6749 §4.4, RFC 7523 §2.2).

use std::sync::Arc;

use nhs_auth_rules::Form;
use nhs_auth_rules::request::UNKNOWN_ERROR;

use super::answer::{refusal, refused_by};
use super::client_assertion::{self, Verdict};
use super::token::{granted, with_client};
use super::user_tokens::{access_token_lifetime_ms, told_seconds};
use crate::answer::Reply;
use crate::call::Call;
use crate::state::State;
use crate::state::apps::Registered;
use crate::state::tokens::Grant;

/// A token of the application's own.
pub(super) async fn answer(state: &State, call: &Call, form: &Form) -> Reply {
    let judgement = client_assertion::judge(state, call, form).await;
    let reply = match judgement.verdict {
        Verdict::Accepted(client) => tokens(state, call, form, &client),
        Verdict::Refused(rule) => refused_by(rule),
        Verdict::Unknown => refusal(&UNKNOWN_ERROR),
    };
    with_client(reply, judgement.note)
}

fn tokens(state: &State, call: &Call, form: &Form, client: &Registered) -> Reply {
    let lifetime_ms = access_token_lifetime_ms(form);
    let token = state.tokens.issue(Grant {
        application_id: Arc::from(client.identity.application_id()),
        expires_at: call.now.plus(lifetime_ms),
        user: None,
    });
    granted(&[
        ("access_token", &token),
        ("expires_in", &told_seconds(lifetime_ms).to_string()),
        ("token_type", "Bearer"),
        ("issued_at", &call.now.to_string()),
    ])
}
