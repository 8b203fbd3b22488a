//! Keys that are kept elsewhere: in a hardware security module, or by a key management service,
//! which gives signatures and never the key.
//!
//! A [`KeyUri`] names such a key, and a [`Custody`] opens it as a [`Signer`]. The crate
//! `nhs-auth-custody` has one for each kind; this crate has the words that they share.

mod error;
mod key_uri;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use nhs_auth_rules::Kid;

pub use self::error::{CustodyError, CustodyErrorKind};
pub use self::key_uri::{KeyUri, KeyUriError};
use crate::Signer;

/// What a [`Custody`] answers with, sooner or later.
pub type CustodyFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, CustodyError>> + Send + 'a>>;

/// Opens keys by their URIs, and makes new ones where they are kept.
///
/// An implementation bounds its own waiting, and tries again where that helps: whoever asks it is
/// told within half a minute.
pub trait Custody: fmt::Debug + Send + Sync {
    /// Opens the key that a URI names.
    ///
    /// # Errors
    ///
    /// The future gives a [`CustodyError`] when there is no such key, or it can't be used.
    fn open<'a>(&'a self, uri: &'a KeyUri) -> CustodyFuture<'a, Arc<dyn Signer>>;

    /// Makes an RSA-4096 key at the place that a URI names, which can't leave it.
    ///
    /// Where the place gives its keys names and the URI has none, the key is named `kid`.
    ///
    /// # Errors
    ///
    /// [`CustodyErrorKind::AlreadyThere`] when there is a key of that name, which is left as it is.
    fn create<'a>(&'a self, place: &'a KeyUri, kid: &'a Kid) -> CustodyFuture<'a, CreatedKey>;
}

/// A key that was made where it is kept.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "what a custody gives for a new key")]
pub struct CreatedKey {
    /// The URI of this very key, version included.
    pub uri: KeyUri,
    /// The key.
    pub signer: Arc<dyn Signer>,
}

/// Opens nothing, for programs whose keys are all in files.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it stays without a field")]
pub struct NoCustody;

impl Custody for NoCustody {
    fn open<'a>(&'a self, uri: &'a KeyUri) -> CustodyFuture<'a, Arc<dyn Signer>> {
        Box::pin(async move { Err(CustodyError::unsupported(uri)) })
    }

    fn create<'a>(&'a self, place: &'a KeyUri, _: &'a Kid) -> CustodyFuture<'a, CreatedKey> {
        Box::pin(async move { Err(CustodyError::unsupported(place)) })
    }
}
