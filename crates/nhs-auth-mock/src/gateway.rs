//! The gateway in front of an API, and Hello World behind it.
//!
//! What the gateway answers when it says no is the rulebook's group G.

use std::sync::Arc;

use http::StatusCode;
use http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use nhs_auth_rules::Rule;
use nhs_auth_rules::gateway::{
    API_KEY_FOR_ANOTHER, EXPIRED_TOKEN, NO_PRODUCT, NO_TOKEN, UNKNOWN_API_KEY, UNKNOWN_TOKEN,
    WRONG_KIND,
};
use serde_json::json;

use crate::answer::Reply;
use crate::call::Call;
use crate::state::State;
use crate::state::apps::Registered;
use crate::state::tokens::Grant;

const HELLO: &str = "/hello-world/hello/";

/// What the scopes of this API end with.
const PRODUCT: &str = ":hello-world";

/// The scopes that let an API key alone call it.
const API_KEY_SCOPES: [&str; 2] =
    ["urn:nhsd:apim:app:level0:hello-world", "urn:nhsd:apim:app:level3:hello-world"];

/// The client's own names of a request, which the answer repeats.
const ECHOED: [HeaderName; 2] =
    [HeaderName::from_static("x-request-id"), HeaderName::from_static("x-correlation-id")];

/// The answer of an API, if there is one at that path.
pub(crate) fn answer(state: &State, call: &Call) -> Option<Reply> {
    let mut reply = match call.path().strip_prefix(HELLO)? {
        "world" => hello("World"),
        "application" => application(state, call),
        "user" => user(state, call),
        _ => return None,
    };
    for name in ECHOED {
        if let Some(value) = call.headers.get(&name) {
            reply.headers.insert(name, value.clone());
        }
    }
    Some(reply)
}

/// The application behind the token or the API key of a request.
pub(crate) fn caller(state: &State, call: &Call) -> Option<Arc<Registered>> {
    if call.header("authorization").is_some() {
        let grant = state.tokens.find(call.bearer_token(), call.now)?;
        return state.apps.by_id(&grant.application_id);
    }
    state.apps.by_key(call.header("apikey")?)
}

/// Application-restricted: a token, or an API key where no token is tried.
fn application(state: &State, call: &Call) -> Reply {
    let known = match (call.header("authorization"), call.header("apikey")) {
        (None, Some(api_key)) => with_api_key(state, api_key),
        _ => with_token(state, call)
            .and_then(|grant| if grant.user.is_none() { Ok(()) } else { Err(WRONG_KIND) }),
    };
    settled(state, call, known, || hello("Application"))
}

/// User-restricted: a token of a user whose level the application's products allow.
fn user(state: &State, call: &Call) -> Reply {
    let known = with_token(state, call).and_then(|grant| {
        let scopes = grant.user.map(|session| session.scopes.clone()).unwrap_or_default();
        if scopes.iter().any(|scope| scope.ends_with(PRODUCT)) { Ok(()) } else { Err(WRONG_KIND) }
    });
    settled(state, call, known, || hello("User"))
}

fn settled(
    state: &State,
    call: &Call,
    allowed: Result<(), &'static Rule>,
    answer: impl FnOnce() -> Reply,
) -> Reply {
    let mut reply = match allowed {
        Ok(()) => answer(),
        Err(rule) => refused_by(rule),
    };
    reply.note.application_id =
        caller(state, call).map(|app| app.identity.application_id().to_owned());
    reply
}

/// What the token stands for, if its application has this API.
fn with_token(state: &State, call: &Call) -> Result<Grant, &'static Rule> {
    let grant = live_token(state, call)?;
    let app = state.apps.by_id(&grant.application_id).ok_or(UNKNOWN_TOKEN)?;
    if has_scope(&app, |scope| scope.ends_with(PRODUCT)) { Ok(grant) } else { Err(NO_PRODUCT) }
}

/// What the request's token stands for, if it is live.
pub(crate) fn live_token(state: &State, call: &Call) -> Result<Grant, &'static Rule> {
    let token = call.bearer_token();
    if token.is_empty() {
        return Err(NO_TOKEN);
    }
    let grant = state.tokens.find(token, call.now).ok_or(UNKNOWN_TOKEN)?;
    state.apps.by_id(&grant.application_id).ok_or(UNKNOWN_TOKEN)?;
    if grant.expires_at <= call.now { Err(EXPIRED_TOKEN) } else { Ok(grant) }
}

fn with_api_key(state: &State, api_key: &str) -> Result<(), &'static Rule> {
    let app = state.apps.by_key(api_key).ok_or(UNKNOWN_API_KEY)?;
    if app.record.approved && has_scope(&app, |scope| API_KEY_SCOPES.contains(&scope)) {
        Ok(())
    } else {
        Err(API_KEY_FOR_ANOTHER)
    }
}

fn has_scope(app: &Registered, is_wanted: impl Fn(&str) -> bool) -> bool {
    let scopes = app.record.scopes.as_deref().unwrap_or_default();
    scopes.iter().any(|scope| is_wanted(scope))
}

fn hello(whom: &str) -> Reply {
    Reply::json(StatusCode::OK, &json!({"message": format!("Hello {whom}!")}))
}

/// The gateway's own fault.
pub(crate) fn refused_by(rule: &'static Rule) -> Reply {
    let (error_code, fault_string) = (rule.answer.error, rule.answer.error_description);
    // In the gateway's own order. Nothing in it needs an escape.
    let fault = format!(
        r#"{{"fault":{{"faultstring":"{fault_string}","detail":{{"errorcode":"{error_code}"}}}}}}"#
    );
    let challenge = format!(
        r#"Bearer realm="null",error="invalid_token",error_description="{error_code}: {fault_string}""#
    );
    let mut reply = Reply::new(StatusCode::UNAUTHORIZED, "application/json", fault);
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        reply.headers.insert(WWW_AUTHENTICATE, challenge);
    }
    reply.note.error = Some(error_code.into());
    reply.note.error_description = Some(fault_string.into());
    reply.note.rule = Some(rule);
    reply
}
