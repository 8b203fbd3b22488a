//! The key ring: an application's keys, and where each is in its life.
//!
//! The platform keeps a key set for an hour, and doesn't look again for a key that it doesn't know.
//! So a key is *announced* first, and published; *active* when every copy of the set without it is
//! gone; *retiring* when the next one signs; and *retired* when nothing can need it any more. A
//! [`KeyRing`] holds the keys and their states, [`KeyRing::rotate`] does what is safe by now, and a
//! [`FollowedKeyRing`] signs with whichever key is active.

mod content;
mod directory;
mod error;
mod follow;
mod format;
mod key;
mod moment;
mod plan;
mod publication;
mod ring;
mod rotation;
mod schedule;
mod store;
mod turn;

pub use self::content::{RingContent, RingSettings, UnsoundRing};
pub use self::error::KeyRingError;
pub use self::follow::FollowedKeyRing;
pub use self::format::KeyRingFormatError;
pub use self::key::{KeyPlace, KeyState, Published, RingKey};
pub use self::moment::Moment;
pub use self::plan::PlannedStep;
pub use self::publication::{PublishTo, echo_url};
pub use self::ring::KeyRing;
pub use self::rotation::{AdoptedKey, KeySetPublisher, LeakedKey, Rotation, RotationOrders};
pub use self::schedule::{Due, Step};
pub use self::store::{
    KeyRingLock, KeyRingStore, KeyRingStoreError, KeyRingStoreFuture, KeyRingVersion, StoredKeyRing,
};
