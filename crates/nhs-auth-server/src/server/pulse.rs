//! When a connection last did something, and when it has to do the next thing.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The times of one connection. A request only notes them: the alarm is left as it was set, and
/// looks again when it rings, unless it would ring too late.
pub(super) struct Pulse {
    start: Instant,
    /// Milliseconds since `start`, times two; odd while a request's head is awaited.
    last: AtomicU64,
}

/// How long a connection may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For a request's head, from its first byte on.
    pub(super) head: Duration,
    /// Between an answer and the next request.
    pub(super) idle: Duration,
}

impl Pulse {
    /// A connection that is new has to send a request's head.
    pub(super) fn new() -> Self {
        Self { start: now(), last: AtomicU64::new(1) }
    }

    /// Something came. The first of it begins a request's head.
    pub(super) fn heard(&self) {
        if self.last.load(Ordering::Relaxed) & 1 == 0 {
            self.last.store(self.elapsed() << 1 | 1, Ordering::Relaxed);
        }
    }

    /// A request is answered.
    pub(super) fn answered(&self) {
        self.last.store(self.elapsed() << 1, Ordering::Relaxed);
    }

    /// Returns when the connection has taken too long. It has to be polled whenever something came.
    pub(super) async fn ran_out(&self, patience: Patience) {
        let mut alarm = pin!(sleep_until(self.deadline(patience)));
        poll_fn(|cx| {
            loop {
                let deadline = self.deadline(patience);
                if deadline < alarm.deadline() {
                    alarm.as_mut().reset(deadline); // a shorter wait has begun
                }
                ready!(alarm.as_mut().poll(cx));
                if deadline <= now() {
                    return Poll::Ready(());
                }
                alarm.as_mut().reset(deadline);
            }
        })
        .await;
    }

    fn deadline(&self, patience: Patience) -> Instant {
        let last = self.last.load(Ordering::Relaxed);
        let bound = if last & 1 == 1 { patience.head } else { patience.idle };
        self.start + Duration::from_millis(last >> 1) + bound
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX >> 1)
    }
}

fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    const PATIENCE: Patience =
        Patience { head: Duration::from_secs(10), idle: Duration::from_secs(75) };

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
}
