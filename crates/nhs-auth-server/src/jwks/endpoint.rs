//! What is served, shared by all who serve it.

mod counts;
mod entity_tag;
mod prepared;
mod state;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use nhs_auth::{Clock, KeySet, SystemClock, UnixMillis};

pub(crate) use self::counts::{Counts, Outcome};
use self::entity_tag::EntityTag;
use self::prepared::Prepared;
pub(crate) use self::prepared::plain;
pub use self::state::{JwksState, ServedKeySet};

/// A key set as it is served, or the word that there is none. Clones are cheap, and are the same
/// endpoint.
///
/// A key set is made into an answer once, when it is published. A request then gets all of one
/// answer, and never a mixture of two.
#[derive(Clone)]
pub struct JwksEndpoint {
    shared: Arc<Shared>,
}

struct Shared {
    current: ArcSwap<Current>,
    /// Held by whoever makes the next `current` from the last.
    changing: Mutex<()>,
    counts: Counts,
    clock: Arc<dyn Clock>,
}

/// An answer, and what is to be told of it.
struct Current {
    answer: Prepared,
    state: JwksState,
}

impl JwksEndpoint {
    /// An endpoint that has no key set yet: it answers 503 until there is one.
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock::default()))
    }

    /// The same, which takes the time from `clock`.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        let answer = Prepared::unavailable("there is no key set yet");
        let current = ArcSwap::from_pointee(Current { answer, state: JwksState::NoneYet });
        let shared = Shared { current, changing: Mutex::new(()), counts: Counts::default(), clock };
        Self { shared: Arc::new(shared) }
    }

    /// Serves these keys from now on.
    ///
    /// # Errors
    ///
    /// [`EmptyKeySet`] if there are none: the platform would keep the empty set for an hour, and
    /// refuse every signature. What was served before stays.
    pub fn publish(&self, keys: &KeySet) -> Result<(), EmptyKeySet> {
        if keys.keys().is_empty() {
            return Err(EmptyKeySet);
        }
        let document = keys.to_json();
        let tag = EntityTag::of(document.as_bytes());
        self.change(|last, now| match &last.state {
            JwksState::Serving(served) if served.etag == tag.as_str() => {
                let state = JwksState::Serving(ServedKeySet { confirmed: now, ..served.clone() });
                Current { answer: last.answer.clone(), state }
            }
            _ => {
                let served = ServedKeySet {
                    key_ids: keys.keys().iter().map(|key| key.kid().clone()).collect(),
                    etag: tag.as_str().to_owned(),
                    since: now,
                    confirmed: now,
                };
                tracing::info!(
                    keys = served.key_ids.len(),
                    etag = served.etag,
                    "a key set is served"
                );
                let answer = Prepared::key_set(document, &tag);
                Current { answer, state: JwksState::Serving(served) }
            }
        });
        self.shared.counts.publications.inc();
        Ok(())
    }

    /// Serves no key set from now on, but 503: when the keys can't be read, or can't be trusted.
    ///
    /// The platform goes on with what it has, and comes again. It is not told `reason`, which is
    /// for the log and for those who ask whether the endpoint is ready.
    pub fn withdraw(&self, reason: impl Into<String>) {
        let reason = reason.into();
        self.change(|last, now| {
            let since = if let JwksState::Withdrawn { since, .. } = last.state {
                tracing::debug!(reason, "there is still no key set to serve");
                since
            } else {
                tracing::warn!(reason, "the key set is withdrawn");
                now
            };
            let answer = Prepared::unavailable("the key set can't be read at the moment");
            Current { answer, state: JwksState::Withdrawn { reason, since } }
        });
        self.shared.counts.withdrawals.inc();
    }

    /// Notes that the keys could not be read again. What is served stays as it is: for whoever
    /// would rather serve the last set for a while than none.
    pub fn reload_failed(&self, reason: &str) {
        tracing::warn!(reason, "the keys could not be read again");
        self.shared.counts.reload_failures.inc();
    }

    /// What is served now.
    pub fn state(&self) -> JwksState {
        self.shared.current.load().state.clone()
    }

    /// Answers a request for the key set's path. The body is whole, and empty for HEAD and 304.
    ///
    /// This is for servers that [`JwksLayer`](crate::JwksLayer) doesn't fit.
    pub fn respond(&self, method: &Method, headers: &HeaderMap) -> Response<Bytes> {
        let (outcome, response) = self.shared.current.load().answer.respond(method, headers);
        self.shared.counts.count(outcome);
        tracing::debug!(%method, status = response.status().as_u16(), "the key set was asked for");
        response
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.shared.counts
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.shared.clock.now()
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    fn change(&self, next: impl FnOnce(&Current, UnixMillis) -> Current) {
        let _changing = self.shared.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.shared.current.load();
        self.shared.current.store(Arc::new(next(&last, self.now())));
    }
}

impl Default for JwksEndpoint {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for JwksEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwksEndpoint").field("state", &self.state()).finish_non_exhaustive()
    }
}

/// A key set without keys is not published.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("can't publish a key set that has no keys: the platform would keep it for an hour")]
pub struct EmptyKeySet;
