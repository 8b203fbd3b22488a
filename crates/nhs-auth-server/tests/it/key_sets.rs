//! Key sets to be served. Nobody signs with these keys: they only have to look like some.

use nhs_auth::{KeySet, Kid, PublicKey, PublishedKey};

/// A set of keys with these names. The same names give the same keys.
pub(crate) fn of(names: &[&str]) -> KeySet {
    KeySet::new(names.iter().map(|name| key(name)).collect()).unwrap()
}

fn key(name: &str) -> PublishedKey {
    let seed = name.bytes().fold(7_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    let modulus: Vec<u8> = (0..512_u32)
        .map(|place| seed.wrapping_add(place.to_le_bytes()[0]).wrapping_mul(167) | 1)
        .collect();
    let public = PublicKey::from_components(&modulus, &[1, 0, 1]).unwrap();
    PublishedKey::new(Kid::parse(name).unwrap(), public)
}
