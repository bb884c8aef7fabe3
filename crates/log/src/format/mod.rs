//! How a record looks to a reader: a line of text, a line of JSON, or a line by a pattern.
//!
//! A formatter appends whole records to a buffer; who writes it where, and when, is the handlers' matter.

mod json;
mod pattern;
mod stamp;
mod text;

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::SystemTime;

pub use pattern::{Pattern, PatternError};

use crate::Record;
use crate::record::{now, unix_nanos};
use stamp::Stamp;

/// How a record is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One line for people. Further lines of a message are indented, so that only a record starts at the margin.
    #[default]
    Text,
    /// One JSON object in one line.
    Json,
    /// One line as a pattern says. Further lines of a message are indented here, too.
    Pattern(Pattern),
}

impl FromStr for Format {
    type Err = PatternError;

    /// Reads `text`, `json`, or a pattern, which has a brace.
    fn from_str(text: &str) -> Result<Self, PatternError> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            pattern => pattern.parse().map(Self::Pattern),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Json => f.write_str("json"),
            Self::Pattern(pattern) => pattern.fmt(f),
        }
    }
}

/// Formats records for one handler.
#[derive(Debug)]
pub(crate) struct Formatter {
    format: Format,
    colors: bool,
    origin: i64,
    stamp: Stamp,
}

impl Default for Formatter {
    fn default() -> Self {
        Self { format: Format::default(), colors: false, origin: now(), stamp: Stamp::system() }
    }
}

impl Formatter {
    pub(crate) fn set_format(&mut self, format: Format) {
        self.format = format;
    }

    pub(crate) fn set_colors(&mut self, colors: bool) {
        self.colors = colors;
    }

    /// Sets the moment from which elapsed times are counted.
    pub(crate) fn begin(&mut self, origin: SystemTime) {
        self.origin = unix_nanos(origin);
    }

    /// Appends one record with its line end.
    pub(crate) fn append(&mut self, record: &Record, out: &mut Vec<u8>) -> io::Result<()> {
        let millis = self.elapsed(record);
        match &self.format {
            Format::Text => {
                text::append(record, self.stamp.at(record.time, ' '), millis, self.colors, out);
                Ok(())
            }
            Format::Json => json::append(record, self.stamp.at(record.time, 'T'), millis, out),
            Format::Pattern(pattern) => {
                pattern.append(record, self.stamp.at(record.time, ' '), millis, self.colors, out);
                Ok(())
            }
        }
    }

    /// Milliseconds between the listener's start and the record, which may be older.
    fn elapsed(&self, record: &Record) -> i64 {
        record.time.saturating_sub(self.origin) / 1_000_000
    }
}
