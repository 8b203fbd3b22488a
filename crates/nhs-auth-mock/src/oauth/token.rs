//! `POST /token`: which flow it is, and what it gives.

use std::sync::Arc;

use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue};
use nhs_auth_rules::limits::ACCESS_TOKEN_LIFETIME_MS;
use nhs_auth_rules::request::{self, UNKNOWN_ERROR};
use nhs_auth_rules::{Evidence, Form, GrantType, Inquiry, Step, UnixMillis};

use super::answer::{not_implemented, refusal, refused_by};
use super::client_assertion::{self, Verdict};
use crate::answer::{Note, Reply};
use crate::call::Call;
use crate::state::State;
use crate::state::apps::Registered;
use crate::state::tokens::Grant;

/// The answer to a token request.
pub(super) async fn answer(state: &State, call: &Call) -> Reply {
    let mut reply = flow(state, call).await;
    reply.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

async fn flow(state: &State, call: &Call) -> Reply {
    let form = Form::parse(&call.body);
    let mut reply = match refused_at_once(call, &form) {
        Some(refusal) => refusal,
        None if form.is_token_exchange() => token_exchange(state, call, &form).await,
        None => match form.grant_type() {
            Some(GrantType::ClientCredentials) => client_credentials(state, call, &form).await,
            Some(GrantType::AuthorizationCode) => not_implemented("authorization_code"),
            Some(GrantType::RefreshToken) => not_implemented("refresh_token"),
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

/// RFC 6749 §4.4 with RFC 7523 §2.2.
async fn client_credentials(state: &State, call: &Call, form: &Form) -> Reply {
    let judgement = client_assertion::judge(state, call, form).await;
    let reply = match judgement.verdict {
        Verdict::Accepted(client) => granted(state, call.now, form, &client),
        Verdict::Refused(rule) => refused_by(rule),
        Verdict::Unknown => refusal(&UNKNOWN_ERROR),
    };
    with_client(reply, judgement.note)
}

/// RFC 8693. The assertion is judged; what comes behind it isn't built yet.
async fn token_exchange(state: &State, call: &Call, form: &Form) -> Reply {
    let judgement = client_assertion::judge(state, call, form).await;
    let reply = match judgement.verdict {
        Verdict::Accepted(_) => not_implemented("token-exchange"),
        Verdict::Refused(rule) => refused_by(rule),
        Verdict::Unknown => refusal(&UNKNOWN_ERROR),
    };
    with_client(reply, judgement.note)
}

fn with_client(mut reply: Reply, known: Note) -> Reply {
    reply.note.application_id = known.application_id;
    reply.note.jti = known.jti;
    reply.note.judged = known.judged;
    reply
}

/// Every value is text, as on the platform.
fn granted(state: &State, now: UnixMillis, form: &Form, client: &Registered) -> Reply {
    let lifetime_ms = lifetime_ms(form);
    let token = state.tokens.issue(Grant {
        application_id: Arc::from(client.identity.application_id()),
        expires_at: now.plus(lifetime_ms),
    });
    // Nothing in it needs an escape.
    let body = format!(
        r#"{{"access_token":"{token}","expires_in":"{}","token_type":"Bearer","issued_at":"{now}"}}"#,
        (lifetime_ms / 1000 - 1).max(0)
    );
    Reply::new(StatusCode::OK, "application/json", body)
}

/// A client may shorten the lifetime, and not lengthen it.
fn lifetime_ms(form: &Form) -> i64 {
    form.get("_access_token_expiry_ms")
        .and_then(|ms| ms.parse::<u64>().ok())
        .and_then(|ms| i64::try_from(ms).ok())
        .map_or(ACCESS_TOKEN_LIFETIME_MS, |ms| ms.min(ACCESS_TOKEN_LIFETIME_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_shortened_and_never_lengthened() {
        for (wanted, given) in [
            ("5000", 5000),
            ("0", 0),
            ("600000", 600_000),
            ("600001", 600_000),
            ("99999999999999999999", 600_000),
            ("9223372036854775808", 600_000),
            ("-1", 600_000),
            ("1.5", 600_000),
            ("soon", 600_000),
            ("", 600_000),
        ] {
            let form: Form = [("_access_token_expiry_ms", wanted)].into_iter().collect();
            assert_eq!(lifetime_ms(&form), given, "{wanted}");
        }
        assert_eq!(lifetime_ms(&Form::default()), 600_000);
    }
}
