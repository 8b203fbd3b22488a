//! How far this machine's clock is from the platform's.

use nhs_auth_rules::UnixMillis;

/// The platform's clock less ours, in milliseconds: positive when ours is slow.
///
/// "JWT has expired" and "more than 5 minutes in future" are nearly always a wrong clock, and every
/// answer has the platform's time in its `Date` header (RFC 9110 §6.6.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockSkew {
    millis: i64,
}

/// From how much on a difference is told, and worth another attempt: 10 s, in milliseconds.
const REMARKABLE_MS: i64 = 10_000;

/// A `Date` header counts whole seconds, and an answer takes time to arrive.
const NOISE_MS: i64 = 2_000;

impl ClockSkew {
    /// What a `Date` header says about our clock. The answer was written at some moment between
    /// `sent` and `received`, which are our times, so a date from there shows no skew; nor does
    /// one that is less than two seconds away from it.
    #[cfg(test)]
    fn learn(date: &str, sent: UnixMillis, received: UnixMillis) -> Option<Self> {
        Self::learn_aged(date, 0, sent, received)
    }

    /// The same, of an answer that a cache on the way had for so many seconds (its `Age` header):
    /// the date is when the cache got it.
    pub(crate) fn learn_aged(
        date: &str,
        age_s: u64,
        sent: UnixMillis,
        received: UnixMillis,
    ) -> Option<Self> {
        let theirs = httpdate::parse_http_date(date).ok()?;
        let theirs = theirs.duration_since(std::time::UNIX_EPOCH).ok()?;
        // The header leaves out its fraction of a second: half of one on average.
        let theirs = i64::try_from(theirs.as_millis()).ok()?.saturating_add(500);
        let kept_ms = i64::try_from(age_s.saturating_mul(1000)).unwrap_or(i64::MAX);
        let theirs = theirs.saturating_add(kept_ms);
        let late = theirs.saturating_sub(received.0).max(0);
        let early = theirs.saturating_sub(sent.0).min(0);
        let millis = late.saturating_add(early);
        Some(Self { millis: if millis.abs() < NOISE_MS { 0 } else { millis } })
    }

    /// A skew of so many milliseconds.
    pub(crate) const fn from_millis(millis: i64) -> Self {
        Self { millis }
    }

    /// The platform's clock less ours, in milliseconds.
    pub const fn millis(self) -> i64 {
        self.millis
    }

    /// What the platform's clock shows when ours shows `ours`.
    pub const fn applied_to(self, ours: UnixMillis) -> UnixMillis {
        ours.plus(self.millis)
    }

    /// Whether the two differ by no more than measuring explains.
    pub(crate) const fn is_about(self, other: Self) -> bool {
        (self.millis - other.millis).abs() < NOISE_MS
    }

    /// Whether the two differ by more than 10 seconds: by so much that an assertion by the one is
    /// refused where the other is right.
    pub(crate) const fn is_far_from(self, other: Self) -> bool {
        (self.millis - other.millis).abs() > REMARKABLE_MS
    }

    /// Whether people should hear of it: more than 10 seconds.
    pub const fn is_remarkable(self) -> bool {
        self.millis.abs() > REMARKABLE_MS
    }
}

impl std::fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.millis.abs() / 1000;
        let word = if self.millis > 0 { "slow" } else { "fast" };
        write!(f, "this machine's clock is {seconds} s {word}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Sat, 21 Nov 2026 12:00:00 GMT";
    const DATE_MS: i64 = 1_795_262_400_000;

    fn learned(ours: i64) -> i64 {
        ClockSkew::learn(DATE, UnixMillis(ours), UnixMillis(ours)).unwrap().millis()
    }

    #[test]
    fn a_clock_that_is_slow_gets_a_positive_skew() {
        assert_eq!(learned(DATE_MS + 500 - 60_000), 60_000);
        assert_eq!(learned(DATE_MS + 500 + 60_000), -60_000);
    }

    #[test]
    fn what_rounding_and_travel_explain_is_no_skew() {
        assert_eq!(learned(DATE_MS), 0);
        assert_eq!(learned(DATE_MS + 999), 0);
    }

    #[test]
    fn a_slow_answer_shows_no_skew_wherever_in_its_time_it_was_written() {
        for (sent, received) in [(-26_000, 0), (0, 26_000), (-13_000, 13_000)] {
            let (sent, received) = (UnixMillis(DATE_MS + sent), UnixMillis(DATE_MS + received));
            assert_eq!(ClockSkew::learn(DATE, sent, received).unwrap().millis(), 0);
        }
        let (sent, received) = (UnixMillis(DATE_MS - 90_000), UnixMillis(DATE_MS - 60_000));
        assert_eq!(ClockSkew::learn(DATE, sent, received).unwrap().millis(), 60_500);
    }

    #[test]
    fn what_a_cache_kept_shows_no_skew() {
        let now = UnixMillis(DATE_MS + 90_000);
        assert_eq!(ClockSkew::learn_aged(DATE, 90, now, now).unwrap().millis(), 0);
        assert!(ClockSkew::learn_aged(DATE, u64::MAX, now, now).is_some());
    }

    #[test]
    fn nonsense_teaches_nothing() {
        assert_eq!(ClockSkew::learn("yesterday", UnixMillis(0), UnixMillis(0)), None);
    }
}
