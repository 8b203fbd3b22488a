//! The authorization server, at each of its base paths.

pub(crate) mod answer;
mod authorization_code;
mod authorize;
mod backchannel_logout;
mod callback;
mod client_assertion;
mod client_credentials;
mod client_secret;
mod cors;
mod id_token;
mod message_id;
mod monitoring;
mod refresh_token;
mod token;
mod token_exchange;
mod user_tokens;
mod userinfo;

use std::sync::Arc;

use http::{Method, StatusCode};

use nhs_auth_rules::{Form, Jwt, request};

use crate::answer::Reply;
use crate::call::Call;
use crate::settings::{BasePath, Settings};
use crate::state::State;
use crate::state::apps::Registered;

/// The base path that a path begins with, and what follows it.
pub(crate) fn endpoint<'a>(
    settings: &'a Settings,
    path: &'a str,
) -> Option<(&'a BasePath, &'a str)> {
    settings.base_paths.iter().find_map(|base| {
        let rest = path.strip_prefix(&base.path)?;
        rest.starts_with('/').then_some((base, rest))
    })
}

/// The answer of the endpoint at that path under a base path.
pub(crate) async fn answer(state: &State, call: &Call, base: &BasePath, endpoint: &str) -> Reply {
    if let Some(preflight) = cors::preflight(call) {
        return preflight;
    }
    match (endpoint, &call.method) {
        ("/token", _) => token::answer(state, call, base).await,
        ("/authorize", &Method::GET) => authorize::answer(state, call, base),
        ("/authorize", _) => {
            Reply::new(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "").with_allow("GET")
        }
        ("/callback", &Method::GET) => callback::answer(state, call, base).await,
        ("/userinfo", &Method::GET) => userinfo::answer(state, call),
        ("/backchannel_logout", &Method::POST) => {
            backchannel_logout::answer(state, call, base).await
        }
        ("/_ping", _) => monitoring::ping(call),
        ("/_status", _) => monitoring::status(state, call),
        _ => not_found(),
    }
}

/// The answer to a path that isn't there.
pub(crate) fn not_found() -> Reply {
    answer::refusal(&request::NOT_FOUND)
}

/// The application that a request to an endpoint says it is from.
pub(crate) fn claimed_client(
    state: &State,
    call: &Call,
    endpoint: &str,
) -> Option<Arc<Registered>> {
    match endpoint {
        "/token" => {
            let form = Form::parse(&call.body);
            match form.get("client_assertion").map(Jwt::decode) {
                Some(jwt) => client_assertion::claimed_client(state, &jwt),
                None => client_secret::client(state, &form),
            }
        }
        "/authorize" => client_secret::client(state, &call.query()),
        _ => None,
    }
}

/// The `jti` of a token request's assertion.
pub(crate) fn claimed_jti(body: &[u8]) -> Option<String> {
    let form = Form::parse(body);
    let jwt = Jwt::decode(form.get("client_assertion")?);
    let payload = jwt.payload.content.as_ref().ok()?;
    payload.get("jti")?.as_str().map(String::from)
}
