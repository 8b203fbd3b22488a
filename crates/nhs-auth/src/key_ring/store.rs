//! Where a ring's file is kept.

use std::fmt;
use std::fs::File;
use std::future::Future;
use std::pin::Pin;

/// What a [`KeyRingStore`] answers with, sooner or later.
pub type KeyRingStoreFuture<'a, T> =
    Pin<Box<dyn Future<Output = Result<T, KeyRingStoreError>> + Send + 'a>>;

/// Keeps one ring's file, whole or not at all.
pub trait KeyRingStore: fmt::Debug + Send + Sync {
    /// Where it is, for messages: a path or a URL, without a secret.
    fn place(&self) -> String;

    /// Keeps others from changing it until the answer is dropped, where that is possible. Where it
    /// isn't, [`write`](Self::write) alone tells who was second.
    ///
    /// # Errors
    ///
    /// The future gives [`KeyRingStoreError::Locked`] when another keeps it too long.
    fn lock(&self) -> KeyRingStoreFuture<'_, KeyRingLock> {
        Box::pin(async { Ok(KeyRingLock::none()) })
    }

    /// The file, if there is one.
    ///
    /// # Errors
    ///
    /// The future gives a [`KeyRingStoreError`] when it can't be read.
    fn read(&self) -> KeyRingStoreFuture<'_, Option<StoredKeyRing>>;

    /// Writes the file in place of the one that was read as `last`, or as the first one, and gives
    /// the version of what is there now.
    ///
    /// # Errors
    ///
    /// [`KeyRingStoreError::Conflict`] when another file is there by now, which is left as it is.
    fn write<'a>(
        &'a self,
        bytes: &'a [u8],
        last: Option<&'a KeyRingVersion>,
    ) -> KeyRingStoreFuture<'a, KeyRingVersion>;
}

/// Nobody else changes the ring while this lives.
#[derive(Debug)]
pub struct KeyRingLock {
    _file: Option<File>,
}

impl KeyRingLock {
    /// Keeps nobody from anything.
    pub const fn none() -> Self {
        Self { _file: None }
    }

    /// Holds the lock of this file, which its closing lets go.
    pub(super) const fn of(file: File) -> Self {
        Self { _file: Some(file) }
    }
}

/// A ring's file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what every store gives")]
pub struct StoredKeyRing {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Which file it was.
    pub version: KeyRingVersion,
}

/// What a store tells one file from the next by, such as an `ETag`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRingVersion(String);

impl KeyRingVersion {
    /// A version that the store calls so.
    pub fn new(version: impl Into<String>) -> Self {
        Self(version.into())
    }

    /// What the store calls it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a ring's file can't be read or written. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingStoreError {
    /// Somebody else wrote it in between.
    #[error("somebody else changed {place} at the same time; nothing was overwritten")]
    Conflict {
        /// Where it is.
        place: String,
    },
    /// Somebody else is changing it, and takes long.
    #[error("somebody else is changing {place}")]
    Locked {
        /// Where it is.
        place: String,
    },
    /// It is larger than any ring.
    #[error("{place} is larger than 1 MiB, as no key ring is")]
    TooLarge {
        /// Where it is.
        place: String,
    },
    /// It can't be read or written.
    #[error("can't {act} {place}: {reason}")]
    Unavailable {
        /// What was to be done: "read" or "write".
        act: &'static str,
        /// Where it is.
        place: String,
        /// What the store said.
        reason: String,
        /// Whether it may be gone when tried again, with nothing changed.
        passing: bool,
    },
}
