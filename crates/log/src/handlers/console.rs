//! The handler that writes to standard error, or to any writer that stands in for it.
//!
//! Whether it is a terminal is not looked at: colours come only when asked for.

use std::fmt;
use std::io::{self, Write};
use std::time::SystemTime;

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use super::Handler;
use crate::format::Formatter;
use crate::{Format, Record};

/// Writes each record with one write call to standard error or another writer.
pub struct Console {
    writer: Box<dyn Write + Send>,
    level: LevelFilter,
    formatter: Formatter,
    line: Vec<u8>,
}

impl Console {
    /// Writes to standard error.
    #[must_use]
    pub fn stderr() -> Self {
        Self::new(Box::new(io::stderr()))
    }

    /// Writes to `writer`, for example a progress bar that lets lines pass above it.
    #[must_use]
    pub fn new(writer: Box<dyn Write + Send>) -> Self {
        Self { writer, level: LevelFilter::TRACE, formatter: Formatter::default(), line: Vec::new() }
    }

    /// Takes only records of this level or a more important one. The default is to take all.
    #[must_use]
    pub fn level(mut self, level: LevelFilter) -> Self {
        self.level = level;
        self
    }

    /// How a record looks. The default is [`Format::Text`].
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.formatter.set_format(format);
        self
    }

    /// Whether levels are coloured in the text format. They are not unless asked for.
    #[must_use]
    pub fn colors(mut self, colors: bool) -> Self {
        self.formatter.set_colors(colors);
        self
    }
}

impl Handler for Console {
    fn accepts(&self, level: &Level, _target: &str) -> bool {
        *level <= self.level
    }

    fn handle(&mut self, record: &Record) -> io::Result<()> {
        self.line.clear();
        self.formatter.append(record, &mut self.line)?;
        self.writer.write_all(&self.line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn begin(&mut self, origin: SystemTime) {
        self.formatter.begin(origin);
    }

    fn name(&self) -> String {
        "console".to_owned()
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("level", &self.level).field("formatter", &self.formatter).finish()
    }
}
