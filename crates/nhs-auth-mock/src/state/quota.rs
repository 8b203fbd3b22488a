//! An application's token requests of the last minute.

use std::collections::VecDeque;
use std::sync::Mutex;

use nhs_auth_rules::{Quota, UnixMillis};

use super::lock;

const MINUTE_MS: i64 = 60_000;

/// Counts requests in the minute before each. A request that is one too many isn't counted.
#[derive(Debug)]
pub(crate) struct RollingMinute(Mutex<Count>);

#[derive(Debug)]
struct Count {
    limit: usize,
    at: VecDeque<i64>,
}

impl RollingMinute {
    pub(crate) fn new(limit: u32) -> Self {
        Self(Mutex::new(Count { limit: limit as usize, at: VecDeque::new() }))
    }

    pub(crate) fn set_limit(&self, limit: u32) {
        lock(&self.0).limit = limit as usize;
    }

    /// Counts one more, if there is room for it.
    pub(crate) fn count(&self, now: UnixMillis) -> Quota {
        let count = &mut *lock(&self.0);
        // Threads may arrive a little out of order; a clock that was turned back starts afresh.
        let latest = count.at.back().copied().unwrap_or(i64::MIN);
        if now.0 < latest.saturating_sub(1000) {
            count.at.clear();
        }
        let now = now.0.max(count.at.back().copied().unwrap_or(i64::MIN));
        while count.at.front().is_some_and(|at| now - at >= MINUTE_MS) {
            count.at.pop_front();
        }
        if count.at.len() >= count.limit {
            return Quota::Exceeded;
        }
        count.at.push_back(now);
        Quota::Within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minute_rolls() {
        let minute = RollingMinute::new(2);
        let at = |ms| minute.count(UnixMillis(ms));
        assert_eq!(at(0), Quota::Within);
        assert_eq!(at(30_000), Quota::Within);
        assert_eq!(at(59_999), Quota::Exceeded);
        assert_eq!(at(60_000), Quota::Within);
        assert_eq!(at(60_001), Quota::Exceeded);
        assert_eq!(at(90_000), Quota::Within);
    }

    #[test]
    fn a_clock_that_was_turned_back_starts_afresh() {
        let minute = RollingMinute::new(1);
        assert_eq!(minute.count(UnixMillis(3_600_000)), Quota::Within);
        assert_eq!(minute.count(UnixMillis(3_599_900)), Quota::Exceeded);
        assert_eq!(minute.count(UnixMillis(0)), Quota::Within);
    }
}
