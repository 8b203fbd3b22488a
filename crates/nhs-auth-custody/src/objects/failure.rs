//! What a store's answer means.

use std::time::Duration;

use object_store::client::{HttpError, HttpErrorKind};

use crate::said::{cause, innermost};

/// Why an object can't be read or written, in words that may be logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Another object is there, or none any more.
    Conflict,
    /// It is too large to be read.
    TooLarge,
    /// It can't be read or written.
    Unavailable {
        reason: String,
        /// Whether it may be gone when tried again, with nothing changed.
        passing: bool,
    },
}

impl Failure {
    pub(super) fn late(waited: Duration) -> Self {
        let reason = format!("there was no answer within {} s", waited.as_secs());
        Self::Unavailable { reason, passing: true }
    }

    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable { passing: true, .. })
    }

    /// Reads a store's error. Only a status, a code and what the network said are taken: the rest
    /// may have a token in it.
    pub(super) fn of(error: &object_store::Error) -> Self {
        use object_store::Error as Store;
        match error {
            Store::Precondition { .. }
            | Store::AlreadyExists { .. }
            | Store::NotModified { .. } => {
                return Self::Conflict;
            }
            _ => {}
        }
        if let Some(network) = cause::<HttpError>(error) {
            let passing = !matches!(network.kind(), HttpErrorKind::Decode);
            return Self::Unavailable { reason: innermost(network), passing };
        }
        let text = error.to_string();
        let (status, code) = (status_in(&text), code_in(&text));
        let passing = status.is_some_and(|status| status >= 500 || matches!(status, 408 | 429));
        let reason = match (status, code) {
            (Some(status), Some(code)) => format!("status {status}, {code}"),
            (Some(status), None) => format!("status {status}"),
            (None, _) => {
                "the credentials can't be used, or its answers are not those of such a store"
                    .to_owned()
            }
        };
        Self::Unavailable { reason, passing }
    }
}

/// Whether it is the bucket or the container that is missing, rather than the object.
pub(super) fn has_no_bucket(error: &object_store::Error) -> bool {
    let code = code_in(&error.to_string());
    matches!(code.as_deref(), Some("NoSuchBucket" | "ContainerNotFound" | "ResourceNotFound"))
}

/// The library has it in its text alone.
fn status_in(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// The code in the XML that each of the stores answers with.
fn code_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    let is_code = code.len() <= 64 && code.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    is_code.then(|| code.to_owned())
}
