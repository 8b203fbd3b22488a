//! Rotating a ring: whatever is safe by now, step by step, each whole before the next.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use nhs_auth_rules::Kid;

use super::content::{RingContent, RingSettings, UnsoundRing};
use super::error::KeyRingError;
use super::format::is_a_file_name;
use super::key::{KeyPlace, KeyState, RingKey};
use super::moment::Moment;
use super::ring::KeyRing;
use super::schedule::{Due, Step};
use super::store::{KeyRingLock, KeyRingVersion};
use crate::{CustodyErrorKind, KeySet, KeyUri, PrivateKey, PublicKey};

/// How many names are passed over at most, where keys of those names are there already.
const MOST_PASSED_OVER: u64 = 9;

/// Puts a key set where the platform gets it from.
pub trait KeySetPublisher: fmt::Debug + Send + Sync {
    /// Publishes the key set, and is done only when it can be read there.
    ///
    /// # Errors
    ///
    /// The future gives [`KeyRingError::Publish`].
    fn publish<'a>(
        &'a self,
        key_set: &'a KeySet,
    ) -> Pin<Box<dyn Future<Output = Result<(), KeyRingError>> + Send + 'a>>;
}

/// What a rotation is asked for, beside what is due by itself.
#[derive(Clone, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "what the caller decides")]
pub struct RotationOrders {
    /// Announce the next key now, whatever the age of the one that signs.
    pub start: bool,
    /// The name of the next key, in place of the one that the ring would give it.
    pub kid: Option<Kid>,
    /// Somebody else may have this key: another takes its place as soon as may be.
    pub leaked: Option<LeakedKey>,
    /// The key set is registered at a URL by now at which the platform has never looked.
    pub new_url: bool,
}

/// A key that somebody else may have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the one that signs, or one by its name")]
pub enum LeakedKey {
    /// The one that signs, unless another is known to have leaked and has not left yet: to say the
    /// same again says nothing of the key that has taken its place.
    Active,
    /// The one of this name.
    Named(Kid),
}

/// What a rotation did, and what comes next.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rotation {
    /// What was done, in order, and to which key.
    pub done: Vec<(Step, Option<Kid>)>,
    /// The ring as it is by now.
    pub content: RingContent,
    /// What comes next, the soonest first.
    pub due: Vec<Due>,
}

/// A ring that is being changed, and that nobody else changes.
struct Turn<'r> {
    ring: &'r KeyRing,
    content: RingContent,
    version: Option<KeyRingVersion>,
    _lock: KeyRingLock,
}

impl KeyRing {
    /// Makes a ring without a key.
    ///
    /// # Errors
    ///
    /// [`KeyRingError::Exists`] when there is one.
    pub async fn create(&self, settings: RingSettings) -> Result<(), KeyRingError> {
        let mut turn = self.new_turn(settings).await?;
        turn.save().await
    }

    /// Makes a ring of a key that signs already, and that the platform knows. A private key is
    /// written into the ring's folder.
    ///
    /// # Errors
    ///
    /// [`KeyRingError::Exists`] when there is a ring, and others when the key can't be kept.
    pub async fn adopt(
        &self,
        settings: RingSettings,
        kid: Kid,
        key: AdoptedKey,
    ) -> Result<(), KeyRingError> {
        let mut turn = self.new_turn(settings).await?;
        let now = Moment::now(&*self.clock);
        let (public_key, place) = match key {
            AdoptedKey::Private(key) => {
                let place = self.keep_private_key(&kid, &key)?;
                (key.public().clone(), place)
            }
            AdoptedKey::At(uri) => {
                let signer = self.custody.open(&uri).await?;
                (signer.public_key().clone(), KeyPlace::Uri(uri))
            }
        };
        turn.change(|content| content.adopt(kid, public_key, place, &now))?;
        turn.save().await
    }

    /// Changes how the ring is kept.
    ///
    /// # Errors
    ///
    /// [`KeyRingError::Missing`] when there is none, and others when it can't be written.
    pub async fn set(
        &self,
        change: impl FnOnce(&mut RingSettings) + Send,
    ) -> Result<(), KeyRingError> {
        let mut turn = self.turn().await?;
        let before = turn.content.clone();
        let mut settings = before.settings.clone();
        change(&mut settings);
        let publish_to = settings.publish_to.clone();
        settings.publish_to = before.settings.publish_to.clone();
        turn.content.settings = settings;
        turn.content.publish_to(publish_to, &Moment::now(&*self.clock));
        if turn.content == before { Ok(()) } else { turn.save().await }
    }

    /// Does what is ordered and what is safe by now. Whatever happens, each step is done whole or
    /// not at all, and the next run goes on from there.
    ///
    /// # Errors
    ///
    /// [`KeyRingError`] when a step can't be done. The ones before it are done.
    pub async fn rotate(
        &self,
        orders: &RotationOrders,
        publisher: Option<&dyn KeySetPublisher>,
    ) -> Result<Rotation, KeyRingError> {
        let mut turn = self.turn().await?;
        turn.clear_away()?;
        turn.obey(orders).await?;
        let mut done = Vec::new();
        if orders.start && turn.content.announced().is_none() {
            let kid = turn.announce(orders.kid.clone()).await?;
            done.push((Step::Announce, Some(kid)));
        }
        while let Some(step) = turn.content.due_now(&turn.now()) {
            let kid = match &step {
                Step::Announce => Some(turn.announce(orders.kid.clone()).await?),
                Step::Publish => {
                    let Some(publisher) = publisher else { break };
                    turn.publish(publisher).await?;
                    None
                }
                Step::Activate(kid) => {
                    turn.activate(kid).await?;
                    Some(kid.clone())
                }
                Step::Retire(kid) => {
                    turn.retire(kid).await?;
                    Some(kid.clone())
                }
            };
            done.push((step, kid));
        }
        let due = turn.content.due(&turn.now());
        Ok(Rotation { done, content: turn.content, due })
    }

    /// Publishes the key set, whether or not it is published already.
    ///
    /// # Errors
    ///
    /// [`KeyRingError::Missing`] when there is no ring, [`KeyRingError::Publish`] when it can't be
    /// published.
    pub async fn publish(&self, publisher: &dyn KeySetPublisher) -> Result<(), KeyRingError> {
        self.turn().await?.publish(publisher).await
    }

    /// Takes note that somebody has published the key set that has this mark by hand.
    ///
    /// # Errors
    ///
    /// [`KeyRingError::OtherKeySet`] when that is not the ring's key set any more.
    pub async fn published_by_hand(&self, mark: &str) -> Result<(), KeyRingError> {
        let mut turn = self.turn().await?;
        let now = turn.content.mark();
        if mark != now {
            return Err(KeyRingError::OtherKeySet { shown: mark.to_owned(), now });
        }
        turn.content.publish(&Moment::now(&*self.clock));
        turn.save().await
    }

    async fn turn(&self) -> Result<Turn<'_>, KeyRingError> {
        // Without a ring there is no folder to put a lock in.
        self.content().await?;
        let lock = self.store.lock().await?;
        let read = self.read().await?;
        let (content, version) =
            read.ok_or_else(|| KeyRingError::Missing { place: self.place() })?;
        Ok(Turn { ring: self, content, version: Some(version), _lock: lock })
    }

    async fn new_turn(&self, settings: RingSettings) -> Result<Turn<'_>, KeyRingError> {
        if self.folder.is_none() && settings.keys_at.is_none() {
            return Err(KeyRingError::NoFolder { place: self.place() });
        }
        let lock = self.store.lock().await?;
        if self.read().await?.is_some() {
            return Err(KeyRingError::Exists { place: self.place() });
        }
        let content = RingContent::empty(settings);
        Ok(Turn { ring: self, content, version: None, _lock: lock })
    }

    /// Writes a private key under its name. What is there is left as it is, and is this very key,
    /// or an error.
    fn keep_private_key(&self, kid: &Kid, key: &PrivateKey) -> Result<KeyPlace, KeyRingError> {
        let (folder, name) = (self.folder()?, file_name(kid)?);
        if !folder.write_key(&name, key)? && folder.load_key(&name)?.public() != key.public() {
            let path = folder.path(&name).display().to_string();
            return Err(KeyRingError::FileInTheWay { path });
        }
        Ok(KeyPlace::File(name))
    }
}

/// A key that an application has from before it had a ring.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "a key is here or elsewhere")]
pub enum AdoptedKey {
    /// The key itself.
    Private(PrivateKey),
    /// A key that is kept elsewhere.
    At(KeyUri),
}

impl Turn<'_> {
    fn now(&self) -> Moment {
        Moment::now(&*self.ring.clock)
    }

    async fn save(&mut self) -> Result<(), KeyRingError> {
        let text = self.content.to_json();
        let version = self.ring.store.write(text.as_bytes(), self.version.as_ref()).await?;
        self.version = Some(version);
        Ok(())
    }

    fn change(
        &mut self,
        change: impl FnOnce(&mut RingContent) -> Result<(), UnsoundRing>,
    ) -> Result<(), KeyRingError> {
        let place = self.ring.place();
        change(&mut self.content).map_err(|source| KeyRingError::Change { place, source })
    }

    /// What a run that was cut short may have left: the file of a key that is retired.
    fn clear_away(&self) -> Result<(), KeyRingError> {
        let retired = |key: &&RingKey| matches!(key.state, KeyState::Retired { .. });
        for key in self.content.keys().iter().filter(retired) {
            self.remove_private_key(key)?;
        }
        Ok(())
    }

    async fn obey(&mut self, orders: &RotationOrders) -> Result<(), KeyRingError> {
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
    async fn announce(&mut self, ordered: Option<Kid>) -> Result<Kid, KeyRingError> {
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

    async fn publish(&mut self, publisher: &dyn KeySetPublisher) -> Result<(), KeyRingError> {
        publisher.publish(&self.content.key_set()).await?;
        let now = self.now();
        self.content.publish(&now);
        self.save().await
    }

    /// A key that can't be opened doesn't sign: the one before it goes on.
    async fn activate(&mut self, kid: &Kid) -> Result<(), KeyRingError> {
        if let Some(key) = self.content.announced() {
            self.ring.open(key).await?;
        }
        let now = self.now();
        self.change(|content| content.activate(kid, &now))?;
        self.save().await
    }

    async fn retire(&mut self, kid: &Kid) -> Result<(), KeyRingError> {
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

fn file_name(kid: &Kid) -> Result<String, KeyRingError> {
    if is_a_file_name(kid.as_str()) {
        Ok(format!("{kid}.pem"))
    } else {
        Err(KeyRingError::FileName { kid: kid.to_string() })
    }
}
