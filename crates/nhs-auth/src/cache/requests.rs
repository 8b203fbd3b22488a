//! What is under way for one identity, and what has failed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::token::Backoff;
use crate::{AccessToken, Entropy, IssuedToken, TokenError, TokenErrorKind};

/// How long a failure is remembered before the platform is asked again.
const AFTER_FAILURE: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(30));

/// The same for a refusal, which asking again doesn't change.
const AFTER_REFUSAL: Backoff = Backoff::new(Duration::from_secs(10), Duration::from_mins(5));

/// The same when there were too many requests: those who were refused together must not come
/// together again, and the platform counts by the minute.
const AFTER_TOO_MANY: Backoff = Backoff::new(Duration::from_secs(20), Duration::from_secs(40));

/// A server that asks for a longer pause than this gets this.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// How long a renewal is left to another process at least, and at most twice that.
const AFTER_OTHERS: Duration = Duration::from_secs(2);

/// How long after a look at what other instances have there is no other, while the platform is not
/// asked; at least, and at most twice that.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long no token is asked for because of a 401, after a new one was of no help.
const IN_VAIN: Duration = Duration::from_secs(30);

/// What all who waited for one request get.
pub(super) type Outcome = Result<Arc<IssuedToken>, Arc<TokenError>>;

/// The requests of one identity.
#[derive(Debug, Default)]
pub(super) struct Requests {
    under_way: Option<watch::Receiver<Option<Outcome>>>,
    failures: u32,
    last_failure: Option<(Arc<TokenError>, Instant)>,
    next_look: Option<Instant>,
    in_vain_until: Option<Instant>,
    rejected: Option<AccessToken>,
}

impl Requests {
    /// The request that is under way.
    pub(super) fn under_way(&self) -> Option<watch::Receiver<Option<Outcome>>> {
        self.under_way.clone()
    }

    /// Makes a request known to all who come later.
    pub(super) fn begin(&mut self, receiver: watch::Receiver<Option<Outcome>>) {
        self.under_way = Some(receiver);
    }

    /// A request has brought a token.
    pub(super) fn succeeded(&mut self) {
        self.under_way = None;
        self.forget_failure();
    }

    /// A request has failed. Returns until when nobody asks again.
    pub(super) fn failed(
        &mut self,
        error: Arc<TokenError>,
        now: Instant,
        entropy: &dyn Entropy,
    ) -> Instant {
        self.under_way = None;
        self.failures += 1;
        let backoff = match error.kind {
            TokenErrorKind::RateLimited => AFTER_TOO_MANY,
            _ if error.is_permanent() => AFTER_REFUSAL,
            _ => AFTER_FAILURE,
        };
        let asked_for = error.retry_after.unwrap_or_default().min(LONGEST_PAUSE);
        let until = now + backoff.after(self.failures, entropy).max(asked_for);
        self.last_failure = Some((error, until));
        until
    }

    /// Another process is renewing the token. Returns when to look again.
    pub(super) fn left_to_others(&mut self, now: Instant, entropy: &dyn Entropy) -> Instant {
        self.under_way = None;
        now + AFTER_OTHERS.mul_f64(1.0 + entropy.fraction())
    }

    /// Whether it is time to look again at what other instances have.
    pub(super) fn may_look(&self, now: Instant) -> bool {
        self.next_look.is_none_or(|next| now >= next)
    }

    /// Other instances have no token either.
    pub(super) fn looked_in_vain(&mut self, now: Instant, entropy: &dyn Entropy) {
        self.under_way = None;
        self.next_look = Some(now + LOOK_EVERY.mul_f64(1.0 + entropy.fraction()));
    }

    /// The failure that is recent enough to be the answer still.
    pub(super) fn remembered_failure(&self, now: Instant) -> Option<Arc<TokenError>> {
        let (error, until) = self.last_failure.as_ref()?;
        (now < *until).then(|| Arc::clone(error))
    }

    /// The failure since which nothing has gone well, however long ago it was.
    pub(super) fn last_failure(&self) -> Option<Arc<TokenError>> {
        self.last_failure.as_ref().map(|(error, _)| Arc::clone(error))
    }

    pub(super) fn forget_failure(&mut self) {
        self.failures = 0;
        self.last_failure = None;
    }

    /// Forgets a request whose task was dropped with its runtime, and its promise with it.
    pub(super) fn forget_abandoned(&mut self) {
        let is_abandoned = |receiver: &watch::Receiver<_>| receiver.has_changed().is_err();
        if self.under_way.as_ref().is_some_and(is_abandoned) {
            self.under_way = None;
        }
    }

    /// An API has answered 401 to this token. Returns whether asking for another makes sense.
    pub(super) fn reject(&mut self, token: &AccessToken, now: Instant) -> bool {
        if self.in_vain_until.is_some_and(|until| now < until) {
            return false;
        }
        self.rejected = Some(token.clone());
        true
    }

    /// Whether this is the token that an API answered with 401.
    pub(super) fn is_rejected(&self, token: &AccessToken) -> bool {
        self.rejected.as_ref().is_some_and(|rejected| rejected.is_same_as(token))
    }

    /// An API has answered 401 to a new token too.
    pub(super) fn was_in_vain(&mut self, now: Instant) {
        self.in_vain_until = Some(now + IN_VAIN);
    }
}
