//! The ring as its users hold it: where it is, and who opens its keys.

use std::path::Path;
use std::sync::Arc;

use nhs_auth_rules::Kid;

use super::content::RingContent;
use super::directory::Directory;
use super::error::KeyRingError;
use super::key::{KeyPlace, RingKey};
use super::store::{KeyRingStore, KeyRingVersion};
use crate::{Clock, Custody, LocalSigner, NoCustody, Signer, SystemClock};

/// An application's keys, each with its state, in a folder or an object store.
///
/// ```no_run
/// use nhs_auth::{Application, ApiKey, Environment, FollowedKeyRing, KeyRing, TokenEndpoint};
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let ring = KeyRing::in_folder("keys".as_ref());
/// let application = Application::following(
///     TokenEndpoint::of(Environment::INT),
///     ApiKey::parse("abcdefghijklmnopqrstuvwxyz012345")?,
///     FollowedKeyRing::new(ring),
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct KeyRing {
    pub(super) store: Arc<dyn KeyRingStore>,
    pub(super) folder: Option<Directory>,
    pub(super) custody: Arc<dyn Custody>,
    pub(super) clock: Arc<dyn Clock>,
}

impl KeyRing {
    /// The ring in a folder, which need not be there yet.
    pub fn in_folder(folder: &Path) -> Self {
        let folder = Directory::at(folder);
        Self { folder: Some(folder.clone()), ..Self::in_store(Arc::new(folder)) }
    }

    /// The ring in a store, which holds no private keys.
    pub fn in_store(store: Arc<dyn KeyRingStore>) -> Self {
        Self { store, folder: None, custody: Arc::new(NoCustody), clock: Arc::new(SystemClock) }
    }

    /// The same with somebody who opens keys that are kept elsewhere.
    pub fn with_custody(mut self, custody: Arc<dyn Custody>) -> Self {
        self.custody = custody;
        self
    }

    /// The same by another clock.
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where it is, for messages.
    pub fn place(&self) -> String {
        self.store.place()
    }

    /// Whether it is in a folder of this machine.
    pub fn is_in_folder(&self) -> bool {
        self.folder.is_some()
    }

    /// What it holds.
    ///
    /// # Errors
    ///
    /// [`KeyRingError::Missing`] when there is none, and others when it can't be read.
    pub async fn content(&self) -> Result<RingContent, KeyRingError> {
        let read = self.read().await?;
        read.map(|(content, _)| content)
            .ok_or_else(|| KeyRingError::Missing { place: self.place() })
    }

    pub(super) async fn read(&self) -> Result<Option<(RingContent, KeyRingVersion)>, KeyRingError> {
        let Some(stored) = self.store.read().await? else {
            return Ok(None);
        };
        let content = RingContent::from_json(&stored.bytes)
            .map_err(|source| KeyRingError::Format { place: self.place(), source })?;
        Ok(Some((content, stored.version)))
    }

    /// Opens a key of the ring, and makes sure that it is the one that the ring says.
    pub(super) async fn open(&self, key: &RingKey) -> Result<Arc<dyn Signer>, KeyRingError> {
        let signer: Arc<dyn Signer> = match &key.place {
            KeyPlace::File(name) => {
                let kid = || key.kid.to_string();
                let loaded = self.folder()?.load_key(name);
                let private_key =
                    loaded.map_err(|source| KeyRingError::Open { kid: kid(), source })?;
                Arc::new(LocalSigner::new(private_key))
            }
            KeyPlace::Uri(uri) => self.custody.open(uri).await?,
        };
        if *signer.public_key() == key.public_key {
            return Ok(signer);
        }
        Err(KeyRingError::OtherKey {
            place: self.place(),
            kid: key.kid.to_string(),
            private_key: key.place.to_string(),
        })
    }

    /// The keys of the ring whose private half should be in its folder and isn't, as far as they sign
    /// or will.
    pub fn missing_private_keys(&self, content: &RingContent) -> Vec<Kid> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let keys = content.keys().iter().filter(|key| key.is_active() || key.is_announced());
        let is_missing = |key: &&RingKey| match &key.place {
            KeyPlace::File(name) => !folder.path(name).exists(),
            KeyPlace::Uri(_) => false,
        };
        keys.filter(is_missing).map(|key| key.kid.clone()).collect()
    }

    pub(super) fn folder(&self) -> Result<&Directory, KeyRingError> {
        self.folder.as_ref().ok_or_else(|| KeyRingError::NoFolder { place: self.place() })
    }
}
