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

    /// How long the machine has been running, where that can be known: it can't be set, and goes on
    /// in the machine's sleep.
    fn uptime(&self) -> Option<Uptime> {
        None
    }

    /// The steady clock's moment when the time was `then`, as far as the two agree; now, when
    /// `then` is yet to come.
    fn steady_at(&self, then: UnixMillis) -> Instant {
        let elapsed = self.now().0.saturating_sub(then.0);
        let elapsed = Duration::from_millis(u64::try_from(elapsed).unwrap_or(0));
        let now = self.steady();
        now.checked_sub(elapsed).unwrap_or(now)
    }
}

/// How long a machine has been running since it was started.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a count, and what it is counted from")]
pub struct Uptime {
    /// Tells one start of one machine from all others.
    pub boot: String,
    /// Seconds since then.
    pub seconds: i64,
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

    #[cfg(target_os = "linux")]
    fn uptime(&self) -> Option<Uptime> {
        use aws_lc_rs::digest::{SHA256, digest};
        use rustix::time::{ClockId, clock_gettime};
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        // A hash of it: the id itself is the machine's own affair.
        let boot =
            crate::key::base64url(&digest(&SHA256, boot_id.trim().as_bytes()).as_ref()[..12]);
        Some(Uptime { boot, seconds: clock_gettime(ClockId::Boottime).tv_sec })
    }
}
