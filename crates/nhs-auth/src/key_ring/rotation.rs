//! Rotating a ring: whatever is safe by now, step by step, each whole before the next.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use nhs_auth_rules::Kid;

use super::content::{RingContent, RingSettings};
use super::error::KeyRingError;
use super::key::KeyPlace;
use super::moment::Moment;
use super::ring::KeyRing;
use super::schedule::{Due, Step};
use super::turn::Turn;
use crate::{KeySet, KeyUri, PrivateKey};

/// Puts a key set where the platform gets it from.
pub trait KeySetPublisher: fmt::Debug + Send + Sync {
    /// Publishes the key set, and is done only when it can be read there. Says whether something else
    /// was there before: where this very set was, nothing is written.
    ///
    /// # Errors
    ///
    /// The future gives [`KeyRingError::Publish`].
    fn publish<'a>(
        &'a self,
        key_set: &'a KeySet,
    ) -> Pin<Box<dyn Future<Output = Result<bool, KeyRingError>> + Send + 'a>>;
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
        if let Some(publisher) = publisher {
            turn.see_to_publication(publisher).await?;
        }
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
