//! What a ring holds, and the changes that keep it sound.

use std::collections::HashSet;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use nhs_auth_rules::Kid;
use nhs_auth_rules::rotation::Freshness;

use super::key::{KeyPlace, KeyState, Published, RingKey};
use super::moment::Moment;
use super::publication::PublishTo;
use crate::key::base64url;
use crate::{KeySet, KeyUri, PublicKey, PublishedKey};

/// The keys of a ring, in the order in which they came, and how it is kept.
///
/// However it came to be, no two keys ever had one name, one key signs at most, and every key that
/// signs is in the key set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RingContent {
    pub(super) settings: RingSettings,
    pub(super) keys: Vec<RingKey>,
    /// The key set that was last published, where the ring is not served itself.
    pub(super) published: Option<PublishedSet>,
}

/// How a ring is kept: what its owner decides.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what a ring's owner decides")]
pub struct RingSettings {
    /// What a key's name begins with: `int` for `int-1`, `int-2` and so on.
    pub kid_prefix: String,
    /// How long a key signs before the next is announced.
    pub rotate_every: Duration,
    /// Where the key set is published.
    pub publish_to: PublishTo,
    /// Where new keys are made, when not in files of the ring's folder.
    pub keys_at: Option<KeyUri>,
}

/// A key set that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PublishedSet {
    /// A hash of its bytes.
    pub(super) digest: String,
    /// When, at the latest.
    pub(super) since: Moment,
}

/// Why keys are no ring, or a change can't be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsoundRing {
    /// Two keys have, or would have, one name.
    #[error("there is or was a key `{0}` in it already")]
    DuplicateKid(Kid),
    /// One key has, or would have, two names.
    #[error("the keys `{0}` and `{1}` are one and the same")]
    SameKey(Kid, Kid),
    /// Two keys sign.
    #[error("the keys `{0}` and `{1}` are both active")]
    TwoActive(Kid, Kid),
    /// There is no such key.
    #[error("there is no key `{0}` in it")]
    NoSuchKey(Kid),
    /// The key has left.
    #[error("the key `{0}` is retired already")]
    Retired(Kid),
    /// A change is for a key that is elsewhere in its life.
    #[error("the key `{0}` is not where in its life that would be possible")]
    WrongState(Kid),
}

impl RingContent {
    /// A ring without a key.
    pub fn empty(settings: RingSettings) -> Self {
        Self { settings, keys: Vec::new(), published: None }
    }

    pub(super) fn new(
        settings: RingSettings,
        keys: Vec<RingKey>,
        published: Option<PublishedSet>,
    ) -> Result<Self, UnsoundRing> {
        let mut names = HashSet::new();
        let mut active: Option<&Kid> = None;
        for (at, key) in keys.iter().enumerate() {
            if !names.insert(&key.kid) {
                return Err(UnsoundRing::DuplicateKid(key.kid.clone()));
            }
            if let Some(same) = keys[..at].iter().find(|it| it.public_key == key.public_key) {
                return Err(UnsoundRing::SameKey(same.kid.clone(), key.kid.clone()));
            }
            if key.is_active()
                && let Some(first) = active.replace(&key.kid)
            {
                return Err(UnsoundRing::TwoActive(first.clone(), key.kid.clone()));
            }
        }
        Ok(Self { settings, keys, published })
    }

    /// How it is kept.
    pub fn settings(&self) -> &RingSettings {
        &self.settings
    }

    /// Every key that is or was in it, in the order in which they came.
    pub fn keys(&self) -> &[RingKey] {
        &self.keys
    }

    /// The key that signs.
    pub fn active(&self) -> Option<&RingKey> {
        self.keys.iter().find(|key| key.is_active())
    }

    /// The key that will sign next.
    pub fn announced(&self) -> Option<&RingKey> {
        self.keys.iter().find(|key| key.is_announced())
    }

    /// The key set to publish.
    pub fn key_set(&self) -> KeySet {
        let in_the_set = self.keys.iter().filter(|key| key.is_in_the_set());
        let keys = in_the_set.map(|key| PublishedKey::new(key.kid.clone(), key.public_key.clone()));
        KeySet::new(keys.collect()).expect("no two keys of a ring have one name")
    }

    /// The mark of the key set ([`KeySet::mark`]).
    pub fn mark(&self) -> String {
        self.key_set().mark()
    }

    /// Whether the key set that is published is not this one's.
    pub fn is_to_be_published(&self) -> bool {
        let is_published =
            self.published.as_ref().is_some_and(|set| set.digest == digest_of(&self.key_set()));
        self.settings.publish_to != PublishTo::Served
            && self.keys.iter().any(RingKey::is_in_the_set)
            && !is_published
    }

    /// The name of the next key: the prefix and the number behind the highest that there was, or
    /// one still higher when some are passed over.
    pub fn next_kid(&self, passed_over: u64) -> String {
        let prefix = &self.settings.kid_prefix;
        let number = |key: &RingKey| {
            key.kid.as_str().strip_prefix(prefix)?.strip_prefix('-')?.parse::<u64>().ok()
        };
        let highest = self.keys.iter().filter_map(number).max().unwrap_or(0);
        format!("{prefix}-{}", highest.saturating_add(1 + passed_over))
    }

    /// A key that signs already: the first of a ring, which the platform knows from before.
    pub(super) fn adopt(
        &mut self,
        kid: Kid,
        public_key: PublicKey,
        place: KeyPlace,
        now: &Moment,
    ) -> Result<(), UnsoundRing> {
        let state = KeyState::Active { since: now.clone() };
        self.add(RingKey { kid, public_key, place, made: now.clone(), state, leaked: false })
    }

    /// A new key. Where the ring is served itself, it is published with that.
    pub(super) fn announce(
        &mut self,
        kid: Kid,
        public_key: PublicKey,
        place: KeyPlace,
        now: &Moment,
    ) -> Result<(), UnsoundRing> {
        let publish_to = &self.settings.publish_to;
        let published = (*publish_to == PublishTo::Served)
            .then(|| Published { since: now.clone(), freshness: publish_to.freshness() });
        let state = KeyState::Announced { since: now.clone(), published };
        self.add(RingKey { kid, public_key, place, made: now.clone(), state, leaked: false })
    }

    fn add(&mut self, key: RingKey) -> Result<(), UnsoundRing> {
        let mut keys = self.keys.clone();
        keys.push(key);
        *self = Self::new(self.settings.clone(), keys, self.published.clone())?;
        Ok(())
    }

    /// The key set has been published by now.
    pub(super) fn publish(&mut self, now: &Moment) {
        let freshness = self.settings.publish_to.freshness();
        self.published =
            Some(PublishedSet { digest: digest_of(&self.key_set()), since: now.clone() });
        for key in &mut self.keys {
            if let KeyState::Announced { published: published @ None, .. } = &mut key.state {
                *published = Some(Published { since: now.clone(), freshness });
            }
        }
    }

    /// What was published had been replaced by something else, for nobody knows how long: every wait
    /// begins anew.
    pub(super) fn publish_anew(&mut self, now: &Moment) {
        for key in &mut self.keys {
            if let KeyState::Announced { published, .. } = &mut key.state {
                *published = None;
            }
        }
        self.publish(now);
    }

    /// The key set is at a URL by now at which the platform has never looked.
    pub(super) fn move_to_new_url(&mut self, now: &Moment) {
        for key in &mut self.keys {
            if let KeyState::Announced { published: Some(published), .. } = &mut key.state {
                *published = Published { since: now.clone(), freshness: Freshness::NewUrl };
            }
        }
    }

    /// It is published elsewhere from now on, where nothing of it is yet.
    pub(super) fn publish_to(&mut self, publish_to: PublishTo, now: &Moment) {
        if self.settings.publish_to == publish_to {
            return;
        }
        let freshness = publish_to.freshness();
        let is_served = publish_to == PublishTo::Served;
        self.settings.publish_to = publish_to;
        self.published = None;
        for key in &mut self.keys {
            if let KeyState::Announced { published, .. } = &mut key.state {
                *published = is_served.then(|| Published { since: now.clone(), freshness });
            }
        }
    }

    /// An announced key signs from now on, and the one before it retires.
    pub(super) fn activate(&mut self, kid: &Kid, now: &Moment) -> Result<(), UnsoundRing> {
        let at = self.position(kid, |state| {
            matches!(state, KeyState::Announced { published: Some(_), .. })
        })?;
        for key in &mut self.keys {
            if key.is_active() {
                key.state = KeyState::Retiring { since: now.clone() };
            }
        }
        self.keys[at].state = KeyState::Active { since: now.clone() };
        Ok(())
    }

    /// A key that doesn't sign leaves.
    pub(super) fn retire(&mut self, kid: &Kid, now: &Moment) -> Result<(), UnsoundRing> {
        let at = self.position(kid, |state| {
            matches!(state, KeyState::Announced { .. } | KeyState::Retiring { .. })
        })?;
        self.keys[at].state = KeyState::Retired { since: now.clone() };
        Ok(())
    }

    /// Says that somebody else may have this key.
    ///
    /// # Errors
    ///
    /// [`UnsoundRing::WrongState`] when it is retired, or never was in the ring.
    pub fn leak(&mut self, kid: &Kid) -> Result<(), UnsoundRing> {
        let at = self.position(kid, |state| !matches!(state, KeyState::Retired { .. }))?;
        self.keys[at].leaked = true;
        Ok(())
    }

    fn position(&self, kid: &Kid, fits: fn(&KeyState) -> bool) -> Result<usize, UnsoundRing> {
        let found = self.keys.iter().position(|key| key.kid == *kid);
        let at = found.ok_or_else(|| UnsoundRing::NoSuchKey(kid.clone()))?;
        match &self.keys[at].state {
            state if fits(state) => Ok(at),
            KeyState::Retired { .. } => Err(UnsoundRing::Retired(kid.clone())),
            _ => Err(UnsoundRing::WrongState(kid.clone())),
        }
    }
}

fn digest_of(key_set: &KeySet) -> String {
    base64url(digest(&SHA256, key_set.to_json().as_bytes()).as_ref())
}
