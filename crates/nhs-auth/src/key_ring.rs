//! The key ring: an application's keys, and where each is in its life.

mod store;

pub use self::store::{
    KeyRingStore, KeyRingStoreError, KeyRingStoreFuture, KeyRingVersion, StoredKeyRing,
};
