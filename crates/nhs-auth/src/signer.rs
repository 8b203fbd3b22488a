//! Who signs: a private key in this process, or a service that keeps the key to itself.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use nhs_auth_rules::SigningAlgorithm;

use crate::custody::CustodyError;
use crate::key::{PrivateKey, PublicKey};
use crate::key_ring::KeyRingError;

/// What a [`Signer`] answers with, sooner or later.
pub type SignFuture<'a> = Pin<Box<dyn Future<Output = Result<Signature, SignError>> + Send + 'a>>;

/// Signs assertions.
///
/// Object safe and asynchronous, so that a key management service or a hardware security module can
/// stand behind it. An implementation gets the whole message and hashes it itself, or lets its
/// service do so.
pub trait Signer: fmt::Debug + Send + Sync {
    /// The public half of the key that signs.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message` by that algorithm: the bytes to be signed, not their hash.
    ///
    /// The future does nothing until polled, and may be dropped at any time.
    ///
    /// # Errors
    ///
    /// The future gives a [`SignError`] if there is no signature.
    fn sign<'a>(&'a self, algorithm: SigningAlgorithm, message: &'a [u8]) -> SignFuture<'a>;
}

impl<S: Signer + ?Sized> Signer for Arc<S> {
    fn public_key(&self) -> &PublicKey {
        (**self).public_key()
    }

    fn sign<'a>(&'a self, algorithm: SigningAlgorithm, message: &'a [u8]) -> SignFuture<'a> {
        (**self).sign(algorithm, message)
    }
}

/// Signs with a private key that this process holds, parsed once.
///
/// Signing takes a few milliseconds of the thread that polls it, and never waits.
#[derive(Debug)]
pub struct LocalSigner {
    key: PrivateKey,
}

impl LocalSigner {
    /// Signs with `key`.
    pub fn new(key: PrivateKey) -> Self {
        Self { key }
    }
}

impl From<PrivateKey> for LocalSigner {
    fn from(key: PrivateKey) -> Self {
        Self::new(key)
    }
}

impl Signer for LocalSigner {
    fn public_key(&self) -> &PublicKey {
        self.key.public()
    }

    fn sign<'a>(&'a self, algorithm: SigningAlgorithm, message: &'a [u8]) -> SignFuture<'a> {
        Box::pin(async move { self.key.sign(algorithm, message).map(Signature) })
    }
}

/// A signature: big-endian bytes, as many as the key's modulus has (512 for 4096 bits).
///
/// With the message before it, it is a credential; its `Debug` shows its length alone.
#[derive(Clone, Eq, PartialEq)]
pub struct Signature(Vec<u8>);

impl Signature {
    /// Takes the bytes that a signing service answered, without base64.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes, without base64.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({} bytes)", self.0.len())
    }
}

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// Who keeps the key did not sign.
    #[error("can't sign: {0}")]
    Custody(#[from] CustodyError),

    /// The key ring has no key to sign with.
    #[error("can't sign: {0}")]
    KeyRing(#[source] Box<KeyRingError>),

    /// The cryptography library would not sign with the private key of this process.
    #[error("can't sign with the private key: the cryptography library failed")]
    LocalKey,
}

impl SignError {
    /// Whether it may be gone when asked again, with nothing changed.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Custody(error) => error.is_passing(),
            Self::KeyRing(error) => error.is_passing(),
            Self::LocalKey => false,
        }
    }

    /// What to do next, one sentence each, the best first.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Custody(error) => error.hints(),
            Self::KeyRing(error) => error.hints(),
            Self::LocalKey => {
                vec!["check the key file with `openssl pkey -in key.pem -noout -check`".into()]
            }
        }
    }
}
