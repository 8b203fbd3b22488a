//! `grant_type=authorization_code` (RFC 6749 §4.1.3): the end of a combined sign-in.

use nhs_auth_rules::request::UNKNOWN_ERROR;
use nhs_auth_rules::{CodeRecord, Evidence, Form, Quota, authorization_code};

use super::answer::refusal;
use super::client_secret::{client, refused, secret};
use super::cors;
use super::token::granted;
use super::user_tokens;
use crate::answer::Reply;
use crate::call::Call;
use crate::state::State;
use crate::state::apps::Registered;
use crate::state::sessions::Code;

/// The user's tokens.
pub(super) fn answer(state: &State, call: &Call, form: &Form) -> Reply {
    let client = client(state, form);
    let client = client.as_deref();
    let code = code(state, call, form, client);
    let known = Evidence {
        form: Some(form),
        now: Some(call.now),
        application: Some(client.map(|client| &client.record)),
        client_secret: secret(form, client),
        authorization_code: Some(match code {
            Some(_) => CodeRecord::Live,
            None => CodeRecord::Unknown,
        }),
        ..Evidence::default()
    };
    if let Some(reply) = refused(state, client, authorization_code::RULES, known) {
        return reply;
    }
    // Of two who bring the code at once, one gets its tokens; to the other it is used by now.
    let taken = state.sessions.codes.take(form.get("code").unwrap_or_default(), call.now);
    let (Some(client), Some(code)) = (client, taken) else {
        let lost = Evidence {
            quota: Some(Quota::Within),
            authorization_code: Some(CodeRecord::Unknown),
            ..known
        };
        return refused(state, client, authorization_code::RULES, lost)
            .unwrap_or_else(|| refusal(&UNKNOWN_ERROR));
    };
    let mut reply = cors::allowed(call, tokens(state, call, form, &code));
    reply.note.application_id = Some(client.identity.application_id().to_owned());
    reply.note.judged = vec![authorization_code::RULES];
    reply
}

/// The code, if it is one of this client's that can be redeemed now.
fn code(state: &State, call: &Call, form: &Form, client: Option<&Registered>) -> Option<Code> {
    let code = state.sessions.codes.get(form.get("code")?, call.now)?;
    let is_theirs = client?.identity.application_id() == &*code.session.application_id;
    let is_same_way_back = form.get("redirect_uri") == Some(&code.redirect_uri);
    (is_theirs && is_same_way_back && !code.session.has_ended()).then_some(code)
}

fn tokens(state: &State, call: &Call, form: &Form, code: &Code) -> Reply {
    code.session.begin(call.now);
    let issued = user_tokens::issue(state, call.now, form, &code.session, 0);
    let sid = code.session.signed_in.as_ref().map_or("", |signed_in| &signed_in.sid);
    granted(&[
        ("access_token", &issued.access_token),
        ("expires_in", &issued.expires_in.to_string()),
        ("refresh_token", &issued.refresh_token),
        ("refresh_token_expires_in", &issued.refresh_token_expires_in.to_string()),
        ("refresh_count", &issued.refresh_count.to_string()),
        ("token_type", "Bearer"),
        ("sid", sid),
    ])
}
