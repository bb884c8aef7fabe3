//! The times at which a log file is set aside, and the date that an old file carries in its name.
//!
//! It computes; it looks at no clock and no file.

use std::time::SystemTime;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

use super::When;
use crate::record::unix_nanos;

/// A text that is no part of a [`Schedule`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// It names no [`When`].
    #[error("`{text}` is none of S, M, H, D, midnight, W0, …, W6")]
    When {
        /// The text.
        text: String,
    },
    /// It names no time zone.
    #[error("`{text}` is no time zone that this machine knows, nor a rule for one")]
    Zone {
        /// The text.
        text: String,
    },
}

/// When a log file is set aside by time.
///
/// ```
/// use gristmill_log::{Schedule, When};
///
/// let nightly = Schedule::new(When::Midnight);
/// let twice_a_minute = Schedule::new(When::Second).every(30).utc();
/// let sundays_at_noon = Schedule::new(When::Weekday(6)).at(12, 0, 0);
/// ```
#[derive(Clone, Debug)]
pub struct Schedule {
    when: When,
    every: i64,
    zone: TimeZone,
    at: Option<Time>,
}

impl Schedule {
    /// Once for each unit, in local time.
    #[must_use]
    pub fn new(when: When) -> Self {
        Self { when, every: 1, zone: TimeZone::system(), at: None }
    }

    /// Only after this many units; 0 counts as 1.
    #[must_use]
    pub fn every(mut self, units: u32) -> Self {
        self.every = i64::from(units.max(1));
        self
    }

    /// Days begin and files are named in UTC.
    #[must_use]
    pub fn utc(mut self) -> Self {
        self.zone = TimeZone::UTC;
        self
    }

    /// Days begin and files are named in this time zone: a name such as `Europe/Berlin`, or a rule such as
    /// `EST5EDT,M3.2.0,M11.1.0`.
    ///
    /// # Errors
    /// When there is no such zone.
    pub fn zone(mut self, zone: &str) -> Result<Self, ScheduleError> {
        let known = TimeZone::get(zone).or_else(|_| TimeZone::posix(zone));
        self.zone = known.map_err(|_| ScheduleError::Zone { text: zone.to_owned() })?;
        Ok(self)
    }

    /// The time of day for [`When::Midnight`] and [`When::Weekday`], in place of the day's end. Parts beyond those of
    /// a day, such as an hour 25, count as the largest.
    #[must_use]
    pub fn at(mut self, hour: u8, minute: u8, second: u8) -> Self {
        let part = |value: u8, most: u8| value.min(most).cast_signed();
        self.at = Time::new(part(hour, 23), part(minute, 59), part(second, 59), 0).ok();
        self
    }

    /// The first time after `time` at which a file that was begun then is set aside. Fractions of seconds are cut off.
    #[must_use]
    pub fn next_after(&self, time: SystemTime) -> SystemTime {
        let second = unix_nanos(time).div_euclid(1_000_000_000);
        let next = self.next_second(second);
        SystemTime::from(Timestamp::from_second(next).unwrap_or(Timestamp::MAX))
    }

    /// The same in seconds since the epoch.
    pub(super) fn next_second(&self, second: i64) -> i64 {
        let next = match self.unit_seconds() {
            Some(unit) => second.checked_add(unit.saturating_mul(self.every)),
            None => self.next_day_end(second),
        };
        // A schedule beyond the calendar's end never comes due.
        next.unwrap_or(i64::MAX)
    }

    /// The date and time at which the period that ends at `second` began, as it stands in a file name.
    pub(super) fn name(&self, second: i64) -> String {
        let start = match self.unit_seconds() {
            Some(unit) => self.zoned(second.saturating_sub(unit.saturating_mul(self.every))),
            None if self.at.is_some() => self.days_before(second, self.days()),
            // From the period's last second on: a zone may have left out the day before its end.
            None => self.days_before(second.saturating_sub(1), self.days() - 1),
        };
        start.strftime(self.pattern()).to_string()
    }

    /// The name of a period that begins at `second`.
    pub(super) fn date(&self, second: i64) -> String {
        self.zoned(second).strftime(self.pattern()).to_string()
    }

    /// Whether `text` is what [`name`](Self::name) may have made.
    pub(super) fn is_name(&self, text: &str) -> bool {
        let shape = match self.when {
            When::Second => "0000-00-00_00-00-00",
            When::Minute => "0000-00-00_00-00",
            When::Hour => "0000-00-00_00",
            When::Day | When::Midnight | When::Weekday(_) => "0000-00-00",
        };
        let fits =
            |(byte, shape): (u8, u8)| if shape == b'0' { byte.is_ascii_digit() } else { byte == shape };
        text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
    }

    fn pattern(&self) -> &'static str {
        match self.when {
            When::Second => "%Y-%m-%d_%H-%M-%S",
            When::Minute => "%Y-%m-%d_%H-%M",
            When::Hour => "%Y-%m-%d_%H",
            When::Day | When::Midnight | When::Weekday(_) => "%Y-%m-%d",
        }
    }

    /// The length of a unit that has one. A calendar day has not: the clocks may be changed on it.
    fn unit_seconds(&self) -> Option<i64> {
        match self.when {
            When::Second => Some(1),
            When::Minute => Some(60),
            When::Hour => Some(60 * 60),
            When::Day => Some(24 * 60 * 60),
            When::Midnight | When::Weekday(_) => None,
        }
    }

    fn days(&self) -> i64 {
        let unit = if matches!(self.when, When::Weekday(_)) { 7 } else { 1 };
        self.every.saturating_mul(unit)
    }

    fn zoned(&self, second: i64) -> Zoned {
        Timestamp::from_second(second).unwrap_or_default().to_zoned(self.zone.clone())
    }

    fn days_before(&self, second: i64, days: i64) -> Zoned {
        let end = self.zoned(second);
        Span::new().try_days(days).and_then(|days| end.checked_sub(days)).unwrap_or(end)
    }

    fn next_day_end(&self, second: i64) -> Option<i64> {
        let mut date = self.zoned(second).date();
        // The day's end is the next one's first moment. A week and a day hold every weekday's end.
        for _ in 0..9 {
            if self.is_wanted(date) {
                let end = self.day_end(date)?;
                if end > second {
                    let unit = if matches!(self.when, When::Weekday(_)) { 7 } else { 1 };
                    let more = self.days() - unit;
                    return if more == 0 {
                        Some(end)
                    } else {
                        self.day_end(date.checked_add(Span::new().try_days(more).ok()?).ok()?)
                    };
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn is_wanted(&self, date: Date) -> bool {
        match self.when {
            When::Weekday(day) => {
                date.weekday()
                    == Weekday::from_monday_zero_offset(day.cast_signed()).unwrap_or(Weekday::Monday)
            }
            _ => true,
        }
    }

    /// When the file of this day is set aside. A time that the clocks skip on that day comes later by as much as they
    /// skip.
    fn day_end(&self, date: Date) -> Option<i64> {
        let moment = match self.at {
            Some(time) => date.to_datetime(time),
            None => date.tomorrow().ok()?.to_datetime(Time::midnight()),
        };
        Some(moment.to_zoned(self.zone.clone()).ok()?.timestamp().as_second())
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod zones;
