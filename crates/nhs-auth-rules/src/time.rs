//! Seconds and milliseconds are different types: mixing them is one of the faults that this
//! project exists to catch.

use std::fmt;

/// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted: a `NumericDate` (RFC 7519 §2)
/// with no fraction.
#[expect(clippy::exhaustive_structs, reason = "a number with a unit")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub i64);

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[expect(clippy::exhaustive_structs, reason = "a number with a unit")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub i64);

impl UnixSeconds {
    /// The same moment, in milliseconds (at the ends of the range the nearest that fits).
    pub const fn to_millis(self) -> UnixMillis {
        UnixMillis(self.0.saturating_mul(1000))
    }

    /// The moment `seconds` later, or earlier when negative.
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

impl UnixMillis {
    /// The second that this moment is in.
    pub const fn to_seconds(self) -> UnixSeconds {
        UnixSeconds(self.0.div_euclid(1000))
    }

    /// The moment `millis` later, or earlier when negative.
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A time span as people say it.
pub(crate) fn in_words(seconds: f64) -> String {
    let (number, unit) = match seconds {
        s if s < 120.0 => (s, "seconds"),
        s if s < 7200.0 => (s / 60.0, "minutes"),
        s if s < 172_800.0 => (s / 3600.0, "hours"),
        s if s < 63_072_000.0 => (s / 86_400.0, "days"),
        s => (s / 31_557_600.0, "years"),
    };
    if number < 1000.0 { format!("{number:.0} {unit}") } else { format!("{number:.0e} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_before_1970_belongs_to_the_second_that_it_is_in() {
        assert_eq!(UnixMillis(-1).to_seconds(), UnixSeconds(-1));
        assert_eq!(UnixMillis(1999).to_seconds(), UnixSeconds(1));
    }

    #[test]
    fn the_ends_of_the_range_do_not_wrap() {
        assert_eq!(UnixSeconds(i64::MAX).to_millis(), UnixMillis(i64::MAX));
        assert_eq!(UnixSeconds(i64::MIN).plus(-1), UnixSeconds(i64::MIN));
    }
}
