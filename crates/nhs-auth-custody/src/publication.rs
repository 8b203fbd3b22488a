//! What becomes of a key set that is published.

/// What publishing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Published {
    /// There was no key set before.
    Created,
    /// Another one was there, and is replaced.
    Replaced,
    /// The same one was there: nothing was written.
    Unchanged,
}

/// A key set is not published, or not known to be. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// A set without a key would have every assertion refused.
    #[error("the key set is empty, and is not published: every assertion would be refused")]
    Empty,
    /// Somebody else published at the same time.
    #[error("somebody else changed {place} at the same time; nothing was overwritten")]
    Conflict {
        /// Where it was to be.
        place: String,
    },
    /// What is there is something else than a key set.
    #[error("{place} is something else than a key set; nothing was overwritten")]
    SomethingElse {
        /// Where it was to be.
        place: String,
    },
    /// What is there is no key set.
    #[error("{place} is larger than 1 MiB, as no key set is; nothing was overwritten")]
    TooLarge {
        /// Where it was to be.
        place: String,
    },
    /// It can't be read or written.
    #[error("can't {act} {place}: {reason}")]
    Unavailable {
        /// What was to be done: "read", "write" or "read back".
        act: &'static str,
        /// Where it was to be.
        place: String,
        /// What the store or the system said.
        reason: String,
        /// Whether it may be gone when tried again, with nothing changed.
        passing: bool,
    },
    /// It was written, and something else is read.
    #[error("{place} was written, but does not show it: {reason}")]
    NotShown {
        /// Where it is.
        place: String,
        /// What is different.
        reason: &'static str,
    },
}

impl PublishError {
    /// What to do next, one sentence each, the best first.
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Empty => "give at least one public key",
            Self::Conflict { .. } => "look at what is there now, and publish again if it is wrong",
            Self::SomethingElse { .. } | Self::TooLarge { .. } => {
                "check that the location is the key set's own"
            }
            Self::Unavailable { passing: true, .. } => "try again in a while",
            Self::Unavailable { passing: false, .. } => {
                "check the location, and that this program's identity may read and write there"
            }
            Self::NotShown { .. } => "look at what is there now, before you sign with a new key",
        };
        vec![hint.to_owned()]
    }
}
