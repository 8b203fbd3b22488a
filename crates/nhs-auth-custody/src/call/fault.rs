//! What a call came to when it gave no answer of use.

use std::time::Duration;

use nhs_auth::{CustodyError, CustodyErrorKind, KeyUri};

/// How much of a service's words is passed on, in characters.
const LONGEST: usize = 240;

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

/// What a service said, fit to be logged: short, of one line, and without what looks like a token.
pub(crate) fn said(text: &str) -> String {
    let mut words = Vec::new();
    let mut is_token = false;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        let hides = is_token || is_long_and_random(word);
        is_token = word.eq_ignore_ascii_case("bearer");
        words.push(if hides { "…" } else { word });
    }
    let text = words.join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A JWT, or one of Google's opaque tokens, whatever stands around it.
fn is_long_and_random(word: &str) -> bool {
    word.contains("eyJ") || word.contains("ya29.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_one_short_line() {
        assert_eq!(said("one\r\n\u{1b}[31mtwo\t three"), "one [31mtwo three");
        assert_eq!(said(&"é".repeat(300)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn a_token_is_not_repeated() {
        let told =
            said("the header `Bearer abc.def` or bearer hush and (eyJhbGciOi.a.b) ya29.c0 end");
        for secret in ["hush", "eyJ", "ya29"] {
            assert!(!told.contains(secret), "{told}");
        }
        assert!(told.ends_with("end"));
    }

    #[test]
    fn a_status_says_whether_to_try_again() {
        let again = |status| Fault::failed("").after_status(status, None).again;
        assert_eq!(again(429), Again::Always);
        assert_eq!(again(503), Again::IfRepeatable);
        assert_eq!(again(403), Again::Never);
    }
}
