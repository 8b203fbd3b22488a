//! When a connection last did something, and when it has to do the next thing.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Longer than any connection lasts.
const FAR: Duration = Duration::from_hours(10_000);

/// The times of one connection. A request only notes them: the alarm is left as it was set, and
/// looks again when it rings, unless it would ring too late.
#[derive(Debug)]
pub(crate) struct Pulse {
    start: Instant,
    /// Milliseconds since `start`, times two; odd while a request's head is awaited.
    last: AtomicU64,
    /// How many requests are under way. While there are any, nothing is awaited of the client but
    /// that it takes what is written.
    under_way: AtomicUsize,
    /// Since when the client takes nothing: milliseconds since `start`, and one; 0 when it does.
    stuck: AtomicU64,
}

/// How long a connection may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For a request's head, from its first byte on.
    pub(crate) head: Duration,
    /// Between an answer and the next request.
    pub(crate) idle: Duration,
    /// For taking some of what is written.
    pub(crate) stuck: Duration,
}

/// A request that is under way, until this is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay(Arc<Pulse>);

/// When to look at the clock, and whether that is the end.
struct Alarm {
    at: Instant,
    is_end: bool,
}

impl Pulse {
    /// A connection that is new has to send a request's head.
    pub(super) fn new() -> Self {
        Self {
            start: now(),
            last: AtomicU64::new(1),
            under_way: AtomicUsize::new(0),
            stuck: AtomicU64::new(0),
        }
    }

    /// Something came. The first of it begins a request's head.
    pub(super) fn heard(&self) {
        let is_idle = self.last.load(Ordering::Relaxed) & 1 == 0;
        if is_idle && !self.is_under_way() {
            self.last.store(self.elapsed() << 1 | 1, Ordering::Relaxed);
        }
    }

    /// The client took some of what was written, or nothing of it.
    pub(super) fn took(&self, some: bool) {
        let was_stuck = self.stuck.load(Ordering::Relaxed) != 0;
        if some == was_stuck {
            let since = if some { 0 } else { self.elapsed() + 1 };
            self.stuck.store(since, Ordering::Relaxed);
        }
    }

    /// A request has come, and its answer takes a while.
    pub(crate) fn begin(self: &Arc<Self>) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(self))
    }

    /// A request is answered.
    pub(crate) fn answered(&self) {
        self.last.store(self.elapsed() << 1, Ordering::Relaxed);
    }

    /// Whether there is nothing to do: no request, nor part of one, nor an answer that is not taken.
    pub(super) fn is_idle(&self) -> bool {
        let is_awaiting = self.last.load(Ordering::Relaxed) & 1 == 1;
        !is_awaiting && !self.is_under_way() && self.stuck.load(Ordering::Relaxed) == 0
    }

    /// Whether a request is under way.
    pub(super) fn is_under_way(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) > 0
    }

    /// Returns when the connection has taken too long. It has to be polled whenever something came.
    pub(super) async fn ran_out(&self, patience: Patience) {
        let mut alarm = pin!(sleep_until(self.next(patience).at));
        poll_fn(|cx| {
            loop {
                let next = self.next(patience);
                if next.at < alarm.deadline() {
                    alarm.as_mut().reset(next.at); // a shorter wait has begun
                }
                ready!(alarm.as_mut().poll(cx));
                if next.at <= now() && next.is_end {
                    return Poll::Ready(());
                }
                alarm.as_mut().reset(next.at);
            }
        })
        .await;
    }

    fn next(&self, patience: Patience) -> Alarm {
        let at = |millis: u64, bound: Duration| self.start + Duration::from_millis(millis) + bound;
        if let Some(since) = self.stuck.load(Ordering::Relaxed).checked_sub(1) {
            return Alarm { at: at(since, patience.stuck), is_end: true };
        }
        if self.is_under_way() {
            // Whoever is at it has bounds of its own, and what comes after it is looked at then.
            return Alarm { at: self.start + FAR, is_end: false };
        }
        let last = self.last.load(Ordering::Relaxed);
        let bound = if last & 1 == 1 { patience.head } else { patience.idle };
        Alarm { at: at(last >> 1, bound), is_end: true }
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX >> 1)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.answered();
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}

fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    const PATIENCE: Patience = Patience { head: secs(10), idle: secs(75), stuck: secs(60) };

    const fn secs(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    async fn lasts(pulse: &Pulse) -> Duration {
        let asked = now();
        pulse.ran_out(PATIENCE).await;
        asked.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_takes_ten_seconds_at_most_however_it_drips() {
        let pulse = Pulse::new();
        advance(Duration::from_secs(4)).await;
        pulse.heard();
        assert_eq!(lasts(&pulse).await.as_secs(), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_begins_a_longer_wait_and_the_next_byte_ends_it() {
        let pulse = Pulse::new();
        pulse.heard();
        pulse.answered();
        advance(Duration::from_secs(70)).await;
        pulse.heard();
        assert_eq!(lasts(&pulse).await.as_secs(), 10);
        pulse.answered();
        assert_eq!(lasts(&pulse).await.as_secs(), 75);
    }

    #[tokio::test(start_paused = true)]
    async fn an_alarm_that_is_set_already_heeds_what_comes() {
        let pulse = Pulse::new();
        pulse.answered();
        let asked = now();
        let mut ran_out = pin!(pulse.ran_out(PATIENCE));
        let mut poll = async || timeout(Duration::ZERO, ran_out.as_mut()).await;
        poll().await.unwrap_err();
        advance(Duration::from_secs(20)).await;
        pulse.heard();
        poll().await.unwrap_err();
        ran_out.await;
        assert_eq!(asked.elapsed().as_secs(), 30);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_under_way_takes_as_long_as_it_takes() {
        let pulse = Arc::new(Pulse::new());
        pulse.heard();
        let under_way = pulse.begin();
        timeout(secs(3600), pulse.ran_out(PATIENCE)).await.unwrap_err();
        pulse.heard(); // more of its body
        drop(under_way);
        assert_eq!(lasts(&pulse).await.as_secs(), 75);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_has_to_take_what_is_written() {
        let pulse = Arc::new(Pulse::new());
        let _under_way = pulse.begin();
        pulse.took(false);
        advance(secs(50)).await;
        pulse.took(true);
        advance(secs(50)).await;
        pulse.took(false);
        pulse.took(false);
        assert_eq!(lasts(&pulse).await.as_secs(), 60);
    }
}
