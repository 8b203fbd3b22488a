//! From an API's answer to standard output.

use std::io::{self, IsTerminal as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use nhs_auth::ApiResponse;
use serde_json::{Map, Value, json};

use crate::console::{self, Console};
use crate::failure::{Exit, Failure};

/// How much of a refusal's body is looked at for what it says, in bytes.
const LOOKED_AT: usize = 64 * 1024;

/// Writes the body as it arrives, byte for byte.
pub(super) async fn stream(mut answered: ApiResponse, console: Console) -> Result<Exit, Failure> {
    tell_status(&answered, console);
    let (mut looked_at, mut last) = (Vec::new(), None);
    while let Some(chunk) = answered.chunk().await? {
        console::answer(&chunk)?;
        last = chunk.last().copied().or(last);
        let room = LOOKED_AT - looked_at.len();
        looked_at.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    if io::stdout().is_terminal() && last.is_some_and(|byte| byte != b'\n') {
        console::answer(b"\n")?;
    }
    Ok(verdict(answered.status(), &looked_at, console))
}

/// Writes status, headers and body as one JSON object.
pub(super) async fn as_json(mut answered: ApiResponse, console: Console) -> Result<Exit, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = answered.chunk().await? {
        body.extend_from_slice(&chunk);
    }
    let mut headers = Map::new();
    for (name, value) in answered.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        match headers.get_mut(name.as_str()) {
            Some(Value::String(earlier)) => *earlier = format!("{earlier}, {value}"),
            _ => drop(headers.insert(name.to_string(), value.into())),
        }
    }
    let body_base64 = std::str::from_utf8(&body).is_err().then(|| STANDARD.encode(&body));
    console::answer_json(&json!({
        "body": as_value(&body),
        "body_base64": body_base64,
        "headers": headers,
        "request_id": answered.request_id(),
        "status": answered.status().as_u16(),
        "url": answered.url(),
    }))?;
    Ok(verdict(answered.status(), &body, console))
}

/// JSON as what it is, other text as text; bytes that are no text as null, with base64 beside it.
fn as_value(body: &[u8]) -> Value {
    serde_json::from_slice(body)
        .unwrap_or_else(|_| std::str::from_utf8(body).map_or(Value::Null, Value::from))
}

fn tell_status(answered: &ApiResponse, console: Console) {
    console.note(format_args!(
        "{} answered {} (X-Request-ID {})",
        answered.url(),
        answered.status(),
        answered.request_id().unwrap_or("none"),
    ));
    let location = answered.headers().get(http::header::LOCATION);
    if let Some(location) = location.filter(|_| answered.status().is_redirection()) {
        console.warn(format_args!(
            "this is a redirect to {}, which is not followed with a credential",
            String::from_utf8_lossy(location.as_bytes())
        ));
    }
}

fn verdict(status: StatusCode, body: &[u8], console: Console) -> Exit {
    if !status.is_client_error() && !status.is_server_error() {
        return Exit::Done;
    }
    for hint in hints(status, body) {
        console.hint(hint);
    }
    Exit::No
}

/// What the rulebook knows of the gateway's own faults.
fn hints(status: StatusCode, body: &[u8]) -> Vec<String> {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let errorcode = json["fault"]["detail"]["errorcode"].as_str();
    let of_fault = |rule: &&nhs_auth_rules::Rule| {
        rule.answer.status == status.as_u16() && Some(rule.answer.error) == errorcode
    };
    nhs_auth_rules::gateway::RULES
        .iter()
        .filter(of_fault)
        .map(|rule| format!("{} ({})", rule.fix, rule.id))
        .collect()
}
