//! Why one attempt brought no token, and whether another may.

use std::time::Duration;

use super::response::Refusal;
use super::{RefusalBody, TokenError, TokenErrorKind};
use crate::wire::{NoAnswer, NoBody};

/// One attempt's failure.
pub(super) struct Failure {
    pub(super) refusal: Refusal,
    pub(super) retry_after: Option<Duration>,
    /// Whether the request may have reached the server.
    pub(super) sent: bool,
}

impl Failure {
    /// One before anything was sent.
    pub(super) fn unsent(kind: TokenErrorKind) -> Self {
        Self { refusal: kind.into(), retry_after: None, sent: false }
    }

    /// Whether it may be gone at the next attempt.
    pub(super) fn is_passing(&self) -> bool {
        match &self.refusal.kind {
            TokenErrorKind::RateLimited
            | TokenErrorKind::ServerFailed { .. }
            | TokenErrorKind::TimedOut { .. }
            | TokenErrorKind::Truncated
            | TokenErrorKind::Unreachable { .. } => true,
            TokenErrorKind::Sign(error) => error.is_passing(),
            TokenErrorKind::Empty { status }
            | TokenErrorKind::Html { status }
            | TokenErrorKind::NotJson { status } => *status >= 500,
            _ => false,
        }
    }

    /// Whether the server has surely not done what it was asked for.
    pub(super) fn is_undone(&self) -> bool {
        !self.sent || matches!(self.refusal.kind, TokenErrorKind::RateLimited)
    }

    /// Whether the platform found `exp` past, or too far away.
    pub(super) fn is_about_exp(&self) -> bool {
        match &self.refusal.kind {
            TokenErrorKind::Refused {
                status: 400,
                body: RefusalBody::OAuth { description: Some(description), .. },
            } => {
                // A5 and A14, in today's words or older ones; not S8, of the subject token.
                (description.contains("'exp'")
                    || description.contains("exp claim")
                    || description.contains("has expired"))
                    && !description.contains("subject_token")
            }
            _ => false,
        }
    }

    /// Whether the assertion was not taken: CIS2 and NHS login say no more of why. Then whatever
    /// came with it was not looked at.
    pub(super) fn is_about_the_client(&self) -> bool {
        matches!(
            &self.refusal.kind,
            TokenErrorKind::Refused { body: RefusalBody::OAuth { error, .. }, .. }
                if error == "invalid_client"
        )
    }

    pub(super) fn name(&self) -> String {
        match &self.refusal.kind {
            TokenErrorKind::Refused { status, .. } => format!("refused {status}"),
            TokenErrorKind::ServerFailed { status, .. } => format!("server failed {status}"),
            TokenErrorKind::Sign(_) => "sign".to_owned(),
            kind => format!("{kind:?}"),
        }
    }

    pub(super) fn into_error(self, url: &str, attempts: u32) -> TokenError {
        TokenError {
            kind: self.refusal.kind,
            url: url.to_owned(),
            attempts,
            message_id: self.refusal.message_id,
            retry_after: self.retry_after,
            sent: self.sent,
        }
    }
}

impl From<NoAnswer> for Failure {
    fn from(none: NoAnswer) -> Self {
        let (kind, sent) = match none {
            NoAnswer::NoHttpClient(reason) => (TokenErrorKind::NoHttpClient(reason), false),
            NoAnswer::Unreachable { reason, sent } => {
                (TokenErrorKind::Unreachable { reason }, sent)
            }
        };
        Self { refusal: kind.into(), retry_after: None, sent }
    }
}

impl From<NoBody> for TokenErrorKind {
    fn from(none: NoBody) -> Self {
        match none {
            NoBody::TooLarge => Self::TooLarge,
            NoBody::Truncated => Self::Truncated,
        }
    }
}
