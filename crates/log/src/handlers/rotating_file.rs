//! The handler that writes to a file and sets it aside when it has grown to its maximum size.
//!
//! It never splits a record over two files and never gives up: what fails is returned to the listener, and the
//! next record is tried again. It does not watch whether somebody else moves the file away.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use super::Handler;
use crate::format::Formatter;
use crate::{Format, Record};

/// Records are written in groups of about this size while the queue is not empty.
const GROUP: usize = 64 << 10;
/// What is kept in memory, at most, while the file cannot be written.
const KEPT: usize = 1 << 20;

/// When a file is set aside, and how many of them are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RotateOptions {
    /// The size that a file does not exceed, unless a single record does. 0: it grows without end.
    pub max_bytes: u64,
    /// How many old files are kept; `.1` is the newest. 0: the file is never set aside, and grows without end.
    pub backups: u32,
}

/// A log file could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open log file {}", path.display())]
pub struct OpenError {
    path: PathBuf,
    source: io::Error,
}

impl OpenError {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Appends records to a file and rotates it by size.
#[derive(Debug)]
pub struct RotatingFile {
    path: PathBuf,
    options: RotateOptions,
    level: LevelFilter,
    formatter: Formatter,
    file: File,
    /// Bytes in the file.
    written: u64,
    /// Whole records that are not in the file yet.
    pending: Vec<u8>,
    /// No rotation is tried below this size: a failed one is repeated only after another `max_bytes`.
    rotate_from: u64,
    line: Vec<u8>,
}

impl RotatingFile {
    /// Opens `path` for appending, and creates it if it does not exist.
    ///
    /// # Errors
    /// When it cannot be opened; the error names it.
    pub fn open(path: impl Into<PathBuf>, options: RotateOptions) -> Result<Self, OpenError> {
        let path = path.into();
        match open(&path) {
            Ok((file, written)) => Ok(Self {
                path,
                options,
                level: LevelFilter::TRACE,
                formatter: Formatter::default(),
                file,
                written,
                pending: Vec::new(),
                rotate_from: 0,
                line: Vec::new(),
            }),
            Err(source) => Err(OpenError { path, source }),
        }
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

    /// Whether the file must be set aside before `more` bytes are added.
    fn is_due(&self, more: usize) -> bool {
        let now = self.written + self.pending.len() as u64;
        let RotateOptions { max_bytes, backups } = self.options;
        max_bytes > 0
            && backups > 0
            && now > 0
            && now >= self.rotate_from
            && now.saturating_add(more as u64) > max_bytes
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.write_pending()?;
        // Whatever happens, the file is not looked at again before it has grown by as much once more.
        self.rotate_from = self.written.saturating_add(self.options.max_bytes);
        for number in (0..self.options.backups).rev() {
            move_aside(&self.backup(number), &self.backup(number + 1))?;
        }
        let (file, written) = open(&self.path)
            .map_err(|error| explain(&error, format_args!("open {}", self.path.display())))?;
        self.file = file;
        self.written = written;
        self.rotate_from = 0;
        Ok(())
    }

    /// The path of a backup; number 0 is the file itself.
    fn backup(&self, number: u32) -> PathBuf {
        if number == 0 {
            return self.path.clone();
        }
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        PathBuf::from(name)
    }

    /// Writes the pending records with one call. If that fails, none of them is in the file and they stay pending.
    fn write_pending(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.file.write_all(&self.pending) {
            self.cut_torn().map_err(|cut| explain(&cut, format_args!("shorten {}", self.path.display())))?;
            return Err(explain(&error, format_args!("write {}", self.path.display())));
        }
        self.written += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// A full disk takes a part of a write: it is cut off again, so that no record stays torn and none is doubled.
    fn cut_torn(&self) -> io::Result<()> {
        let torn = self.file.metadata()?.len() > self.written;
        if torn { self.file.set_len(self.written) } else { Ok(()) }
    }

    /// Puts the formatted line behind the others, if there is room.
    fn keep_line(&mut self) -> io::Result<()> {
        if !self.pending.is_empty() && self.pending.len() + self.line.len() > KEPT {
            return Err(io::Error::other(format!(
                "{} is not writable, records are lost",
                self.path.display()
            )));
        }
        self.pending.extend_from_slice(&self.line);
        Ok(())
    }
}

impl Handler for RotatingFile {
    fn accepts(&self, level: &Level, _target: &str) -> bool {
        *level <= self.level
    }

    fn handle(&mut self, record: &Record) -> io::Result<()> {
        self.line.clear();
        self.formatter.append(record, &mut self.line)?;
        let rotated = if self.is_due(self.line.len()) { self.rotate() } else { Ok(()) };
        self.keep_line()?;
        let written = if self.pending.len() >= GROUP { self.write_pending() } else { Ok(()) };
        rotated.and(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_pending()
    }

    fn begin(&mut self, origin: SystemTime) {
        self.formatter.begin(origin);
    }

    fn name(&self) -> String {
        format!("log file {}", self.path.display())
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().append(true).create(true).open(path)?;
    let written = file.metadata()?.len();
    Ok((file, written))
}

/// Renames a file, if it is there: there may be fewer backups than allowed, and somebody may have removed one.
fn move_aside(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(explain(&error, format_args!("rename {} to {}", from.display(), to.display())))
        }
        _ => Ok(()),
    }
}

fn explain(error: &io::Error, what: std::fmt::Arguments<'_>) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {what}: {error}"))
}
