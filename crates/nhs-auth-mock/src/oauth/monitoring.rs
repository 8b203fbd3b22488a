//! `/_ping` and `/_status`, as the platform's other services ask for them.

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::error;
use super::not_found;
use crate::answer::Reply;
use crate::call::Call;
use crate::state::State;

/// Liveness.
pub(super) fn ping(call: &Call) -> Reply {
    if is_read(call) { Reply::json(StatusCode::OK, &Release::THIS) } else { not_found() }
}

/// Health, for those who have the key.
pub(super) fn status(state: &State, call: &Call) -> Reply {
    if !is_read(call) {
        return not_found();
    }
    let key = state.settings.status_key.as_deref();
    if key.is_none() || call.header("apikey") != key {
        return error(
            401,
            "Access Denied",
            "Invalid api key for _status monitoring endpoint".into(),
        );
    }
    Reply::json(
        StatusCode::OK,
        &Health {
            release: Release::THIS,
            status: "pass",
            checks: json!({"nhs-cis2": {"status": "pass"}, "nhs-login": {"status": "pass"}}),
        },
    )
}

fn is_read(call: &Call) -> bool {
    call.method == Method::GET || call.method == Method::HEAD
}

#[derive(Serialize)]
struct Release {
    version: &'static str,
    revision: &'static str,
    #[serde(rename = "releaseId")]
    id: &'static str,
    #[serde(rename = "commitId")]
    commit: &'static str,
}

impl Release {
    const THIS: Self = Self {
        version: concat!("v", env!("CARGO_PKG_VERSION")),
        revision: "1",
        id: "nhs-auth-mock",
        commit: "0000000000000000000000000000000000000000",
    };
}

#[derive(Serialize)]
struct Health {
    #[serde(flatten)]
    release: Release,
    status: &'static str,
    checks: Value,
}
