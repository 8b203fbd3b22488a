//! The authorization server, at each of its base paths.

pub(crate) mod answer;
mod client_assertion;
mod message_id;
mod monitoring;
mod token;

use std::sync::Arc;

use http::{Method, StatusCode};

use nhs_auth_rules::{Form, Jwt, request};

use crate::answer::Reply;
use crate::call::Call;
use crate::state::State;
use crate::state::apps::Registered;

/// The base paths that are served, as they are on the platform's test environments.
const BASE_PATHS: [&str; 2] = ["/oauth2", "/oauth2-mock"];

/// What follows the base path, where the path has one.
pub(crate) fn endpoint(path: &str) -> Option<&str> {
    BASE_PATHS.iter().find_map(|base| path.strip_prefix(base).filter(|rest| rest.starts_with('/')))
}

/// The answer of the endpoint at that path under a base path.
pub(crate) async fn answer(state: &State, call: &Call, endpoint: &str) -> Reply {
    match endpoint {
        "/token" => token::answer(state, call).await,
        "/_ping" => monitoring::ping(call),
        "/_status" => monitoring::status(state, call),
        "/authorize" if call.method != Method::GET => {
            Reply::new(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "").with_allow("GET")
        }
        "/authorize" | "/callback" | "/userinfo" | "/backchannel_logout" => {
            answer::not_implemented(endpoint)
        }
        _ => not_found(),
    }
}

/// The answer to a path that isn't there.
pub(crate) fn not_found() -> Reply {
    answer::refusal(&request::NOT_FOUND)
}

/// The application that a token request says it is from.
pub(crate) fn claimed_client(state: &State, body: &[u8]) -> Option<Arc<Registered>> {
    let form = Form::parse(body);
    let jwt = Jwt::decode(form.get("client_assertion")?);
    client_assertion::claimed_client(state, &jwt)
}

/// The `jti` of a token request's assertion.
pub(crate) fn claimed_jti(body: &[u8]) -> Option<String> {
    let form = Form::parse(body);
    let jwt = Jwt::decode(form.get("client_assertion")?);
    let payload = jwt.payload.content.as_ref().ok()?;
    payload.get("jti")?.as_str().map(String::from)
}
