//! Signing with whichever key of a ring is active.

use std::sync::Arc;

use nhs_auth_rules::Kid;
use tokio::sync::Mutex;

use super::content::RingContent;
use super::error::KeyRingError;
use super::key::RingKey;
use super::ring::KeyRing;
use super::store::KeyRingVersion;
use crate::signing_key::SigningKey;

/// A ring whose active key signs, whichever that is by then.
///
/// The ring is looked at before each signature: a program that runs for months signs with the next
/// key from the moment that it is active, with no restart. When the ring can't be read, or its new
/// key not be opened, the key of before goes on: it stays published for an hour and more.
///
/// Cloning shares it.
#[derive(Clone, Debug)]
pub struct FollowedKeyRing {
    ring: KeyRing,
    held: Arc<Mutex<Option<Held>>>,
}

/// The key that signed last, and the ring as it was then.
#[derive(Clone, Debug)]
struct Held {
    version: KeyRingVersion,
    key: SigningKey,
}

impl FollowedKeyRing {
    /// Follows a ring.
    pub fn new(ring: KeyRing) -> Self {
        Self { ring, held: Arc::default() }
    }

    /// The ring.
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// The name of the key that signs now.
    ///
    /// # Errors
    ///
    /// [`KeyRingError`] when there is no such key, and never was one since the program began.
    pub async fn active_kid(&self) -> Result<Kid, KeyRingError> {
        self.current().await.map(|key| key.kid)
    }

    pub(crate) async fn current(&self) -> Result<SigningKey, KeyRingError> {
        let mut held = self.held.lock().await;
        match self.read().await {
            Ok(stored) => {
                // A key that has left the key set is of no use any more, whatever happens next.
                if held.as_ref().is_some_and(|held| !held.is_published_in(&stored.content)) {
                    *held = None;
                }
                let now = self.look(stored, held.as_ref()).await?;
                let key = now.key.clone();
                *held = Some(now);
                Ok(key)
            }
            Err(error) => match &*held {
                Some(held) => {
                    warn_of(&error, &held.key);
                    Ok(held.key.clone())
                }
                None => Err(error),
            },
        }
    }

    async fn read(&self) -> Result<Read, KeyRingError> {
        let missing = || KeyRingError::Missing { place: self.ring.place() };
        let (content, version) = self.ring.read().await?.ok_or_else(missing)?;
        Ok(Read { content, version })
    }

    async fn look(&self, now: Read, held: Option<&Held>) -> Result<Held, KeyRingError> {
        let Read { content, version } = now;
        if let Some(held) = held.filter(|held| held.version == version) {
            return Ok(held.clone());
        }
        let none = || KeyRingError::NoActiveKey { place: self.ring.place() };
        let active = content.active().ok_or_else(none)?;
        if let Some(held) = held.filter(|held| held.is(active)) {
            return Ok(Held { version, key: held.key.clone() });
        }
        match self.ring.open(active).await {
            Ok(signer) => {
                tracing::info!(kid = active.kid.as_str(), "signing with this key of the key ring");
                Ok(Held { version, key: SigningKey { kid: active.kid.clone(), signer } })
            }
            Err(error) => match held {
                Some(held) => {
                    warn_of(&error, &held.key);
                    Ok(held.clone())
                }
                None => Err(error),
            },
        }
    }
}

/// A ring as it was read.
struct Read {
    content: RingContent,
    version: KeyRingVersion,
}

impl Held {
    fn is(&self, key: &RingKey) -> bool {
        self.key.kid == key.kid && *self.key.signer.public_key() == key.public_key
    }

    fn is_published_in(&self, content: &RingContent) -> bool {
        content.keys().iter().any(|key| key.is_in_the_set() && self.is(key))
    }
}

fn warn_of(error: &KeyRingError, key: &SigningKey) {
    let kid = key.kid.as_str();
    tracing::warn!(kid, %error, "the key ring can't be followed; the key of before goes on");
}
