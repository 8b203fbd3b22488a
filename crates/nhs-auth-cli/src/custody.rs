//! Keys that are kept elsewhere, by their URIs.

use std::sync::Arc;

use nhs_auth::{Custody, KeyUri, NoCustody, Signer};

use crate::commands;
use crate::failure::Failure;

/// Whoever opens keys, wherever they are.
pub(crate) fn every() -> Arc<dyn Custody> {
    Arc::new(NoCustody)
}

/// Opens a key, by the PIN that a flag gives where one is needed.
pub(crate) fn open(uri: &KeyUri, _: (&str, Option<&str>)) -> Result<Arc<dyn Signer>, Failure> {
    Ok(commands::small_runtime()?.block_on(every().open(uri))?)
}
