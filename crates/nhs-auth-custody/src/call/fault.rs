//! What a call came to when it gave no answer of use.

use std::time::Duration;

use nhs_auth::{CustodyError, CustodyErrorKind, KeyUri};

/// Why a call failed, in words that may be logged.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: CustodyErrorKind,
    pub(crate) detail: String,
    pub(crate) again: Again,
    /// How long the service asks to be left alone.
    pub(crate) pause: Option<Duration>,
}

/// Whether the call may be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// It would fail again.
    Never,
    /// It may have been carried out: only where that does no harm.
    IfRepeatable,
    /// It was not carried out.
    Always,
}

impl Fault {
    pub(crate) fn new(kind: CustodyErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), again: Again::Never, pause: None }
    }

    pub(crate) fn failed(detail: impl Into<String>) -> Self {
        Self::new(CustodyErrorKind::Failed, detail)
    }

    pub(crate) fn unsuitable(detail: impl Into<String>) -> Self {
        Self::new(CustodyErrorKind::Unsuitable, detail)
    }

    /// The same, to be tried again where that does no harm.
    pub(crate) fn repeatable(self) -> Self {
        Self { again: Again::IfRepeatable, ..self }
    }

    /// The same, to be tried again in any case.
    pub(crate) fn not_carried_out(self, pause: Option<Duration>) -> Self {
        Self { again: Again::Always, pause, ..self }
    }

    /// Tried again as an HTTP status asks for.
    pub(crate) fn after_status(self, status: u16, pause: Option<Duration>) -> Self {
        match status {
            429 => self.not_carried_out(pause),
            408 | 500..=599 => Self { pause, ..self.repeatable() },
            _ => self,
        }
    }

    pub(crate) fn about(self, key: &KeyUri) -> CustodyError {
        CustodyError::new(self.kind, key, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_says_whether_to_try_again() {
        let again = |status| Fault::failed("").after_status(status, None).again;
        assert_eq!(again(429), Again::Always);
        assert_eq!(again(503), Again::IfRepeatable);
        assert_eq!(again(403), Again::Never);
    }
}
