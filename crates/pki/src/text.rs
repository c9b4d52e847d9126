//! How octets and times are written for people.

use rustls::pki_types::UnixTime;
use std::fmt::Write as _;
use x509_parser::time::ASN1Time;

/// Lower-case hexadecimal digits.
pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::with_capacity(octets.len() * 2), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

/// A serial number in hexadecimal, without octets of zeros in front.
pub(crate) fn serial(octets: &[u8]) -> String {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    let significant = octets.get(zeros..).unwrap_or_default();
    if significant.is_empty() { "00".into() } else { hex(significant) }
}

/// A time as in RFC 3339, in UTC.
pub(crate) fn utc(time: UnixTime) -> String {
    let Some(time) = i64::try_from(time.as_secs()).ok().and_then(|time| ASN1Time::from_timestamp(time).ok()) else {
        return format!("{} s after 1970", time.as_secs());
    };
    let (date, clock) = (time.to_datetime().date(), time.to_datetime().time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second()
    )
}

/// Seconds from 1970; what was before is 1970.
pub(crate) fn unix(time: &ASN1Time) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(u64::try_from(time.timestamp()).unwrap_or(0)))
}

/// Text of a stranger for a log: at most 200 characters, everything but visible ASCII escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut end = text.len().min(200);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let (head, rest) = text.split_at(end);
    format!("\"{}{}\"", head.escape_default(), if rest.is_empty() { "" } else { "…" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(utc(UnixTime::since_unix_epoch(Duration::from_secs(1_795_267_520))), "2026-11-21T13:25:20Z");
        assert_eq!(utc(UnixTime::since_unix_epoch(Duration::ZERO)), "1970-01-01T00:00:00Z");
        assert_eq!(
            utc(UnixTime::since_unix_epoch(Duration::from_secs(u64::MAX))),
            format!("{} s after 1970", u64::MAX)
        );
    }

    #[test]
    fn a_serial_number_has_one_spelling() {
        assert_eq!(serial(&[0, 0xab, 1]), "ab01");
        assert_eq!(serial(&[0xab, 1]), "ab01");
        assert_eq!(serial(&[0x0a]), "0a");
        assert_eq!(serial(&[0, 0]), "00");
        assert_eq!(serial(&[]), "00");
    }

    #[test]
    fn strangers_cannot_write_lines_into_a_log() {
        assert_eq!(quoted("a\nb\u{202e}\"c"), r#""a\nb\u{202e}\"c""#);
        assert_eq!(quoted(&"é".repeat(101)).matches("\\u{e9}").count(), 100);
    }
}
