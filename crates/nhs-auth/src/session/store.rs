//! Where sessions are kept.

use std::fmt;

use nhs_auth_rules::UnixMillis;

use crate::StoreFuture;
use crate::store::name_of_32_bytes;

/// What a store knows a session by: a hash of its name, so that whoever reads the store can't be
/// anybody's browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionKey(pub(super) [u8; 32]);

/// What a store knows a provider's session by: a hash of its issuer and `sid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProviderSession(pub(super) [u8; 32]);

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

/// Keeps sessions. What it keeps is encrypted, and its names are hashes.
///
/// [`MemorySessionStore`](crate::MemorySessionStore) is for one process; the crate
/// `nhs-auth-custody` has one for Valkey and Redis.
pub trait SessionStore: fmt::Debug + Send + Sync {
    /// The session of that key, if it is there and has not expired.
    ///
    /// # Errors
    ///
    /// The future gives a [`StoreError`](crate::StoreError) when the store can't tell.
    fn load(&self, key: SessionKey) -> StoreFuture<'_, Option<SessionRecord>>;

    /// Writes a session in place of the version `replaces`, or where there is none; whole or not
    /// at all. Answers whether it was written: not when another version, or none, is there. One
    /// that has expired already counts as written, and is not there afterwards.
    ///
    /// # Errors
    ///
    /// The future gives a [`StoreError`](crate::StoreError) when it isn't known whether it was written.
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
    /// The future gives a [`StoreError`](crate::StoreError) when it isn't known whether it is gone.
    fn take(&self, key: SessionKey) -> StoreFuture<'_, Option<SessionRecord>>;

    /// The sessions that belong to a provider's session.
    ///
    /// # Errors
    ///
    /// The future gives a [`StoreError`](crate::StoreError) when the store can't tell.
    fn of_provider_session(&self, session: ProviderSession) -> StoreFuture<'_, Vec<SessionKey>>;
}
