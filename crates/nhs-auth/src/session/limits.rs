//! How long a session may last.

use std::time::Duration;

use nhs_auth_rules::UnixMillis;

/// How long a session lasts without being used, and in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the two limits that there are")]
pub struct SessionLimits {
    /// Without being used.
    pub idle: Duration,
    /// In all.
    pub total: Duration,
}

impl SessionLimits {
    /// Of healthcare workers: 15 minutes, and 12 hours (CIS2's conformance, `NHS CIA Ses Req 005`
    /// and `007`).
    pub const CIS2: Self = Self { idle: Duration::from_mins(15), total: Duration::from_hours(12) };

    /// Of patients: 30 minutes, and 12 hours (NHS login's guidance on session management).
    pub const NHS_LOGIN: Self =
        Self { idle: Duration::from_mins(30), total: Duration::from_hours(12) };

    /// When a session ends that began and was last used at these times.
    pub(super) fn end(self, began: UnixMillis, last_seen: UnixMillis) -> UnixMillis {
        began.plus(millis(self.total)).min(last_seen.plus(millis(self.idle)))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_comes_first() {
        let (began, minute) = (UnixMillis(0), 60_000);
        let end = |last_seen: i64| SessionLimits::CIS2.end(began, UnixMillis(last_seen)).0;
        assert_eq!(end(0), 15 * minute);
        assert_eq!(end(10 * minute), 25 * minute);
        assert_eq!(end(710 * minute), 720 * minute);
    }
}
