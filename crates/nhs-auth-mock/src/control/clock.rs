//! `/_mock/clock`.

use http::{Method, StatusCode};
use serde_json::json;

use super::Refusal;
use super::members::Members;
use crate::answer::Reply;
use crate::call::Call;
use crate::clock::{MAX_OFFSET_MS, millis_of_seconds, rfc3339, seconds_of_millis};
use crate::state::State;

pub(super) fn answer(state: &State, call: &Call) -> Result<Reply, Refusal> {
    match call.method {
        Method::GET => {}
        Method::POST => advance(state, call)?,
        _ => return Err(Refusal::method("GET, POST")),
    }
    let clock = json!({
        "now": rfc3339(state.clock.now()),
        "offset_s": seconds_of_millis(state.clock.offset_ms()),
    });
    Ok(Reply::json(StatusCode::OK, &clock))
}

fn advance(state: &State, call: &Call) -> Result<(), Refusal> {
    const WANTED: &str = "a number of seconds, negative to turn the clock back";
    let mut members = Members::parse(&call.body)?;
    let seconds: Option<f64> = members.optional("advance_s", WANTED)?;
    members.finish()?;
    let by_ms = seconds
        .and_then(millis_of_seconds)
        .ok_or_else(|| Refusal::bad_request(format!("`advance_s` must be {WANTED}")))?;
    let offset = state.clock.offset_ms().saturating_add(by_ms);
    if offset.saturating_abs() > MAX_OFFSET_MS {
        return Err(Refusal::bad_request(
            "`advance_s` would move the clock more than 40 years from the machine's",
        ));
    }
    state.clock.advance(by_ms);
    Ok(())
}
