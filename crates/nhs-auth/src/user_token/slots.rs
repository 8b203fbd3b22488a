//! One place a user, so that one request is made however many callers wait for that user's token.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::application::RenewError;
use super::tokens::UserTokens;
use crate::token::Backoff;
use crate::{AccessToken, Clock, Entropy};

/// How long a failure is the answer to whoever asks next.
const AFTER_FAILURE: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(30));

/// How long no token is renewed because of a 401, after a new one was of no help.
const IN_VAIN: Duration = Duration::from_secs(30);

/// A bounded number of places. The one that was not used for the longest time makes room.
pub(crate) struct Slots {
    places: Cache<[u8; 32], Arc<Slot>>,
}

/// One user's place.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The user's session at the provider: issuer and `sid`.
    session: Option<(String, String)>,
    known: Mutex<Known>,
    renewing: Arc<tokio::sync::Mutex<()>>,
    ended: AtomicBool,
}

/// What is known of one user's tokens, in this process.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The latest tokens, where they are kept here: always by a cache, and by sessions while the
    /// store doesn't take them.
    pub(crate) tokens: Option<UserTokens>,
    failure: Option<(Arc<RenewError>, Instant)>,
    failures: u32,
    rejected: Option<AccessToken>,
    in_vain_until: Option<Instant>,
}

/// What can be done for whoever asks for a token.
pub(crate) enum Standing {
    /// This one is as good as new.
    Fresh(AccessToken),
    /// This one serves, and should be renewed.
    Serving(AccessToken),
    /// There is none.
    Nothing,
}

impl Slots {
    pub(crate) fn new(most: u64) -> Self {
        let places =
            Cache::builder().max_capacity(most).eviction_policy(EvictionPolicy::lru()).build();
        Self { places }
    }

    /// The place of that name. `session` is noted when it is a new one.
    pub(crate) fn of(&self, key: [u8; 32], session: Option<(&str, &str)>) -> Arc<Slot> {
        let new = || {
            Arc::new(Slot {
                session: session.map(|(issuer, sid)| (issuer.to_owned(), sid.to_owned())),
                known: Mutex::default(),
                renewing: Arc::default(),
                ended: AtomicBool::new(false),
            })
        };
        let place = self.places.entry(key).or_insert_with(new);
        if place.is_fresh() {
            // The bound holds now, and not when the cache gets to it.
            self.places.run_pending_tasks();
        }
        place.into_value()
    }

    /// Forgets a user. What is under way for them by now is not kept either.
    pub(crate) fn end(&self, key: &[u8; 32]) {
        if let Some(slot) = self.places.remove(key) {
            slot.ended.store(true, Ordering::SeqCst);
        }
    }

    /// Forgets the users of a session at the provider, and returns how many they were.
    pub(crate) fn end_session(&self, issuer: &str, sid: &str) -> usize {
        let is_over =
            |slot: &Slot| slot.session.as_ref().is_some_and(|(iss, of)| iss == issuer && of == sid);
        let places = self.places.iter();
        let over: Vec<_> = places.filter(|(_, slot)| is_over(slot)).map(|(key, _)| *key).collect();
        for key in &over {
            self.end(key);
        }
        over.len()
    }

    #[cfg(test)]
    fn len(&self) -> u64 {
        self.places.entry_count()
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots").field("users", &self.places.entry_count()).finish()
    }
}

impl Slot {
    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for whoever is renewing.
    pub(crate) async fn turn(&self) -> OwnedMutexGuard<()> {
        Arc::clone(&self.renewing).lock_owned().await
    }

    /// The turn to renew, unless somebody has it.
    pub(crate) fn turn_if_free(&self) -> Option<OwnedMutexGuard<()>> {
        Arc::clone(&self.renewing).try_lock_owned().ok()
    }

    /// Whether the user was forgotten in the meantime.
    pub(crate) fn is_over(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }
}

impl Known {
    /// Where a user with these tokens stands now.
    pub(crate) fn standing(&self, tokens: Option<&UserTokens>, clock: &dyn Clock) -> Standing {
        let now = clock.now();
        let is_rejected = |token: &AccessToken| {
            self.rejected.as_ref().is_some_and(|rejected| rejected.is_same_as(token))
        };
        match tokens.filter(|it| it.serves(now) && !is_rejected(it.access_token())) {
            None => Standing::Nothing,
            Some(tokens) if tokens.is_fresh(now) => Standing::Fresh(tokens.access_token().clone()),
            Some(tokens) => Standing::Serving(tokens.access_token().clone()),
        }
    }

    /// A failure that is recent enough to be the answer still: a crowd that waited for one request
    /// doesn't make it again, one after the other.
    pub(crate) fn failure(&self, clock: &dyn Clock) -> Option<Arc<RenewError>> {
        let (error, until) = self.failure.as_ref()?;
        (clock.steady() < *until).then(|| Arc::clone(error))
    }

    pub(crate) fn failed(
        &mut self,
        error: Arc<RenewError>,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
    ) {
        self.failures = self.failures.saturating_add(1);
        self.failure = Some((error, clock.steady() + AFTER_FAILURE.after(self.failures, entropy)));
    }

    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        self.failure = None;
    }

    /// An API has answered 401 to this token. Returns whether another is worth asking for: not for
    /// a while after one was of no help.
    pub(crate) fn reject(&mut self, token: &AccessToken, clock: &dyn Clock) -> bool {
        if self.in_vain_until.is_some_and(|until| clock.steady() < until) {
            return false;
        }
        self.rejected = Some(token.clone());
        true
    }

    /// An API has answered 401 to a new token too: then the token is not what is wrong.
    pub(crate) fn was_in_vain(&mut self, clock: &dyn Clock) {
        self.in_vain_until = Some(clock.steady() + IN_VAIN);
        self.rejected = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_places_is_bounded_and_the_idle_make_room() {
        let slots = Slots::new(10);
        let first = slots.of([0; 32], None);
        for user in 1..100 {
            let slot = slots.of([user; 32], None);
            assert!(Arc::ptr_eq(&slot, &slots.of([user; 32], None)), "the latest is there");
        }
        assert!(slots.len() <= 10, "{}", slots.len());
        assert!(!Arc::ptr_eq(&first, &slots.of([0; 32], None)), "the first was forgotten");
    }

    #[tokio::test]
    async fn whoever_is_forgotten_while_somebody_is_at_it_knows() {
        let slots = Slots::new(10);
        let slot = slots.of([1; 32], Some(("issuer", "sid")));
        let turn = slot.turn().await;
        assert!(slot.turn_if_free().is_none());
        assert_eq!(slots.end_session("issuer", "another"), 0);
        assert_eq!(slots.end_session("issuer", "sid"), 1);
        drop(turn);
        assert!(slot.is_over());
        assert!(!slots.of([1; 32], None).is_over(), "a new sign-in has a new place");
    }
}
