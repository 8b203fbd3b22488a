//! Key rings, by the place that a flag gives.

use std::path::Path;

use nhs_auth::KeyRing;

use crate::arguments::RingPlace;
use crate::custody;
use crate::failure::Failure;

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
    let ring = match place.split_once("://") {
        None => KeyRing::in_folder(Path::new(place)),
        Some(("file", path)) => KeyRing::in_folder(Path::new(path)),
        Some((scheme, _)) => {
            return Err(Failure::usage(format!("key rings at `{scheme}:` are not supported")));
        }
    };
    Ok(ring.with_custody(custody::every()))
}
