//! Objects in the stores of the clouds: small ones, written on conditions.

mod failure;
mod key_ring;
mod location;
mod settings;
mod store;

pub(crate) use failure::Failure;
pub use key_ring::ObjectKeyRingStore;
pub(crate) use location::{Bucket, Place};
pub use location::{InvalidObjectLocation, ObjectLocation};
pub use settings::{CloudSettings, InvalidCloudSettings};
pub(crate) use store::{Found, Store};
