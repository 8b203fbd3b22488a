//! `/_ping` and `/_status`, as the platform's other services ask for them.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::answer::error;
use super::not_found;
use crate::answer::Reply;
use crate::call::Call;
use crate::state::State;

/// Liveness.
pub(super) fn ping(call: &Call) -> Reply {
    if is_read(call) { Reply::json(StatusCode::OK, &release()) } else { not_found() }
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
    let mut status = release();
    status["status"] = json!("pass");
    status["checks"] = json!({
        "nhs-cis2": {"status": "pass"},
        "nhs-login": {"status": "pass"},
    });
    Reply::json(StatusCode::OK, &status)
}

fn is_read(call: &Call) -> bool {
    call.method == Method::GET || call.method == Method::HEAD
}

fn release() -> Value {
    json!({
        "version": concat!("v", env!("CARGO_PKG_VERSION")),
        "revision": "1",
        "releaseId": "nhs-auth-mock",
        "commitId": "0000000000000000000000000000000000000000",
    })
}
