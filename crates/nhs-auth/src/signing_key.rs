//! The key that signs, and its name: always one with the other.

use std::sync::Arc;

use nhs_auth_rules::Kid;

use crate::{FollowedKeyRing, SignError, Signer};

/// A key that signs, and the name under which its public half is registered.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a key and its name")]
pub struct SigningKey {
    /// The name.
    pub kid: Kid,
    /// The key.
    pub signer: Arc<dyn Signer>,
}

/// Where the key that signs comes from.
#[derive(Clone, Debug)]
pub(crate) enum KeySource {
    /// It is always the same.
    One(SigningKey),
    /// It is the one that is active in a ring.
    Ring(FollowedKeyRing),
}

impl KeySource {
    pub(crate) fn one(kid: Kid, signer: impl Signer + 'static) -> Self {
        Self::One(SigningKey { kid, signer: Arc::new(signer) })
    }

    /// The key that signs now.
    pub(crate) async fn current(&self) -> Result<SigningKey, SignError> {
        match self {
            Self::One(key) => Ok(key.clone()),
            Self::Ring(ring) => {
                ring.current().await.map_err(|error| SignError::KeyRing(Box::new(error)))
            }
        }
    }
}
