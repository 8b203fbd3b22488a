//! What Azure's errors mean. Of their texts only the service's code and message are passed on.

use std::error::Error as _;
use std::time::Duration;

use azure_core::error::ErrorKind;
use azure_core::http::headers::RETRY_AFTER;
use azure_core::http::{RawResponse, StatusCode};
use nhs_auth::CustodyErrorKind as Kind;
use serde_json::Value;

use super::credential::NobodyAsks;
use crate::call::Fault;
use crate::said::said;

impl From<azure_core::Error> for Fault {
    fn from(error: azure_core::Error) -> Self {
        match error.kind() {
            ErrorKind::HttpResponse { status, raw_response, .. } => {
                of_vault(*status, raw_response.as_deref())
            }
            ErrorKind::Connection => {
                Self::new(Kind::Unreachable, "no connection").not_carried_out(None)
            }
            ErrorKind::Io => Self::new(Kind::Unreachable, "the connection broke").repeatable(),
            ErrorKind::Credential => of_credential(&error),
            ErrorKind::DataConversion => Self::failed("the answer can't be read"),
            ErrorKind::Other => Self::failed(said(&error.to_string())),
        }
    }
}

/// A vault's answer.
fn of_vault(status: StatusCode, response: Option<&RawResponse>) -> Fault {
    let told = response.map(Told::read).unwrap_or_default();
    let status = u16::from(status);
    let kind = match (status, told.inner_code.as_str()) {
        (403, "KeyDisabled" | "KeyExpired" | "KeyNotYetValid") => Kind::Unsuitable,
        (401, _) if told.is_of_expiry() => Kind::SessionExpired,
        (401 | 403, _) => Kind::Denied,
        (404, _) => Kind::NotFound,
        (409, _) => Kind::AlreadyThere,
        (429, _) => Kind::Throttled,
        (408 | 504, _) => Kind::TimedOut,
        (502 | 503, _) => Kind::Unreachable,
        _ => Kind::Failed,
    };
    let detail = format!("Key Vault answered {status} {}", told.words());
    Fault::new(kind, detail.trim_end()).after_status(status, told.retry_after)
}

/// What a credential says, or what was answered to it: by Entra ID, mostly.
fn of_credential(error: &azure_core::Error) -> Fault {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<NobodyAsks>() {
            return Fault::new(Kind::SessionExpired, error.to_string());
        }
        match error.downcast_ref::<azure_core::Error>().map(azure_core::Error::kind) {
            Some(ErrorKind::HttpResponse { status, error_code, raw_response }) => {
                let retry_after = raw_response.as_deref().and_then(retry_after);
                let code = error_code.as_deref().unwrap_or_default();
                return of_token_endpoint(u16::from(*status), code, retry_after);
            }
            Some(ErrorKind::Connection | ErrorKind::Io) => {
                let detail = "no connection to where tokens are given";
                return Fault::new(Kind::Unreachable, detail).not_carried_out(None);
            }
            _ => cause = error.source(),
        }
    }
    Fault::new(Kind::SessionExpired, "the credential gives no token")
}

/// By Entra ID's numbers, which its documentation lists as `AADSTS…`.
fn of_token_endpoint(status: u16, codes: &str, retry_after: Option<Duration>) -> Fault {
    let kind = match (status, codes) {
        // A client secret's end, a session's, and that of the token of a workload.
        (_, "7000222" | "50173" | "700082" | "700024" | "50132") => Kind::SessionExpired,
        (429, _) => Kind::Throttled,
        (408 | 504, _) => Kind::TimedOut,
        (500..=599, _) => Kind::Unreachable,
        _ => Kind::Denied,
    };
    let code = if codes.is_empty() { String::new() } else { format!(" AADSTS{}", said(codes)) };
    let detail = format!("no token: Microsoft Entra ID answered {status}{code}");
    let fault = Fault::new(kind, detail);
    // The vault itself was not asked yet.
    match fault.kind {
        Kind::Denied | Kind::SessionExpired => fault,
        _ => fault.not_carried_out(retry_after),
    }
}

/// The parts of a vault's error.
#[derive(Default)]
struct Told {
    code: String,
    inner_code: String,
    message: String,
    retry_after: Option<Duration>,
}

impl Told {
    fn read(response: &RawResponse) -> Self {
        let body: Value = serde_json::from_slice(response.body().as_ref()).unwrap_or_default();
        let error = &body["error"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            code: text(&error["code"]),
            inner_code: text(&error["innererror"]["code"]),
            message: text(&error["message"]),
            retry_after: retry_after(response),
        }
    }

    fn is_of_expiry(&self) -> bool {
        self.message.contains("TokenExpired") || self.message.contains("expired")
    }

    fn words(&self) -> String {
        let code = if self.inner_code.is_empty() { &self.code } else { &self.inner_code };
        let stop = if self.message.is_empty() { "" } else { ": " };
        said(&format!("{code}{stop}{}", self.message))
    }
}

fn retry_after(response: &RawResponse) -> Option<Duration> {
    let seconds = response.headers().get_optional_str(&RETRY_AFTER)?;
    seconds.parse().ok().map(Duration::from_secs)
}
