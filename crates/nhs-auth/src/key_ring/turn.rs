//! One change after the other of a ring that nobody else changes meanwhile.

use nhs_auth_rules::Kid;

use super::content::{RingContent, UnsoundRing};
use super::error::KeyRingError;
use super::format::is_a_file_name;
use super::key::{KeyPlace, KeyState, RingKey};
use super::moment::Moment;
use super::ring::KeyRing;
use super::rotation::{KeySetPublisher, LeakedKey, RotationOrders};
use super::store::{KeyRingLock, KeyRingVersion};
use crate::{CustodyErrorKind, KeyUri, PrivateKey, PublicKey};

/// How many names are passed over at most, where keys of those names are there already.
const MOST_PASSED_OVER: u64 = 9;

/// A ring that is being changed, and that nobody else changes.
pub(super) struct Turn<'r> {
    pub(super) ring: &'r KeyRing,
    pub(super) content: RingContent,
    pub(super) version: Option<KeyRingVersion>,
    pub(super) _lock: KeyRingLock,
}

impl Turn<'_> {
    pub(super) fn now(&self) -> Moment {
        Moment::now(&*self.ring.clock)
    }

    pub(super) async fn save(&mut self) -> Result<(), KeyRingError> {
        let text = self.content.to_json();
        let version = self.ring.store.write(text.as_bytes(), self.version.as_ref()).await?;
        self.version = Some(version);
        Ok(())
    }

    pub(super) fn change(
        &mut self,
        change: impl FnOnce(&mut RingContent) -> Result<(), UnsoundRing>,
    ) -> Result<(), KeyRingError> {
        let place = self.ring.place();
        change(&mut self.content).map_err(|source| KeyRingError::Change { place, source })
    }

    /// What a run that was cut short may have left: the file of a key that is retired.
    pub(super) fn clear_away(&self) -> Result<(), KeyRingError> {
        let retired = |key: &&RingKey| matches!(key.state, KeyState::Retired { .. });
        for key in self.content.keys().iter().filter(retired) {
            self.remove_private_key(key)?;
        }
        Ok(())
    }

    pub(super) async fn obey(&mut self, orders: &RotationOrders) -> Result<(), KeyRingError> {
        let before = self.content.clone();
        if let Some(leaked) = &orders.leaked {
            self.leak(leaked)?;
        }
        if orders.new_url {
            let now = self.now();
            self.content.move_to_new_url(&now);
        }
        if self.content == before { Ok(()) } else { self.save().await }
    }

    fn leak(&mut self, leaked: &LeakedKey) -> Result<(), KeyRingError> {
        let is_known = |key: &RingKey| key.leaked && key.is_in_the_set();
        let kid = match leaked {
            LeakedKey::Named(kid) => kid.clone(),
            LeakedKey::Active if self.content.keys().iter().any(is_known) => return Ok(()),
            LeakedKey::Active => {
                let none = || KeyRingError::NoActiveKey { place: self.ring.place() };
                self.content.active().ok_or_else(none)?.kid.clone()
            }
        };
        self.change(|content| content.leak(&kid))
    }

    /// The private half is safe before the ring knows of it, and the ring before anybody else.
    pub(super) async fn announce(&mut self, ordered: Option<Kid>) -> Result<Kid, KeyRingError> {
        let mut passed_over = 0;
        let (kid, public_key, place) = loop {
            let kid = match &ordered {
                Some(kid) => kid.clone(),
                None => self.next_kid(passed_over)?,
            };
            match self.make(&kid).await {
                Ok((public_key, place)) => break (kid, public_key, place),
                // A run that was cut short may have made it: nobody can tell, so it stays unused.
                Err(KeyRingError::Custody(error))
                    if error.kind() == CustodyErrorKind::AlreadyThere
                        && ordered.is_none()
                        && passed_over < MOST_PASSED_OVER =>
                {
                    passed_over += 1;
                }
                Err(error) => return Err(error),
            }
        };
        let now = self.now();
        self.change(|content| content.announce(kid.clone(), public_key, place, &now))?;
        self.save().await?;
        Ok(kid)
    }

    fn next_kid(&self, passed_over: u64) -> Result<Kid, KeyRingError> {
        let kid = self.content.next_kid(passed_over);
        Kid::parse(&kid).map_err(|source| KeyRingError::Kid { kid, source })
    }

    async fn make(&self, kid: &Kid) -> Result<(PublicKey, KeyPlace), KeyRingError> {
        if self.content.keys().iter().any(|key| key.kid == *kid) {
            let (place, source) = (self.ring.place(), UnsoundRing::DuplicateKid(kid.clone()));
            return Err(KeyRingError::Change { place, source });
        }
        match &self.content.settings.keys_at {
            Some(place) => self.make_elsewhere(place, kid).await,
            None => self.make_here(kid),
        }
    }

    /// A key in a file. A file of that name is from a run that was cut short before the ring knew
    /// of it: nobody has seen that key, so it is as good as a new one.
    fn make_here(&self, kid: &Kid) -> Result<(PublicKey, KeyPlace), KeyRingError> {
        let (folder, name) = (self.ring.folder()?, file_name(kid)?);
        if !folder.path(&name).exists() {
            let key = PrivateKey::generate()?;
            if folder.write_key(&name, &key)? {
                return Ok((key.public().clone(), KeyPlace::File(name)));
            }
        }
        let public_key = folder.load_key(&name)?.public().clone();
        if public_key.bits() != 4096 {
            let path = folder.path(&name).display().to_string();
            return Err(KeyRingError::FileInTheWay { path });
        }
        Ok((public_key, KeyPlace::File(name)))
    }

    async fn make_elsewhere(
        &self,
        place: &KeyUri,
        kid: &Kid,
    ) -> Result<(PublicKey, KeyPlace), KeyRingError> {
        let created = self.ring.custody.create(place, kid).await?;
        Ok((created.signer.public_key().clone(), KeyPlace::Uri(created.uri)))
    }

    pub(super) async fn publish(
        &mut self,
        publisher: &dyn KeySetPublisher,
    ) -> Result<(), KeyRingError> {
        publisher.publish(&self.content.key_set()).await?;
        let now = self.now();
        self.content.publish(&now);
        self.save().await
    }

    /// What the ring has published may be gone since: a deployment, or a hand. Nothing signs by it
    /// before it is back, and every wait begins anew.
    pub(super) async fn see_to_publication(
        &mut self,
        publisher: &dyn KeySetPublisher,
    ) -> Result<(), KeyRingError> {
        let has_published = self.content.published.is_some() && !self.content.is_to_be_published();
        if has_published && publisher.publish(&self.content.key_set()).await? {
            let now = self.now();
            self.content.publish_anew(&now);
            self.save().await?;
        }
        Ok(())
    }

    /// A key that can't be opened doesn't sign: the one before it goes on.
    pub(super) async fn activate(&mut self, kid: &Kid) -> Result<(), KeyRingError> {
        if let Some(key) = self.content.announced() {
            self.ring.open(key).await?;
        }
        let now = self.now();
        self.change(|content| content.activate(kid, &now))?;
        self.save().await
    }

    pub(super) async fn retire(&mut self, kid: &Kid) -> Result<(), KeyRingError> {
        let now = self.now();
        self.change(|content| content.retire(kid, &now))?;
        self.save().await?;
        self.clear_away()
    }

    fn remove_private_key(&self, key: &RingKey) -> Result<(), KeyRingError> {
        let (KeyPlace::File(name), Ok(folder)) = (&key.place, self.ring.folder()) else {
            return Ok(());
        };
        // Never another key that somebody has put there since.
        match folder.load_key(name) {
            Ok(there) if *there.public() == key.public_key => Ok(folder.remove_key(name)?),
            _ => Ok(()),
        }
    }
}

impl KeyRing {
    /// Writes a private key under its name. What is there is left as it is, and is this very key,
    /// or an error.
    pub(super) fn keep_private_key(
        &self,
        kid: &Kid,
        key: &PrivateKey,
    ) -> Result<KeyPlace, KeyRingError> {
        let (folder, name) = (self.folder()?, file_name(kid)?);
        if !folder.write_key(&name, key)? && folder.load_key(&name)?.public() != key.public() {
            let path = folder.path(&name).display().to_string();
            return Err(KeyRingError::FileInTheWay { path });
        }
        Ok(KeyPlace::File(name))
    }
}

fn file_name(kid: &Kid) -> Result<String, KeyRingError> {
    if is_a_file_name(kid.as_str()) {
        Ok(format!("{kid}.pem"))
    } else {
        Err(KeyRingError::FileName { kid: kid.to_string() })
    }
}
