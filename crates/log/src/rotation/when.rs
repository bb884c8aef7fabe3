//! The units of rotation by time, and how people write them.
//!
//! What a unit comes to on a certain day is computed in `schedule`.

use std::fmt;
use std::str::FromStr;

use super::ScheduleError;

/// The unit of a [`Schedule`](crate::Schedule).
///
/// As text these are `S`, `M`, `H`, `D`, `midnight` and `W0` (Monday) to `W6` (Sunday), in either case; `second`,
/// `minute`, `hour`, `day` and the names of weekdays are read as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Seconds, counted from the moment at which the file was begun.
    Second,
    /// Minutes, counted in the same way.
    Minute,
    /// Hours, counted in the same way.
    Hour,
    /// Days of 24 hours, counted in the same way.
    Day,
    /// The end of a day.
    Midnight,
    /// The end of a day of the week; 0 is Monday.
    Weekday(u8),
}

impl FromStr for When {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        Ok(match text.to_ascii_uppercase().as_bytes() {
            b"S" | b"SECOND" => Self::Second,
            b"M" | b"MINUTE" => Self::Minute,
            b"H" | b"HOUR" => Self::Hour,
            b"D" | b"DAY" => Self::Day,
            b"MIDNIGHT" => Self::Midnight,
            [b'W', day @ b'0'..=b'6'] => Self::Weekday(day - b'0'),
            name => weekday(name).ok_or_else(|| ScheduleError::When { text: text.to_owned() })?,
        })
    }
}

fn weekday(name: &[u8]) -> Option<When> {
    let names = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];
    (0..).zip(names).find(|(_, known)| known.as_bytes() == name).map(|(day, _)| When::Weekday(day))
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Second => f.write_str("S"),
            Self::Minute => f.write_str("M"),
            Self::Hour => f.write_str("H"),
            Self::Day => f.write_str("D"),
            Self::Midnight => f.write_str("midnight"),
            Self::Weekday(day) => write!(f, "W{day}"),
        }
    }
}
