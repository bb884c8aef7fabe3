//! The handler that writes to standard error, or to any writer that stands in for it.
//!
//! It rotates nothing and knows nothing of progress bars: those who have such give it a writer of their own.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, IsTerminal, Write};
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
    /// Writes to standard error, with colours if that is a terminal and `NO_COLOR` is not set.
    #[must_use]
    pub fn stderr() -> Self {
        Self::new(Box::new(io::stderr()))
            .colors(is_colorful(io::stderr().is_terminal(), |name| std::env::var_os(name)))
    }

    /// The same by way of `writer`, for example a progress bar that lets lines pass above it.
    #[must_use]
    pub fn stderr_by(writer: impl Write + Send + 'static) -> Self {
        Self { writer: Box::new(writer), ..Self::stderr() }
    }

    /// Writes to `writer`, without colours.
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

    /// Whether levels are coloured in the text format.
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

/// Whether a terminal is to be sent colours: see <https://no-color.org>.
fn is_colorful(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let refused = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
    terminal && !refused && variable("TERM").is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let with = |name: &'static str, value: &'static str| {
            move |asked: &str| (asked == name).then(|| OsString::from(value))
        };
        assert!(is_colorful(true, with("TERM", "xterm")));
        assert!(is_colorful(true, with("NO_COLOR", "")));
        assert!(!is_colorful(false, with("TERM", "xterm")));
        assert!(!is_colorful(true, with("NO_COLOR", "1")));
        assert!(!is_colorful(true, with("TERM", "dumb")));
    }
}
