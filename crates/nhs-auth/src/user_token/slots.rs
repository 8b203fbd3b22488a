//! One place a user, so that one request is made however many callers wait for that user's token.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::token::Backoff;
use crate::{Clock, Entropy};

/// How long a failure is the answer to whoever asks next.
const AFTER_FAILURE: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(30));

/// A bounded number of places. The one that was not used for the longest time makes room.
#[derive(Debug)]
pub(crate) struct Slots<T: Send + Sync + 'static> {
    places: Cache<[u8; 32], Arc<Slot<T>>>,
}

/// One user's place.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    state: Mutex<T>,
    ended: AtomicBool,
}

impl<T: Default + Send + Sync + 'static> Slots<T> {
    pub(crate) fn new(most: u64) -> Self {
        let places =
            Cache::builder().max_capacity(most).eviction_policy(EvictionPolicy::lru()).build();
        Self { places }
    }

    pub(crate) fn of(&self, key: [u8; 32]) -> Arc<Slot<T>> {
        let new = || Arc::new(Slot { state: Mutex::default(), ended: AtomicBool::new(false) });
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

    /// Forgets the users of whom this holds, where nothing is under way.
    pub(crate) fn end_where(&self, is_over: impl Fn(&T) -> bool) -> usize {
        let over: Vec<_> = self
            .places
            .iter()
            .filter(|(_, slot)| slot.state.try_lock().is_ok_and(|state| is_over(&state)))
            .map(|(key, _)| *key)
            .collect();
        for key in &over {
            self.end(key);
        }
        over.len()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> u64 {
        self.places.entry_count()
    }
}

impl<T> Slot<T> {
    /// Waits for whoever is at it.
    pub(crate) async fn lock(&self) -> MutexGuard<'_, T> {
        self.state.lock().await
    }

    /// Whether the user was forgotten in the meantime.
    pub(crate) fn is_over(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }
}

/// A failure, and until when it is the answer: a crowd that waited for one request doesn't make it
/// again, one after the other.
#[derive(Debug)]
pub(crate) struct Failures<E> {
    last: Option<(Arc<E>, Instant)>,
    count: u32,
}

impl<E> Default for Failures<E> {
    fn default() -> Self {
        Self { last: None, count: 0 }
    }
}

impl<E> Failures<E> {
    pub(crate) fn remembered(&self, clock: &dyn Clock) -> Option<Arc<E>> {
        let (error, until) = self.last.as_ref()?;
        (clock.steady() < *until).then(|| Arc::clone(error))
    }

    pub(crate) fn remember(&mut self, error: Arc<E>, clock: &dyn Clock, entropy: &dyn Entropy) {
        self.count = self.count.saturating_add(1);
        self.last = Some((error, clock.steady() + AFTER_FAILURE.after(self.count, entropy)));
    }

    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_number_of_places_is_bounded_and_the_idle_make_room() {
        let slots = Slots::<u32>::new(10);
        for user in 0..100 {
            *slots.of([user; 32]).lock().await = u32::from(user);
            assert_eq!(*slots.of([user; 32]).lock().await, u32::from(user));
        }
        assert!(slots.len() <= 10, "{}", slots.len());
        assert_eq!(*slots.of([99; 32]).lock().await, 99, "the latest is there");
        assert_eq!(*slots.of([0; 32]).lock().await, 0, "the first was forgotten");
    }

    #[tokio::test]
    async fn whoever_is_forgotten_while_somebody_is_at_it_knows() {
        let slots = Slots::<u32>::new(10);
        let slot = slots.of([1; 32]);
        let state = slot.lock().await;
        slots.end(&[1; 32]);
        drop(state);
        assert!(slot.is_over());
        assert!(!slots.of([1; 32]).is_over(), "a new sign-in has a new place");
    }
}
