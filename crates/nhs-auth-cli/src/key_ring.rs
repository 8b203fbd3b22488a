//! Key rings, by the place that a flag gives.

use std::path::Path;
use std::sync::Arc;

use nhs_auth::KeyRing;
use nhs_auth_custody::{CloudSettings, ObjectKeyRingStore};

use crate::arguments::RingPlace;
use crate::failure::Failure;
use crate::{custody, publisher};

/// The ring that a flag names.
pub(crate) fn named(place: &RingPlace) -> Result<KeyRing, Failure> {
    match &place.key_ring {
        Some(place) => at(place),
        None => Err(Failure::usage("there is no key ring").hint(
            "give its folder with --key-ring, NHS_AUTH_KEY_RING or `key-ring` in nhs-auth.toml",
        )),
    }
}

/// The ring at a place.
pub(crate) fn at(place: &str) -> Result<KeyRing, Failure> {
    if place.trim().is_empty() {
        return Err(Failure::usage("the value of --key-ring is empty"));
    }
    let ring = match place.split_once("://") {
        None => KeyRing::in_folder(Path::new(place)),
        Some(("file", path)) => KeyRing::in_folder(Path::new(path)),
        Some(_) => {
            let prefix = publisher::location(place)?;
            let store = ObjectKeyRingStore::beneath(&prefix, &CloudSettings::from_env())
                .map_err(|error| Failure::usage(format!("can't use {place}: {error}")))?;
            KeyRing::in_store(Arc::new(store))
        }
    };
    Ok(ring.with_custody(custody::every()))
}
