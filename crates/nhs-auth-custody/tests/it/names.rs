//! Names of keys, which tests know to be good.

use nhs_auth::{KeyUri, Kid};

pub(crate) fn uri(text: &str) -> KeyUri {
    KeyUri::parse(text).unwrap()
}

pub(crate) fn kid(text: &str) -> Kid {
    Kid::parse(text).unwrap()
}
