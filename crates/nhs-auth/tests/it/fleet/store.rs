//! A store in memory that fails as it is told to, and counts what it is asked.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nhs_auth::{FleetName, KeptToken, LeaseHolder, StoreError, StoreFuture, TokenStore};
use tokio::time::{Instant, sleep};

/// What is wrong with the store.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// It refuses connections.
    Away,
    /// It never answers.
    Silent,
    /// It answers so late.
    Slow(Duration),
    /// It does what it is asked for, and the answer is lost.
    LosesAnswers,
}

/// How often each was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Asked {
    pub(crate) load: usize,
    pub(crate) save: usize,
    pub(crate) remove: usize,
    pub(crate) lease: usize,
    pub(crate) release: usize,
}

impl Asked {
    pub(crate) const fn total(&self) -> usize {
        self.load + self.save + self.remove + self.lease + self.release
    }
}

#[derive(Debug, Default)]
pub(crate) struct FaultyStore {
    kept: Mutex<Kept>,
    asked: Mutex<Asked>,
    in_this_second: Mutex<(u64, usize)>,
    most_a_second: AtomicUsize,
    began: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Kept {
    tokens: HashMap<FleetName, (Vec<u8>, Option<Instant>)>,
    leases: HashMap<FleetName, (LeaseHolder, Instant)>,
    fault: Option<Fault>,
    last_fault: Option<Instant>,
}

impl FaultyStore {
    pub(crate) fn be(&self, fault: impl Into<Option<Fault>>) {
        let mut kept = self.kept.lock().unwrap();
        (kept.fault, kept.last_fault) = (fault.into(), Some(Instant::now()));
    }

    /// Loses all that it has, leases too.
    pub(crate) fn lose_all(&self) {
        let mut kept = self.kept.lock().unwrap();
        (kept.tokens, kept.leases) = Default::default();
        kept.last_fault = Some(Instant::now());
    }

    /// Has something else in the place of each token, which lives as long.
    pub(crate) fn garble(&self, content: &[u8]) {
        for (kept, _) in self.kept.lock().unwrap().tokens.values_mut() {
            content.clone_into(kept);
        }
    }

    /// Gives every lease to somebody who will not be heard of again.
    pub(crate) fn lease_to_nobody(&self, name: FleetName, lasts: Duration) {
        let nobody = LeaseHolder::from_bytes([0; 16]);
        let lease = (nobody, Instant::now() + lasts);
        self.kept.lock().unwrap().leases.insert(name, lease);
    }

    /// The names and contents that there are.
    pub(crate) fn contents(&self) -> Vec<(FleetName, Vec<u8>)> {
        let kept = self.kept.lock().unwrap();
        kept.tokens.iter().map(|(name, (content, _))| (*name, content.clone())).collect()
    }

    pub(crate) fn asked(&self) -> Asked {
        *self.asked.lock().unwrap()
    }

    /// The most that it was asked within one second.
    pub(crate) fn most_a_second(&self) -> usize {
        self.most_a_second.load(Ordering::SeqCst)
    }

    pub(crate) fn forget_counts(&self) {
        *self.asked.lock().unwrap() = Asked::default();
        self.most_a_second.store(0, Ordering::SeqCst);
    }

    /// Whether nothing has been wrong with it since then.
    pub(crate) fn was_sound_since(&self, then: Instant) -> bool {
        let kept = self.kept.lock().unwrap();
        kept.fault.is_none() && kept.last_fault.is_none_or(|last| last < then)
    }

    fn answer<'a, T: Send + 'a>(
        &'a self,
        count: impl FnOnce(&mut Asked),
        act: impl FnOnce(&mut Kept) -> T + Send + 'a,
    ) -> StoreFuture<'a, T> {
        count(&mut self.asked.lock().unwrap());
        self.count_second();
        Box::pin(async move {
            let fault = self.kept.lock().unwrap().fault;
            let lost = || Err(StoreError::new("in memory", "the test wants it so"));
            match fault {
                None => sleep(Duration::from_millis(1)).await,
                Some(Fault::Slow(by)) => sleep(by).await,
                Some(Fault::Silent) => std::future::pending().await,
                Some(Fault::Away) => return lost(),
                Some(Fault::LosesAnswers) => {
                    self.act(act);
                    return lost();
                }
            }
            Ok(self.act(act))
        })
    }

    fn act<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        let mut kept = self.kept.lock().unwrap();
        let now = Instant::now();
        kept.tokens.retain(|_, (_, end)| end.is_none_or(|end| now < end));
        kept.leases.retain(|_, (_, end)| now < *end);
        act(&mut kept)
    }

    fn count_second(&self) {
        let began = *self.began.lock().unwrap().get_or_insert_with(Instant::now);
        let second = began.elapsed().as_secs();
        let mut in_this = self.in_this_second.lock().unwrap();
        *in_this = if in_this.0 == second { (second, in_this.1 + 1) } else { (second, 1) };
        self.most_a_second.fetch_max(in_this.1, Ordering::SeqCst);
    }
}

impl TokenStore for FaultyStore {
    fn load(&self, name: FleetName) -> StoreFuture<'_, Option<KeptToken>> {
        self.answer(
            |asked| asked.load += 1,
            move |kept| {
                let (content, end) = kept.tokens.get(&name)?;
                let left = end.map(|end| end - Instant::now());
                Some(KeptToken { content: content.clone(), left })
            },
        )
    }

    fn save(
        &self,
        name: FleetName,
        token: KeptToken,
        replaces: Option<Vec<u8>>,
    ) -> StoreFuture<'_, bool> {
        self.answer(
            |asked| asked.save += 1,
            move |kept| {
                let there = kept.tokens.get(&name).map(|(content, _)| content);
                if there != replaces.as_ref() {
                    return false;
                }
                let end = token.left.map(|left| Instant::now() + left);
                kept.tokens.insert(name, (token.content, end));
                true
            },
        )
    }

    fn remove(&self, name: FleetName, content: Vec<u8>) -> StoreFuture<'_, bool> {
        self.answer(
            |asked| asked.remove += 1,
            move |kept| {
                let is_it = kept.tokens.get(&name).is_some_and(|(there, _)| *there == content);
                is_it.then(|| kept.tokens.remove(&name)).is_some()
            },
        )
    }

    fn lease(
        &self,
        name: FleetName,
        holder: LeaseHolder,
        lasts: Duration,
    ) -> StoreFuture<'_, LeaseHolder> {
        self.answer(
            |asked| asked.lease += 1,
            move |kept| {
                let lease = kept.leases.entry(name).or_insert((holder, Instant::now()));
                if lease.0 == holder {
                    lease.1 = Instant::now() + lasts;
                }
                lease.0
            },
        )
    }

    fn release(&self, name: FleetName, holder: LeaseHolder) -> StoreFuture<'_, ()> {
        self.answer(
            |asked| asked.release += 1,
            move |kept| {
                kept.leases.retain(|it, (by, _)| *it != name || *by != holder);
            },
        )
    }
}
