//! `/_mock/faults`.

use std::time::Duration;

use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::Refusal;
use super::members::{Given, Members};
use crate::answer::Reply;
use crate::call::Call;
use crate::clock::{bounded, millis_of_seconds, seconds_of_millis};
use crate::fault::{Fault, FaultId, FaultKind};
use crate::state::State;

/// A fault that is in force, with the times that are left.
#[derive(Serialize)]
struct Shown {
    id: u64,
    fault: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset_s: Option<f64>,
}

pub(super) fn collection(state: &State, call: &Call) -> Result<Reply, Refusal> {
    match call.method {
        Method::GET => {
            let faults: Vec<_> = state.faults.all().into_iter().map(Shown::new).collect();
            Ok(Reply::json(StatusCode::OK, &json!({"faults": faults})))
        }
        Method::POST => {
            let id = state.faults.add(parse(&call.body)?);
            Ok(Reply::json(StatusCode::CREATED, &json!({"id": id.number()})))
        }
        Method::DELETE => {
            state.faults.clear();
            Ok(Reply::no_content())
        }
        _ => Err(Refusal::method("GET, POST, DELETE")),
    }
}

pub(super) fn item(state: &State, call: &Call, id: &str) -> Result<Reply, Refusal> {
    if call.method != Method::DELETE {
        return Err(Refusal::method("DELETE"));
    }
    let removed = id.parse().is_ok_and(|number| state.faults.remove(FaultId(number)));
    if removed {
        Ok(Reply::no_content())
    } else {
        Err(Refusal::not_found(format!("there is no fault `{id}`, or it has done its work")))
    }
}

fn parse(body: &[u8]) -> Result<Fault, Refusal> {
    const COUNT: &str = "a whole number from 1";
    const SECONDS: &str = "a whole number of seconds";
    let mut members = Members::parse(body)?;
    let kind = kind(members.raw("fault"))?;
    let mut fault = Fault::new(kind);
    fault.path = members.optional("path", "a string")?;
    fault.application_id = members.optional("application_id", "a string")?;
    fault.times = members.optional("times", COUNT)?.or(fault.times);
    if fault.times == Some(0) {
        return Err(Refusal::bad_request(format!("`times` must be {COUNT}")));
    }
    if let Some(share) = members.optional("share", "a number from 0 to 1")? {
        if !(0.0..=1.0).contains(&share) {
            return Err(Refusal::bad_request("`share` must be a number from 0 to 1"));
        }
        fault.share = share;
    }
    if let Some(delay) = members.optional("delay_ms", "a whole number of milliseconds")? {
        fault.delay = Some(Duration::from_millis(delay));
    }
    fault.retry_after_s = members.optional("retry_after_s", SECONDS)?;
    let offset: Option<f64> = members.optional("offset_s", "a number of seconds")?;
    members.finish()?;
    match (kind, offset.and_then(millis_of_seconds)) {
        (FaultKind::Clock, Some(offset)) => fault.offset_ms = bounded(offset),
        (FaultKind::Clock, None) => {
            return Err(Refusal::bad_request(
                "the fault `clock` needs `offset_s`: how many seconds the clock is fast, or slow \
                 when negative",
            ));
        }
        (_, Some(_)) => {
            return Err(Refusal::bad_request("`offset_s` is for the fault `clock` alone"));
        }
        (_, None) => {}
    }
    Ok(fault)
}

/// The name may be a number: `429` and `"429"` are one fault.
fn kind(given: Given<Box<RawValue>>) -> Result<FaultKind, Refusal> {
    let raw = match given {
        Given::Value(raw) => raw.get().to_owned(),
        Given::Null | Given::Absent => String::new(),
    };
    let name = serde_json::from_str::<String>(&raw).unwrap_or(raw);
    if name.is_empty() {
        let names: Vec<_> = FaultKind::names().collect();
        return Err(Refusal::bad_request(format!(
            "`fault` must be the name of one: {}",
            names.join(", ")
        )));
    }
    FaultKind::parse(&name).map_err(|error| Refusal::bad_request(error.to_string()))
}

impl Shown {
    fn new((id, fault): (FaultId, Fault)) -> Self {
        Self {
            id: id.number(),
            fault: fault.kind.name(),
            path: fault.path,
            application_id: fault.application_id,
            times: fault.times,
            share: (fault.share < 1.0).then_some(fault.share),
            delay_ms: fault.delay.map(|delay| delay.as_millis()),
            retry_after_s: fault.retry_after_s,
            offset_s: (fault.kind == FaultKind::Clock).then(|| seconds_of_millis(fault.offset_ms)),
        }
    }
}
