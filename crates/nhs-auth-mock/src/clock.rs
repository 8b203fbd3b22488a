//! The platform's clock: the machine's, and an offset that a test moves. Everything that ages
//! here ages by this clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;
use nhs_auth_rules::UnixMillis;

/// How far the clock can be moved either way: dates stay ones that every format here can write.
pub(crate) const MAX_OFFSET_MS: i64 = 40 * 365 * 24 * 60 * 60 * 1000;

/// A clock with an offset.
#[derive(Debug)]
pub(crate) struct Clock {
    start_offset_ms: i64,
    offset_ms: AtomicI64,
}

impl Clock {
    pub(crate) fn new(offset_ms: i64) -> Self {
        let start_offset_ms = bounded(offset_ms);
        Self { start_offset_ms, offset_ms: AtomicI64::new(start_offset_ms) }
    }

    /// The time here.
    pub(crate) fn now(&self) -> UnixMillis {
        UnixMillis(wall_clock_ms()).plus(self.offset_ms())
    }

    /// How far this clock is ahead of the machine's.
    pub(crate) fn offset_ms(&self) -> i64 {
        self.offset_ms.load(Ordering::Relaxed)
    }

    /// Moves the clock, backwards when negative, within what dates can say. Returns the offset.
    pub(crate) fn advance(&self, by_ms: i64) -> i64 {
        let moved = |offset: i64| Some(bounded(offset.saturating_add(by_ms)));
        self.offset_ms
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, moved)
            .unwrap_or_else(|unchanged| unchanged);
        self.offset_ms()
    }

    /// Back to where it was at the start.
    pub(crate) fn reset(&self) {
        self.offset_ms.store(self.start_offset_ms, Ordering::Relaxed);
    }
}

/// An offset that dates can bear.
pub(crate) fn bounded(offset_ms: i64) -> i64 {
    offset_ms.clamp(-MAX_OFFSET_MS, MAX_OFFSET_MS)
}

/// A span of time in whole milliseconds, the longest where it doesn't fit.
pub(crate) fn whole_millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// Seconds, as people write them in JSON, in milliseconds. `None` for what isn't finite.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast of a float saturates, and the clock's bound is far inside"
)]
pub(crate) fn millis_of_seconds(seconds: f64) -> Option<i64> {
    seconds.is_finite().then(|| (seconds * 1000.0).round() as i64)
}

/// Milliseconds in seconds, for JSON.
#[expect(
    clippy::cast_precision_loss,
    reason = "the clock's bound is far inside what a float holds exactly"
)]
pub(crate) fn seconds_of_millis(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

/// RFC 3339 in UTC, with milliseconds.
pub(crate) fn rfc3339(at: UnixMillis) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
}

/// The value of a `Date` header (RFC 9110 §5.6.7).
pub(crate) fn http_date(at: UnixMillis) -> HeaderValue {
    let since_epoch = Duration::from_millis(u64::try_from(at.0).unwrap_or(0));
    HeaderValue::from_str(&httpdate::fmt_http_date(UNIX_EPOCH + since_epoch))
        .unwrap_or(HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the mock reads the machine's clock"
)]
fn wall_clock_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, whole_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_the_wire_writes_them() {
        let at = UnixMillis(1_800_000_000_007);
        assert_eq!(rfc3339(at), "2027-01-15T08:00:00.007Z");
        assert_eq!(http_date(at), "Fri, 15 Jan 2027 08:00:00 GMT");
    }

    #[test]
    fn the_clock_stays_within_what_dates_can_say() {
        let clock = Clock::new(0);
        assert_eq!(clock.advance(i64::MAX), MAX_OFFSET_MS);
        let _ = (rfc3339(clock.now()), http_date(clock.now()));
        assert_eq!(clock.advance(i64::MIN), -MAX_OFFSET_MS);
        let _ = (rfc3339(clock.now()), http_date(clock.now()));
        clock.reset();
        assert_eq!(clock.offset_ms(), 0);
    }

    #[test]
    fn fractions_of_a_second_count() {
        assert_eq!(millis_of_seconds(-1.5), Some(-1500));
        assert_eq!(millis_of_seconds(f64::NAN), None);
        assert_eq!(millis_of_seconds(1e300), Some(i64::MAX));
    }
}
