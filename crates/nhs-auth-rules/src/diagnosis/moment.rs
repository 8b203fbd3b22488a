//! Times as people read them.

use crate::UnixSeconds;

const DAY: i64 = 86_400;

/// Year, month and day of a Unix day (Hinnant's `civil_from_days`).
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The Unix day of a date.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_index = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// `2026-11-21 12:00:00 UTC`.
pub(super) fn utc(at: UnixSeconds) -> String {
    // Beyond the year 9999 a date tells nobody anything.
    if !(-62_135_596_800..253_402_300_800).contains(&at.0) {
        return format!("{} s", at.0);
    }
    let (year, month, day) = date(at.0.div_euclid(DAY));
    let second = at.0.rem_euclid(DAY);
    format!("{year:04}-{month:02}-{day:02} {} UTC", clock(second))
}

/// `14:32 UTC`.
pub(super) fn hour_and_minute(at: UnixSeconds) -> String {
    let minute = at.0.rem_euclid(DAY) / 60;
    format!("{:02}:{:02} UTC", minute / 60, minute % 60)
}

fn clock(second: i64) -> String {
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// Whether the clocks of the United Kingdom are an hour ahead: from the last Sunday in March to the
/// last in October, both at 01:00 UTC (Summer Time Order 2002).
pub(super) fn is_british_summer_time(at: UnixSeconds) -> bool {
    if !(0..253_402_300_800).contains(&at.0) {
        return false;
    }
    let (year, ..) = date(at.0.div_euclid(DAY));
    let last_sunday = |month| {
        let last = days(year, month, 31);
        // 1970-01-01 was a Thursday.
        (last - (last + 4).rem_euclid(7)) * DAY + 3600
    };
    (last_sunday(3)..last_sunday(10)).contains(&at.0)
}

/// A number of seconds as people say it.
pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.abs();
    let (number, unit) = match seconds {
        s if s < 120.0 => (s, "seconds"),
        s if s < 7200.0 => (s / 60.0, "minutes"),
        s if s < 172_800.0 => (s / 3600.0, "hours"),
        s if s < 63_072_000.0 => (s / 86_400.0, "days"),
        s => (s / 31_557_600.0, "years"),
    };
    if number < 10_000.0 { format!("{number:.0} {unit}") } else { format!("{number:.0e} {unit}") }
}

/// A number of seconds that can be counted with: what lies a hundred million years away is brought
/// back to there, so that no difference of two times is too large.
#[expect(clippy::cast_possible_truncation, reason = "it is brought into range first")]
pub(super) fn countable(seconds: f64) -> i64 {
    const FAR: f64 = 3e15;
    seconds.clamp(-FAR, FAR) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_difference_of_two_times_is_too_large() {
        let (far, least) = (countable(f64::MAX), i64::MIN / 1000);
        assert!(far.checked_sub(least).is_some() && countable(f64::NEG_INFINITY) == -far);
        assert_eq!((countable(f64::NAN), countable(1.9)), (0, 1));
    }

    #[test]
    fn dates_and_summer_time() {
        assert_eq!(utc(UnixSeconds(1_800_000_000)), "2027-01-15 08:00:00 UTC");
        assert_eq!(utc(UnixSeconds(951_782_400)), "2000-02-29 00:00:00 UTC");
        assert_eq!(days(2000, 2, 29) * DAY, 951_782_400);
        assert_eq!(hour_and_minute(UnixSeconds(1_800_003_120)), "08:52 UTC");
        // 2026: from 29 March to 25 October.
        let changes = [(1_774_745_999, false), (1_774_746_000, true), (1_792_889_999, true)];
        for (at, summer) in changes {
            assert_eq!(is_british_summer_time(UnixSeconds(at)), summer, "{at}");
        }
        assert!(!is_british_summer_time(UnixSeconds(1_792_890_000)));
    }
}
