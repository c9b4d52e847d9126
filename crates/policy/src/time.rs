//! The calendar, as far as Cedar's `datetime` needs it.

/// The last second of the year 9999: what is later cannot be written.
const LAST: u64 = 253_402_300_799;
const DAY: u64 = 86_400;

/// Names of the days, from that of 1970-01-01 on.
pub(crate) const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// Which of [`WEEKDAYS`] it is.
pub(crate) fn weekday(seconds: u64) -> usize {
    usize::try_from(seconds / DAY % 7).unwrap_or(0)
}

/// Seconds since 1970 as RFC 3339 text in UTC; what is later than the year 9999 is its last second.
pub(crate) fn rfc3339(seconds: u64) -> String {
    let seconds = seconds.min(LAST);
    let (days, rest) = (seconds / DAY, seconds % DAY);
    // Counted from 0000-03-01, so that the leap day is the last of a year; 400 years have 146097 days.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_dates() {
        for (seconds, text, day) in [
            (0, "1970-01-01T00:00:00Z", "Thursday"),
            (951_782_399, "2000-02-28T23:59:59Z", "Monday"),
            (951_782_400, "2000-02-29T00:00:00Z", "Tuesday"),
            (1_709_210_096, "2024-02-29T12:34:56Z", "Thursday"),
            (4_107_542_400, "2100-03-01T00:00:00Z", "Monday"),
            (LAST, "9999-12-31T23:59:59Z", "Friday"),
        ] {
            assert_eq!(rfc3339(seconds), text);
            assert_eq!(WEEKDAYS[weekday(seconds)], day, "{text}");
        }
        assert_eq!(rfc3339(u64::MAX), rfc3339(LAST));
    }
}
