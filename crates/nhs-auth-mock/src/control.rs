//! The control API under `/_mock`: how a test in another process or language arranges things.
//!
//! It is for the machine's own programs: a page in a browser that is not from here can't call it,
//! neither as itself (`Origin`) nor by a name that it has pointed at this machine (`Host`).

pub(crate) mod apps;
mod clock;
mod faults;
mod identity;
mod members;
pub(crate) mod origin;
mod products;
mod requests;

use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Serialize;

use crate::answer::Reply;
use crate::call::Call;
use crate::state::State;

const PREFIX: &str = "/_mock";

/// This API, described.
const OPENAPI: &str = include_str!("../openapi.json");

/// What the control API says when it says no.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    error: &'static str,
    pub(crate) description: String,
    allow: Option<&'static str>,
}

/// Whether that path is the control API's.
pub(crate) fn is_for(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The control API's answer.
pub(crate) fn answer(state: &State, call: &Call) -> Reply {
    origin::check(&state.settings, call)
        .and_then(|()| route(state, call))
        .unwrap_or_else(Refusal::into_reply)
}

fn route(state: &State, call: &Call) -> Result<Reply, Refusal> {
    let path = call.path().strip_prefix(PREFIX).unwrap_or_default();
    let segments = path.trim_start_matches('/').splitn(3, '/');
    let segments: Vec<_> = segments.map(|it| percent_decode_str(it).decode_utf8_lossy()).collect();
    let segment = |at: usize| segments.get(at).map(|segment| &**segment);
    match (segment(0).unwrap_or_default(), segment(1), segment(2)) {
        ("clients", None, None) => identity::clients(state, call),
        ("clients", Some(provider), Some(id)) => identity::client(state, call, provider, id),
        ("id-tokens", None, None) => identity::id_tokens(state, call),
        ("logout-tokens", None, None) => identity::logout_tokens(state, call),
        ("products", None, None) => products::collection(state, call),
        ("products", Some(name), None) => products::item(state, call, name),
        ("users", None, None) => identity::users(state, call),
        ("apps", None, None) => apps::collection(state, call),
        ("apps", Some(id), None) => apps::item(state, call, id),
        ("clock", None, None) => clock::answer(state, call),
        ("faults", None, None) => faults::collection(state, call),
        ("faults", Some(id), None) => faults::item(state, call, id),
        ("openapi.json", None, None) => match call.method {
            Method::GET => Ok(Reply::new(StatusCode::OK, "application/json", OPENAPI)),
            _ => Err(Refusal::method("GET")),
        },
        ("requests", None, None) => requests::answer(state, call),
        ("reset", None, None) => match call.method {
            Method::POST => {
                state.reset();
                Ok(Reply::no_content())
            }
            _ => Err(Refusal::method("POST")),
        },
        _ => Err(Refusal::not_found(format!("there is no `{}` in the control API", call.path()))),
    }
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into(), allow: None }
    }

    fn bad_request(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    fn forbidden(description: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", description)
    }

    fn not_found(description: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", description)
    }

    fn too_many(things: &str, most: &str) -> Self {
        let description = format!("there are {most} {things}, which is as many as there can be");
        Self::new(StatusCode::CONFLICT, "too_many", description)
    }

    fn method(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                format!("here it is {allow}"),
            )
        }
    }

    fn into_reply(self) -> Reply {
        #[derive(Serialize)]
        struct Said<'a> {
            error: &'a str,
            error_description: &'a str,
        }
        let reply = Reply::json(
            self.status,
            &Said { error: self.error, error_description: &self.description },
        );
        match self.allow {
            Some(allow) => reply.with_allow(allow),
            None => reply,
        }
    }
}
