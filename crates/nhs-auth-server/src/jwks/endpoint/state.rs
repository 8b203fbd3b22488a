//! What is told of an endpoint to those who watch it.

use nhs_auth::{Kid, UnixMillis};

/// What an endpoint serves.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum JwksState {
    /// No key set has been published yet.
    NoneYet,
    /// A key set is served.
    Serving(ServedKeySet),
    /// The key set was withdrawn.
    Withdrawn {
        /// Why, in the words of whoever withdrew it last.
        reason: String,
        /// Since when nothing is served.
        since: UnixMillis,
    },
}

/// The key set that is served.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ServedKeySet {
    /// The key ids, in their order.
    pub key_ids: Vec<Kid>,
    /// The entity tag, with its quotes.
    pub etag: String,
    /// Since when just these keys are served by this endpoint, without a break.
    pub since: UnixMillis,
    /// When they were published last: the same keys may be published again and again.
    pub confirmed: UnixMillis,
}

impl JwksState {
    /// Why no key set is served, if none is.
    pub fn not_ready(&self) -> Option<&str> {
        match self {
            Self::NoneYet => Some("there is no key set yet"),
            Self::Serving(_) => None,
            Self::Withdrawn { reason, .. } => Some(reason),
        }
    }

    /// The key set that is served, if one is.
    pub fn served(&self) -> Option<&ServedKeySet> {
        if let Self::Serving(served) = self { Some(served) } else { None }
    }
}
