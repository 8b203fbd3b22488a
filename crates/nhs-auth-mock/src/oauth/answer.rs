//! How the authorization server says no.

use std::borrow::Cow;

use http::StatusCode;
use nhs_auth_rules::{Answer, Rule};
use serde::Serialize;

use super::message_id;
use crate::answer::Reply;

#[derive(Serialize)]
struct OauthError<'a> {
    error: &'a str,
    error_description: &'a str,
    message_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'static str>,
}

/// The answer of a rule.
pub(crate) fn refused_by(rule: &'static Rule) -> Reply {
    let mut reply = refusal(&rule.answer);
    reply.note.rule = Some(rule);
    reply
}

/// The platform's answer. One without an `error` has no body.
pub(crate) fn refusal(answer: &Answer) -> Reply {
    if answer.error.is_empty() {
        return Reply::new(status(answer.status), "text/plain", "");
    }
    error(answer.status, answer.error, answer.error_description.into())
}

/// An OAuth error (RFC 6749 §5.2) with the platform's `message_id`. A 429's true body isn't
/// public; `scope` and `policy` are known from APIs that pass it on.
pub(crate) fn error(code: u16, error: &'static str, description: Cow<'static, str>) -> Reply {
    let message_id = message_id::new();
    let is_quota = code == 429;
    let mut reply = Reply::json(
        status(code),
        &OauthError {
            error,
            error_description: &description,
            message_id: &message_id,
            scope: is_quota.then_some("application"),
            policy: is_quota.then_some("quota"),
        },
    );
    reply.note.error = Some(error.into());
    reply.note.error_description = Some(description);
    reply.note.message_id = Some(message_id);
    reply
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
