//! `POST /token`: which flow it is.

use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};
use nhs_auth_rules::request::{self, UNKNOWN_ERROR};
use nhs_auth_rules::{Evidence, Form, GrantType, Inquiry, Step};

use super::answer::{refusal, refused_by};
use super::{authorization_code, client_credentials, refresh_token, token_exchange};
use crate::answer::{Note, Reply};
use crate::call::Call;
use crate::settings::BasePath;
use crate::state::State;

/// The answer to a token request.
pub(super) async fn answer(state: &State, call: &Call, base: &BasePath) -> Reply {
    let mut reply = flow(state, call, base).await;
    reply.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

async fn flow(state: &State, call: &Call, base: &BasePath) -> Reply {
    let form = Form::parse(&call.body);
    let mut reply = match refused_at_once(call, &form) {
        Some(refusal) => refusal,
        None if form.is_token_exchange() => token_exchange::answer(state, call, base, &form).await,
        None => match form.grant_type() {
            Some(GrantType::ClientCredentials) => {
                client_credentials::answer(state, call, &form).await
            }
            Some(GrantType::AuthorizationCode) => authorization_code::answer(state, call, &form),
            Some(GrantType::RefreshToken) => refresh_token::answer(state, call, &form),
            _ => refusal(&UNKNOWN_ERROR),
        },
    };
    reply.note.judged.insert(0, request::RULES);
    reply
}

/// Group R: the request itself, before any grant is looked at.
fn refused_at_once(call: &Call, form: &Form) -> Option<Reply> {
    let evidence = Evidence {
        method: Some(call.method.as_str()),
        content_type: Some(call.header("content-type")),
        form: Some(form),
        ..Evidence::default()
    };
    match Inquiry::new(request::RULES).resume(&evidence) {
        Step::Accepted => None,
        Step::Refused(rule, _) => {
            let reply = refused_by(rule);
            Some(if rule.answer.status == 405 { reply.with_allow("POST") } else { reply })
        }
        Step::Needs(..) => Some(refusal(&UNKNOWN_ERROR)),
    }
}

/// A token answer: its members in the platform's order, every value text. Nothing in them needs
/// an escape.
pub(super) fn granted(members: &[(&str, &str)]) -> Reply {
    let members: Vec<_> =
        members.iter().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect();
    Reply::new(StatusCode::OK, "application/json", format!("{{{}}}", members.join(",")))
}

/// What is known of the client, beside what is known of the answer.
pub(super) fn with_client(mut reply: Reply, client: Note) -> Reply {
    reply.note.application_id = client.application_id;
    reply.note.jti = client.jti;
    reply.note.judged.splice(0..0, client.judged);
    reply
}
