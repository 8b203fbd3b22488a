//! What stores that several processes share have in common.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// A store that could not do what it was asked for.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the store {store} failed: {source}")]
#[non_exhaustive]
pub struct StoreError {
    /// Which store, in words that may be logged.
    pub store: String,
    /// What it said. Must hold no secret.
    pub source: Arc<dyn Error + Send + Sync>,
}

impl StoreError {
    /// What that store said.
    pub fn new(store: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { store: store.into(), source: source.into().into() }
    }
}

/// A store's answer, on its way.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Types of names that are 32 bytes, shown in base64url.
macro_rules! name_of_32_bytes {
    ($($name:ident),*) => {$(
        impl $name {
            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The one of these bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }
        }

        impl std::fmt::Display for $name {
            /// In base64url.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&crate::key::base64url(&self.0))
            }
        }
    )*};
}
pub(crate) use name_of_32_bytes;
