//! Why an exchange failed.

use std::io;

use crate::proxy::sent_body::SentBodyError;

/// Why there is no answer, or no more of it.
#[derive(Debug, thiserror::Error)]
pub(in crate::proxy) enum ExchangeError {
    /// Nothing of the request was taken.
    #[error("the connection could not be used any more: {0}")]
    Unsent(io::Error),
    #[error("the connection was closed before there was an answer")]
    Closed,
    #[error("the connection was closed within the answer")]
    CutOff,
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("it changed the protocol unasked")]
    ProtocolChanged,
    #[error(transparent)]
    Body(#[from] SentBodyError),
    #[error("the request's body was not as long as it said")]
    Length,
}

/// What came is not HTTP/1.1 (RFC 9112).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::proxy) enum Malformed {
    #[error("what came is not the head of an answer: {0}")]
    Head(httparse::Error),
    #[error("the head of the answer is too long")]
    HeadTooLong,
    #[error("the answer says two things of its length")]
    Length,
    #[error("the answer's `Transfer-Encoding` can't be understood")]
    Coding,
    #[error("the answer's body is not in chunks as it should be")]
    Chunk,
    #[error("the answer's trailers can't be understood, or are too long")]
    Trailers,
}

impl ExchangeError {
    /// Whether the API may have closed a connection just as it was used again: nothing of an answer
    /// came.
    pub(in crate::proxy) fn is_before_the_answer(&self) -> bool {
        matches!(self, Self::Unsent(_) | Self::Closed | Self::Io(_))
    }
}
