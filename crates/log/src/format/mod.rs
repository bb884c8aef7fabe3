//! How a record looks to a reader: a line of text or a line of JSON.
//!
//! A formatter appends whole records to a buffer; who writes it where, and when, is the handlers' matter.

mod json;
mod stamp;
mod text;

use std::io;
use std::time::SystemTime;

use crate::Record;
use crate::record::{now, unix_nanos};
use stamp::Stamp;

/// How a record is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One line for people. Further lines of a message are indented, so that only a record starts at the margin.
    #[default]
    Text,
    /// One JSON object in one line.
    Json,
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
        match self.format {
            Format::Text => text::append(record, self.stamp.at(record.time, ' '), millis, self.colors, out),
            Format::Json => json::append(record, self.stamp.at(record.time, 'T'), millis, out),
        }
    }

    /// Milliseconds between the listener's start and the record, which may be older.
    fn elapsed(&self, record: &Record) -> i64 {
        record.time.saturating_sub(self.origin) / 1_000_000
    }
}
