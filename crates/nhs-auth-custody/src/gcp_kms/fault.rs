//! What Google's errors mean. Of their texts only the service's status and message are passed on.

use std::time::Duration;

use google_cloud_gax::error::rpc::{Code, Status, StatusDetails};
use google_cloud_kms_v1::Error;
use nhs_auth::CustodyErrorKind as Kind;

use crate::call::Fault;
use crate::said::said;

/// Where a credential comes from.
pub(super) const NO_TOKEN: &str = "no token: name a service account's file in \
                                   GOOGLE_APPLICATION_CREDENTIALS, run on Google Cloud, or sign in \
                                   with `gcloud auth application-default login`";

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let status = error.http_status_code();
        if let Some(told) = error.status() {
            let detail = format!("Cloud KMS answered {}: {}", told.code.name(), told.message);
            let fault = Self::new(kind_of(told), said(&detail));
            return fault.after_status(status.unwrap_or_default(), retry_after(&error));
        }
        if let Some(status) = status {
            let detail = format!("Cloud KMS answered {status}");
            let fault = Self::new(kind_of_http(status), detail);
            return fault.after_status(status, retry_after(&error));
        }
        if error.is_authentication() {
            Self::new(Kind::SessionExpired, NO_TOKEN)
        } else if error.is_connect() {
            Self::new(Kind::Unreachable, "no connection").not_carried_out(None)
        } else if error.is_timeout() {
            Self::new(Kind::TimedOut, "").repeatable()
        } else if error.is_io() {
            Self::new(Kind::Unreachable, "the connection broke").repeatable()
        } else if error.is_deserialization() {
            Self::failed("the answer can't be read")
        } else {
            Self::failed("the client library failed")
        }
    }
}

fn kind_of(status: &Status) -> Kind {
    match status.code {
        Code::Unauthenticated if !has_credential(status) => Kind::Denied,
        Code::Unauthenticated => Kind::SessionExpired,
        Code::PermissionDenied => Kind::Denied,
        Code::NotFound => Kind::NotFound,
        Code::AlreadyExists => Kind::AlreadyThere,
        Code::ResourceExhausted => Kind::Throttled,
        Code::DeadlineExceeded => Kind::TimedOut,
        Code::Unavailable => Kind::Unreachable,
        // A version that is disabled, destroyed, or not generated yet.
        Code::FailedPrecondition => Kind::Unsuitable,
        _ => Kind::Failed,
    }
}

/// Of what did not come from the service itself: a proxy's page, say.
fn kind_of_http(status: u16) -> Kind {
    match status {
        401 => Kind::SessionExpired,
        403 => Kind::Denied,
        404 => Kind::NotFound,
        429 => Kind::Throttled,
        408 | 504 => Kind::TimedOut,
        502 | 503 => Kind::Unreachable,
        _ => Kind::Failed,
    }
}

fn has_credential(status: &Status) -> bool {
    !status.details.iter().any(|detail| {
        matches!(detail, StatusDetails::ErrorInfo(info) if info.reason == "CREDENTIALS_MISSING")
    })
}

fn retry_after(error: &Error) -> Option<Duration> {
    let seconds = error.http_headers()?.get("retry-after")?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}
