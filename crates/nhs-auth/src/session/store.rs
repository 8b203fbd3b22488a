//! Where sessions are kept.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use nhs_auth_rules::UnixMillis;

use crate::key::base64url;

/// What a store knows a session by: a hash of its name, so that whoever reads the store can't be
/// anybody's browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey(pub(super) [u8; 32]);

/// What a store knows a provider's session by: a hash of its issuer and `sid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProviderSession(pub(super) [u8; 32]);

macro_rules! name_of_32_bytes {
    ($($name:ident),*) => {$(
        impl $name {
            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The one of these bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            /// In base64url.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&base64url(&self.0))
            }
        }
    )*};
}
name_of_32_bytes!(SessionKey, ProviderSession);

/// A session as a store has it.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what every store has to keep")]
pub struct SessionRecord {
    /// Counts up with each change. 0 is a sign-in that is under way, which anybody can begin: where
    /// room is short, those make room first.
    pub version: u64,
    /// What is kept: encrypted, and bound to its key.
    pub content: Vec<u8>,
    /// The provider's session that it belongs to, for finding it by that.
    pub provider_session: Option<ProviderSession>,
    /// When it can be forgotten.
    pub expires_at: UnixMillis,
}

impl fmt::Debug for SessionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRecord")
            .field("version", &self.version)
            .field("bytes", &self.content.len())
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A store that could not do what it was asked for.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the session store {store} failed: {source}")]
#[non_exhaustive]
pub struct StoreError {
    /// Which store, in words that may be logged.
    pub store: String,
    /// What it said. Must hold no secret.
    pub source: Arc<dyn Error + Send + Sync>,
}

impl StoreError {
    /// What that store said.
    pub fn new(store: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { store: store.into(), source: source.into().into() }
    }
}

/// A store's answer, on its way.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Keeps sessions. What it keeps is encrypted, and its names are hashes.
///
/// [`MemorySessionStore`](crate::MemorySessionStore) is for one process; the crate
/// `nhs-auth-custody` has one for Valkey and Redis.
pub trait SessionStore: fmt::Debug + Send + Sync {
    /// The session of that key, if it is there and has not expired.
    ///
    /// # Errors
    ///
    /// The future gives a [`StoreError`] when the store can't tell.
    fn load(&self, key: SessionKey) -> StoreFuture<'_, Option<SessionRecord>>;

    /// Writes a session in place of the version `replaces`, or where there is none; whole or not
    /// at all. Answers whether it was written: not when another version, or none, is there. One
    /// that has expired already counts as written, and is not there afterwards.
    ///
    /// # Errors
    ///
    /// The future gives a [`StoreError`] when it isn't known whether it was written.
    fn save(
        &self,
        key: SessionKey,
        record: SessionRecord,
        replaces: Option<u64>,
    ) -> StoreFuture<'_, bool>;

    /// Takes a session out, and answers it: of several who ask, one gets it.
    ///
    /// # Errors
    ///
    /// The future gives a [`StoreError`] when it isn't known whether it is gone.
    fn take(&self, key: SessionKey) -> StoreFuture<'_, Option<SessionRecord>>;

    /// The sessions that belong to a provider's session.
    ///
    /// # Errors
    ///
    /// The future gives a [`StoreError`] when the store can't tell.
    fn of_provider_session(&self, session: ProviderSession) -> StoreFuture<'_, Vec<SessionKey>>;
}
