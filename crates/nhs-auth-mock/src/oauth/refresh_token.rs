//! `grant_type=refresh_token` (RFC 6749 §6). Each refresh token works once.

use nhs_auth_rules::request::UNKNOWN_ERROR;
use nhs_auth_rules::{Evidence, Form, Quota, RefreshTokenRecord, refresh_token};

use super::answer::refusal;
use super::client_secret::{client, refused, secret};
use super::token::granted;
use super::user_tokens;
use crate::answer::Reply;
use crate::call::Call;
use crate::state::State;
use crate::state::apps::Registered;

/// The user's next tokens.
pub(super) fn answer(state: &State, call: &Call, form: &Form) -> Reply {
    let client = client(state, form);
    let client = client.as_deref();
    let known = Evidence {
        form: Some(form),
        now: Some(call.now),
        application: Some(client.map(|client| &client.record)),
        client_secret: secret(form, client),
        refresh_token: Some(record(state, call, form, client)),
        ..Evidence::default()
    };
    if let Some(reply) = refused(state, client, refresh_token::RULES, known) {
        return reply;
    }
    // Of two who bring the token at once, one gets the next; to the other it is used by now.
    let given = form.get("refresh_token").unwrap_or_default();
    let Some(refresh) = state.sessions.refresh_tokens.take(given, call.now) else {
        let lost = Evidence {
            quota: Some(Quota::Within),
            refresh_token: Some(RefreshTokenRecord::Unknown),
            ..known
        };
        return refused(state, client, refresh_token::RULES, lost)
            .unwrap_or_else(|| refusal(&UNKNOWN_ERROR));
    };
    let issued = user_tokens::issue(state, call.now, form, &refresh.session, refresh.count + 1);
    let mut reply = granted(&[
        ("access_token", &issued.access_token),
        ("expires_in", &issued.expires_in.to_string()),
        ("refresh_token", &issued.refresh_token),
        ("refresh_token_expires_in", &issued.refresh_token_expires_in.to_string()),
        ("refresh_count", &issued.refresh_count.to_string()),
        ("token_type", "Bearer"),
    ]);
    reply.note.application_id = Some(refresh.session.application_id.to_string());
    reply.note.judged = vec![refresh_token::RULES];
    reply
}

fn record(
    state: &State,
    call: &Call,
    form: &Form,
    client: Option<&Registered>,
) -> RefreshTokenRecord {
    let given = form.get("refresh_token").unwrap_or_default();
    let found = state.sessions.refresh_tokens.get(given, call.now).filter(|refresh| {
        let application_id = client.map(|client| client.identity.application_id());
        application_id == Some(&*refresh.session.application_id) && !refresh.session.has_ended()
    });
    match found {
        None => RefreshTokenRecord::Unknown,
        Some(refresh)
            if refresh.expires_at <= call.now
                || user_tokens::window_end(&refresh.session, form) <= call.now =>
        {
            RefreshTokenRecord::Expired
        }
        Some(_) => RefreshTokenRecord::Live,
    }
}
