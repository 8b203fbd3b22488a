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

/// Where test clients of the hosted mocks try whether their tokens are of a level.
const TEST_AUTH: &str = "/mock-jwks/test-auth/";

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
    let mut reply = match (call.path().strip_prefix(HELLO), call.path().strip_prefix(TEST_AUTH)) {
        (Some("world"), _) => hello("World"),
        (Some("application"), _) => application(state, call),
        (Some("user"), _) => user(state, call),
        (None, Some(access)) => test_auth(state, call, access)?,
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

/// Whether the token is of that access mode and level, for whichever API. A live token of another
/// one gets 403 here (published for NHS login's levels, inferred for the rest).
fn test_auth(state: &State, call: &Call, access: &str) -> Option<Reply> {
    let (policy, level) = match access {
        "app/level3" => ("ApplicationLevel3", None),
        "nhs-cis2/aal1" => ("NHSCIS2AAL1", Some(":aal1:")),
        "nhs-cis2/aal2" => ("NHSCIS2AAL2", Some(":aal2:")),
        "nhs-cis2/aal3" => ("NHSCIS2AAL3", Some(":aal3:")),
        "nhs-login/P0" => ("NHSLoginP0", Some(":P0:")),
        "nhs-login/P5" => ("NHSLoginP5", Some(":P5:")),
        "nhs-login/P9" => ("NHSLoginP9", Some(":P9:")),
        _ => return None,
    };
    let grant = match live_token(state, call) {
        Ok(grant) => grant,
        Err(rule) => return Some(refused_by(rule)),
    };
    let is_it = match (level, &grant.user) {
        (None, None) => true,
        (Some(level), Some(session)) => session.scopes.iter().any(|scope| scope.contains(level)),
        _ => false,
    };
    let mut reply = if is_it {
        Reply::json(StatusCode::OK, &json!({"message": "OK"}))
    } else {
        let required = format!("Required scope(s): VerifyAccessToken.{policy}.scopeSet");
        fault(StatusCode::FORBIDDEN, WRONG_KIND.answer.error, required)
    };
    reply.note.application_id = Some(grant.application_id.to_string());
    Some(reply)
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
    let mut reply =
        fault(StatusCode::UNAUTHORIZED, rule.answer.error, rule.answer.error_description.into());
    reply.note.rule = Some(rule);
    reply
}

fn fault(status: StatusCode, error_code: &'static str, fault_string: String) -> Reply {
    // In the gateway's own order. Nothing in it needs an escape.
    let body = format!(
        r#"{{"fault":{{"faultstring":"{fault_string}","detail":{{"errorcode":"{error_code}"}}}}}}"#
    );
    let challenge = format!(
        r#"Bearer realm="null",error="invalid_token",error_description="{error_code}: {fault_string}""#
    );
    let mut reply = Reply::new(status, "application/json", body);
    if let Ok(challenge) = HeaderValue::from_str(&challenge)
        && status == StatusCode::UNAUTHORIZED
    {
        reply.headers.insert(WWW_AUTHENTICATE, challenge);
    }
    reply.note.error = Some(error_code.into());
    reply.note.error_description = Some(fault_string.into());
    reply
}
