//! One identity's token, kept fresh.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;
use nhs_auth_rules::UnixMillis;
use tokio::sync::watch;
use tokio::time::Instant;

use super::requests::{Outcome, Requests};
use super::supply::{Held, Kept, Supplied, Supply};
use crate::{AccessToken, Application, Clock, IssuedToken, TokenError, TokenErrorKind};

/// A token is renewed when this share of its lifetime is over, less jitter.
const REFRESH_AT: f64 = 0.80;

/// By how much of the lifetime a renewal is moved forward at most, at random, so that a crowd of
/// processes that started together doesn't renew together. With 599 s tokens the earliest renewal
/// is after 455 s: an hour of steady traffic makes 8 requests at most.
const JITTER: f64 = 0.04;

/// The access token of one application, kept fresh.
///
/// A token that is fresh is handed out without a lock, an allocation or a system call. After four
/// fifths of its lifetime the first caller starts a renewal in the background, and everyone goes
/// on with the old one until it expires. However many callers wait for a first token, one request
/// is made. A refusal is remembered for a while, so that a crowd doesn't hammer the platform.
///
/// Cloning shares it. It needs a Tokio runtime.
#[derive(Clone, Debug)]
pub struct TokenSource(Arc<Slot>);

/// How one identity's tokens stand.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TokenState {
    /// The token that serves now. Another request may be under way.
    pub held: Option<Arc<IssuedToken>>,
    /// Why the last request brought none; `None` once one has.
    pub failure: Option<Arc<TokenError>>,
}

#[derive(Debug)]
struct Slot {
    supply: Supply,
    current: ArcSwapOption<Lease>,
    /// Whether a renewal is under way: lets callers pass by the lock.
    renewing: AtomicBool,
    requests: Mutex<Requests>,
}

/// A token, and until when it serves.
#[derive(Clone, Debug)]
struct Lease {
    issued: Arc<IssuedToken>,
    refresh_at: Instant,
    expires_at: Instant,
    /// The same by the wall clock: a steady clock may stand still while the machine sleeps.
    expires_at_wall: UnixMillis,
}

impl TokenSource {
    pub(super) fn new(supply: Supply) -> Self {
        Self(Arc::new(Slot {
            supply,
            current: ArcSwapOption::empty(),
            renewing: AtomicBool::new(false),
            requests: Mutex::default(),
        }))
    }

    /// The application whose tokens these are.
    pub fn application(&self) -> &Application {
        &self.0.supply.application
    }

    /// A token that has not expired.
    ///
    /// Dropping the future abandons nothing: a request that is under way serves the next caller.
    ///
    /// # Errors
    ///
    /// The [`TokenError`] of the request that was made, shared by all who waited for it, or that
    /// of an earlier one that is still remembered.
    pub async fn token(&self) -> Result<AccessToken, Arc<TokenError>> {
        let now = self.0.supply.means.clock.steady();
        if let Some(token) = self.kept(now, |issued| issued.access_token.clone()) {
            return Ok(token);
        }
        Ok(self.wait_for_token(now).await?.access_token.clone())
    }

    /// The same with all that the platform sent beside the token.
    ///
    /// # Errors
    ///
    /// As [`TokenSource::token`].
    pub async fn issued(&self) -> Result<Arc<IssuedToken>, Arc<TokenError>> {
        let now = self.0.supply.means.clock.steady();
        match self.kept(now, Arc::clone) {
            Some(issued) => Ok(issued),
            None => self.wait_for_token(now).await,
        }
    }

    /// Takes back a token that an API answered with 401. Another token, should there be one by
    /// now, is kept. Returns whether it is worth asking for a token again: not for a while after
    /// [`TokenSource::renewal_was_in_vain`].
    pub fn reject(&self, token: &AccessToken) -> bool {
        let now = self.0.supply.means.clock.steady();
        if !self.0.requests().reject(token, now) {
            return false;
        }
        let current = self.0.current.load();
        if let Some(lease) = &*current
            && lease.issued.access_token.is_same_as(token)
        {
            self.0.current.compare_and_swap(lease, None);
        }
        if let Kept::WithFleet(fleet) = &self.0.supply.kept {
            fleet.withdraw(token);
        }
        true
    }

    /// Says that an API answered 401 to a new token too: then the token is not what is wrong, and
    /// no more are asked for on that account for a while.
    pub fn renewal_was_in_vain(&self) {
        let now = self.0.supply.means.clock.steady();
        self.0.requests().was_in_vain(now);
    }

    /// What there is, without asking for anything: for those who watch over it.
    pub fn state(&self) -> TokenState {
        let clock = &*self.0.supply.means.clock;
        let now = clock.steady();
        let lease = self.0.current.load_full().filter(|lease| lease.serves(now, clock));
        TokenState {
            held: lease.map(|lease| Arc::clone(&lease.issued)),
            failure: self.0.requests().last_failure(),
        }
    }

    /// Forgets a remembered failure: the configuration has changed, or a person asks again.
    pub fn forget_failure(&self) {
        self.0.requests().forget_failure();
    }

    /// What there is, if it still serves; its renewal is begun when it is due.
    fn kept<T>(&self, now: Instant, take: impl FnOnce(&Arc<IssuedToken>) -> T) -> Option<T> {
        let current = self.0.current.load();
        let lease =
            current.as_deref().filter(|lease| lease.serves(now, &*self.0.supply.means.clock))?;
        if now >= lease.refresh_at && !self.0.renewing.load(Ordering::Relaxed) {
            self.renew(now);
        }
        Some(take(&lease.issued))
    }

    /// Starts a request in the background, unless there is one or one has failed just now.
    fn renew(&self, now: Instant) {
        let mut requests = self.0.requests();
        requests.forget_abandoned();
        if requests.under_way().is_none() && requests.remembered_failure(now).is_none() {
            self.start(&mut requests, None);
        }
    }

    async fn wait_for_token(&self, now: Instant) -> Outcome {
        loop {
            let mut under_way = {
                let mut requests = self.0.requests();
                requests.forget_abandoned();
                if let Some(lease) = self.0.current.load().as_deref()
                    && lease.serves(now, &*self.0.supply.means.clock)
                {
                    return Ok(Arc::clone(&lease.issued));
                }
                match (requests.under_way(), requests.remembered_failure(now)) {
                    (Some(under_way), _) => under_way,
                    // Another instance may have been luckier.
                    (None, Some(failure))
                        if self.0.supply.is_shared() && requests.may_look(now) =>
                    {
                        self.start(&mut requests, Some(failure))
                    }
                    (None, Some(failure)) => return Err(failure),
                    (None, None) => self.start(&mut requests, None),
                }
            };
            // An error here means that the request's task was dropped: it is begun anew.
            let settled = under_way.wait_for(Option::is_some).await;
            if let Ok(Some(outcome)) = settled.as_deref() {
                return outcome.clone();
            }
        }
    }

    /// Begins to get a token; after a failure that is remembered only from where other instances
    /// keep theirs, and not from the platform.
    fn start(
        &self,
        requests: &mut Requests,
        failure: Option<Arc<TokenError>>,
    ) -> watch::Receiver<Option<Outcome>> {
        let (sender, receiver) = watch::channel(None);
        requests.begin(receiver.clone());
        self.0.renewing.store(true, Ordering::Relaxed);
        // Made here and not in the task, so that it ends also with a task that never began.
        let under_way = UnderWay { slot: Arc::clone(&self.0), sender };
        tokio::spawn(async move {
            let slot = &under_way.slot;
            let held = slot.held();
            let is_rejected = |token: &AccessToken| slot.requests().is_rejected(token);
            let outcome = match failure {
                None => slot.settle(slot.supply.obtain(held.as_ref(), is_rejected).await),
                Some(failure) => match slot.supply.look(is_rejected).await {
                    Some(supplied) => slot.settle(supplied),
                    None => slot.still_failed(failure),
                },
            };
            under_way.sender.send_replace(Some(outcome));
        });
        receiver
    }
}

/// A request, from its start to its end, however it ends.
struct UnderWay {
    slot: Arc<Slot>,
    sender: watch::Sender<Option<Outcome>>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        // Who panics once may panic again: the pause after a failure keeps callers from starting
        // it over and over. The lock may be this very thread's, if it was the start that panicked.
        if std::thread::panicking()
            && let Ok(mut requests) = self.slot.requests.try_lock()
        {
            let means = &self.slot.supply.means;
            let endpoint = self.slot.supply.application.endpoint();
            let error = Arc::new(TokenError::new(TokenErrorKind::Abandoned, endpoint));
            requests.failed(error, means.clock.steady(), &*means.entropy);
        }
        self.slot.renewing.store(false, Ordering::Relaxed);
    }
}

impl Slot {
    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what a request has brought.
    fn settle(&self, supplied: Supplied) -> Outcome {
        match supplied {
            Supplied::Fresh(issued) => {
                let issued = Arc::new(issued);
                self.keep(Arc::clone(&issued));
                self.requests().succeeded();
                Ok(issued)
            }
            Supplied::Old(issued, error) => {
                let issued = Arc::new(issued);
                self.keep(Arc::clone(&issued));
                if let Some(error) = error {
                    self.fail(Arc::new(error));
                } else {
                    let entropy = &*self.supply.means.entropy;
                    self.postpone(self.requests().left_to_others(self.now(), entropy));
                }
                Ok(issued)
            }
            Supplied::Nothing(error) => {
                let error = Arc::new(error);
                self.fail(Arc::clone(&error));
                Err(error)
            }
        }
    }

    fn still_failed(&self, failure: Arc<TokenError>) -> Outcome {
        self.requests().looked_in_vain(self.now(), &*self.supply.means.entropy);
        Err(failure)
    }

    fn fail(&self, error: Arc<TokenError>) {
        let entropy = &*self.supply.means.entropy;
        let until = self.requests().failed(error, self.now(), entropy);
        self.postpone(until);
    }

    fn held(&self) -> Option<Held> {
        let lease = self.current.load_full()?;
        let serves = lease.serves(self.now(), &*self.supply.means.clock);
        Some(Held { token: Arc::clone(&lease.issued), serves })
    }

    fn now(&self) -> Instant {
        self.supply.means.clock.steady()
    }

    fn keep(&self, issued: Arc<IssuedToken>) {
        let asked_at = self.supply.means.clock.steady_at(issued.requested_at);
        let share = REFRESH_AT - JITTER * self.supply.means.entropy.fraction();
        // A token of unknown lifetime serves whoever waited for it, and nobody else; so does one
        // whose lifetime no clock can count.
        let lease = issued.expires_in.and_then(|lifetime| {
            Some(Lease {
                refresh_at: asked_at.checked_add(lifetime.mul_f64(share))?,
                expires_at: asked_at.checked_add(lifetime)?,
                expires_at_wall: issued.expires_at()?,
                issued,
            })
        });
        if let Some(lease) = lease {
            self.current.store(Some(Arc::new(lease)));
        }
    }

    /// Keeps the token that there is, and tries to renew it then.
    fn postpone(&self, until: Instant) {
        if let Some(lease) = &*self.current.load() {
            let later = Lease { refresh_at: until, ..Lease::clone(lease) };
            self.current.compare_and_swap(lease, Some(Arc::new(later)));
        }
    }
}

impl Lease {
    fn serves(&self, now: Instant, clock: &dyn Clock) -> bool {
        now < self.expires_at && clock.now() < self.expires_at_wall
    }
}
