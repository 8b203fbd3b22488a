//! Where the instances of a fleet keep the token that they share.

use std::fmt;
use std::time::Duration;

use crate::StoreFuture;
use crate::store::name_of_32_bytes;

/// What a store knows a fleet's token by: a hash that needs the fleet's secret, so that whoever
/// reads the store learns nothing of whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FleetName(pub(super) [u8; 32]);

name_of_32_bytes!(FleetName);

/// Who holds a lease: random, and another for each time that it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseHolder([u8; 16]);

impl LeaseHolder {
    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The one of these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

/// A token as a store has it.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what every store has to keep")]
pub struct KeptToken {
    /// What is kept: encrypted, and bound to its name.
    pub content: Vec<u8>,
    /// How long it still lives, by the store's clock: the clocks of the instances may differ. `None`
    /// when it has no end, which none that we write is without.
    pub left: Option<Duration>,
}

impl fmt::Debug for KeptToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptToken")
            .field("bytes", &self.content.len())
            .field("left", &self.left)
            .finish()
    }
}

/// Keeps the token of a fleet, and the lease by which one instance renews it. What it keeps is
/// encrypted, and its names are hashes.
///
/// The crate `nhs-auth-custody` has one for Valkey and Redis. A future that is dropped may have been
/// carried out or not; the cache drops those that take longer than half a second.
pub trait TokenStore: fmt::Debug + Send + Sync {
    /// The token of that name, if one is there that has not expired. Anything else that is there
    /// counts as a token too, whose content nobody can open: it will be replaced.
    ///
    /// # Errors
    ///
    /// The future gives a [`StoreError`](crate::StoreError) when the store can't tell.
    fn load(&self, name: FleetName) -> StoreFuture<'_, Option<KeptToken>>;

    /// Writes a token in place of that content, or where there is none; whole or not at all. It is
    /// forgotten when it has lived for what is `left` of it. Answers whether it was written: not
    /// when something else, or nothing, is there.
    ///
    /// # Errors
    ///
    /// The future gives a [`StoreError`](crate::StoreError) when it isn't known whether it was
    /// written.
    fn save(
        &self,
        name: FleetName,
        token: KeptToken,
        replaces: Option<Vec<u8>>,
    ) -> StoreFuture<'_, bool>;

    /// Takes out what is kept, if it is still this content. Answers whether it was.
    ///
    /// # Errors
    ///
    /// The future gives a [`StoreError`](crate::StoreError) when it isn't known whether it is gone.
    fn remove(&self, name: FleetName, content: Vec<u8>) -> StoreFuture<'_, bool>;

    /// Gives the lease to `holder` for so long from now, if it is free or theirs already. Answers who
    /// has it then. A lease with no end is nobody's, and free.
    ///
    /// # Errors
    ///
    /// The future gives a [`StoreError`](crate::StoreError) when it isn't known who has it.
    fn lease(
        &self,
        name: FleetName,
        holder: LeaseHolder,
        lasts: Duration,
    ) -> StoreFuture<'_, LeaseHolder>;

    /// Gives the lease back, if it is still this holder's.
    ///
    /// # Errors
    ///
    /// The future gives a [`StoreError`](crate::StoreError) when it isn't known whether it is free.
    fn release(&self, name: FleetName, holder: LeaseHolder) -> StoreFuture<'_, ()>;
}
