//! When something happened, in a way that survives a clock that is set.

use nhs_auth_rules::UnixSeconds;
use serde::{Deserialize, Serialize};

use crate::{Clock, Uptime};

/// A moment, by the clock on the wall and, where there is one, by the machine's uptime.
///
/// As long as the machine runs, waits are counted by its uptime: a clock that is set forward makes no
/// key old, and one that is set back makes nobody wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Moment {
    /// Seconds since 1970-01-01T00:00:00Z.
    #[serde(rename = "at")]
    at_s: i64,
    /// Which start of which machine `uptime_s` is counted from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot: Option<String>,
    /// The machine's uptime, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uptime_s: Option<i64>,
}

impl Moment {
    /// Now.
    pub fn now(clock: &dyn Clock) -> Self {
        let at_s = clock.now().to_seconds().0;
        match clock.uptime() {
            Some(Uptime { boot, seconds }) => {
                Self { at_s, boot: Some(boot), uptime_s: Some(seconds) }
            }
            None => Self { at_s, boot: None, uptime_s: None },
        }
    }

    /// By the clock on the wall.
    pub const fn at(&self) -> UnixSeconds {
        UnixSeconds(self.at_s)
    }

    /// How many seconds have passed since an earlier moment. Where the machine was started anew in
    /// between, or it is another, that can be negative: one of the clocks is wrong.
    pub(super) fn seconds_since(&self, earlier: &Self) -> i64 {
        match (self.uptime_s, earlier.uptime_s) {
            (Some(now), Some(then)) if self.boot == earlier.boot => now.saturating_sub(then),
            _ => self.at_s.saturating_sub(earlier.at_s),
        }
    }

    /// The moment when the clock on the wall says so, on the same machine.
    pub(super) fn moved_to(&self, at: UnixSeconds) -> Self {
        let by = at.0.saturating_sub(self.at_s);
        let uptime_s = self.uptime_s.map(|uptime_s| uptime_s.saturating_add(by));
        Self { at_s: at.0, boot: self.boot.clone(), uptime_s }
    }

    /// When so many seconds will have passed since an earlier moment, as far as can be told now.
    pub(super) fn when_passed(&self, wait_s: i64, earlier: &Self) -> UnixSeconds {
        let left = wait_s.saturating_sub(self.seconds_since(earlier));
        self.at().plus(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(at: i64, boot: &str, uptime_s: i64) -> Moment {
        Moment { at_s: at, boot: Some(boot.to_owned()), uptime_s: Some(uptime_s) }
    }

    #[test]
    fn a_clock_set_forward_makes_nothing_older() {
        let then = moment(1000, "a", 50);
        assert_eq!(moment(9000, "a", 60).seconds_since(&then), 10);
        assert_eq!(moment(9000, "a", 60).when_passed(100, &then), UnixSeconds(9090));
    }

    #[test]
    fn a_clock_set_back_makes_nobody_wait() {
        let then = moment(1000, "a", 50);
        assert_eq!(moment(900, "a", 60).seconds_since(&then), 10);
        assert_eq!(moment(900, "a", 60).when_passed(100, &then), UnixSeconds(990));
    }

    #[test]
    fn another_start_of_the_machine_leaves_the_clock_on_the_wall() {
        let then = moment(1000, "a", 5000);
        assert_eq!(moment(1200, "b", 3).seconds_since(&then), 200);
        assert_eq!(moment(1200, "b", 3).when_passed(100, &then), UnixSeconds(1100));
    }
}
