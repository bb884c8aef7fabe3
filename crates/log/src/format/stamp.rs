//! Wall time as text: RFC 3339 in local time, with milliseconds and the offset.
//!
//! Most records of a busy queue share their second, so its text is kept. Elapsed times are not made here.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Turns times into text.
#[derive(Debug)]
pub(crate) struct Stamp {
    zone: TimeZone,
    /// The second and the separator of `text`.
    rendered: Option<(i64, char)>,
    /// `2026-11-21 08:00:00.123+01:00`
    text: Vec<u8>,
    /// Where the milliseconds are in it.
    millis_at: usize,
}

impl Stamp {
    /// In the time zone of the system.
    pub(crate) fn system() -> Self {
        Self::new(TimeZone::system())
    }

    fn new(zone: TimeZone) -> Self {
        Self { zone, rendered: None, text: Vec::new(), millis_at: 0 }
    }

    /// The text of a time in nanoseconds since the epoch, with `separator` between date and time.
    pub(crate) fn at(&mut self, nanos: i64, separator: char) -> &str {
        let second = nanos.div_euclid(1_000_000_000);
        if self.rendered != Some((second, separator)) {
            self.render(second, separator);
        }
        let millis = nanos.rem_euclid(1_000_000_000) / 1_000_000;
        let digits = [millis / 100, millis / 10 % 10, millis % 10].map(|digit| b'0' + digit as u8);
        self.text[self.millis_at..][..digits.len()].copy_from_slice(&digits);
        std::str::from_utf8(&self.text).expect("digits in place of digits")
    }

    fn render(&mut self, second: i64, separator: char) {
        // 64 bits of nanoseconds end in the year 2262, long before the largest timestamp.
        let zoned = Timestamp::from_second(second).unwrap_or_default().to_zoned(self.zone.clone());
        let before = format!("{}{separator}{}.", zoned.strftime("%Y-%m-%d"), zoned.strftime("%H:%M:%S"));
        self.millis_at = before.len();
        self.text = format!("{before}000{}", zoned.strftime("%:z")).into_bytes();
        self.rendered = Some((second, separator));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::offset;

    #[test]
    fn times_have_milliseconds_and_an_offset() {
        let mut stamp = Stamp::new(TimeZone::fixed(offset(1)));
        assert_eq!(stamp.at(1_795_248_000_123_456_789, 'T'), "2026-11-21T09:00:00.123+01:00");
        assert_eq!(stamp.at(1_795_248_000_999_999_999, ' '), "2026-11-21 09:00:00.999+01:00");
        assert_eq!(stamp.at(1_795_248_001_000_000_000, 'T'), "2026-11-21T09:00:01.000+01:00");
    }

    #[test]
    fn any_time_has_a_text() {
        let mut stamp = Stamp::new(TimeZone::UTC);
        assert_eq!(stamp.at(-1, 'T'), "1969-12-31T23:59:59.999+00:00");
        assert!(stamp.at(i64::MAX, 'T').starts_with("2262-"));
        assert!(stamp.at(i64::MIN, 'T').starts_with("1677-"));
    }
}
