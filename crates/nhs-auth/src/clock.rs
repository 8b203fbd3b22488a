//! Time comes in through a trait, so that every policy is tested without waiting.

use std::fmt;
use std::time::{Duration, SystemTime};

use nhs_auth_rules::UnixMillis;
use tokio::time::Instant;

/// Where the time comes from.
pub trait Clock: fmt::Debug + Send + Sync {
    /// What the time is, as the machine believes. It can jump.
    fn now(&self) -> UnixMillis;

    /// A moment on a clock that never jumps; on some machines it stands still in their sleep.
    fn steady(&self) -> Instant;

    /// The steady clock's moment when the time was `then`, as far as the two agree; now, when
    /// `then` is yet to come.
    fn steady_at(&self, then: UnixMillis) -> Instant {
        let elapsed = self.now().0.saturating_sub(then.0);
        let elapsed = Duration::from_millis(u64::try_from(elapsed).unwrap_or(0));
        let now = self.steady();
        now.checked_sub(elapsed).unwrap_or(now)
    }
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes in")]
    fn now(&self) -> UnixMillis {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        UnixMillis(since.map_or_else(|before| -millis(before.duration()), millis))
    }

    fn steady(&self) -> Instant {
        Instant::now()
    }
}
