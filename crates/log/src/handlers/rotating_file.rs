//! The handler that writes to a file and sets it aside by size, by time, or by whichever comes first.
//!
//! It never splits a record over two files and never gives up: what fails is returned to the listener, and later
//! records are tried again. A file that somebody has removed is begun anew; it does not watch whether somebody renames
//! the file, see [`reopen`](crate::ListenerHandle::reopen).

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing::Level;
use tracing_subscriber::filter::LevelFilter;

use super::{Handler, RotatingFileBuilder};
use crate::format::Formatter;
use crate::rotation::{Compressor, Family, Plan, Sink, recover};
use crate::worker::Wait;
use crate::{Format, Record};

/// How long a file may still be claimed by somebody else: a program that was killed takes a moment to end, and what it
/// has just started has its files open until then, too.
const CLAIM: Duration = Duration::from_millis(500);

/// When a file is set aside by size, and how many of them are kept.
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
    pub(super) fn new(path: PathBuf, source: io::Error) -> Self {
        Self { path, source }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Appends records to a file and rotates it.
///
/// A file that is rotated belongs to one program: a second one that would log to it, too, is refused. Several may share
/// a file that none of them rotates. A path that is a symbolic link stays one, and old files are beside the file that it
/// leads to. Devices and pipes are written to and never rotated.
///
/// ```
/// use gristmill_log::{RotatingFile, Schedule, When};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("program.log");
/// let file = RotatingFile::builder(path)
///     .max_bytes(100 << 20)
///     .schedule(Schedule::new(When::Midnight))
///     .backups(30)
///     .gzip(true)
///     .open()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RotatingFile {
    sink: Sink,
    family: Family,
    plan: Plan,
    gzip: bool,
    compressor: Compressor,
    level: LevelFilter,
    formatter: Formatter,
    line: Vec<u8>,
}

impl RotatingFile {
    /// Begins to describe a file.
    #[must_use]
    pub fn builder(path: impl Into<PathBuf>) -> RotatingFileBuilder {
        RotatingFileBuilder::new(path.into())
    }

    /// Opens `path` for appending, and creates it if it does not exist. It is rotated by size alone.
    ///
    /// # Errors
    /// When it cannot be opened; the error names it.
    pub fn open(path: impl Into<PathBuf>, options: RotateOptions) -> Result<Self, OpenError> {
        Self::builder(path).max_bytes(options.max_bytes).backups(options.backups).open()
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

    /// Sets the file aside now and begins a new one, whether it is due or not. Nothing happens to a device or a pipe,
    /// nor to a file with numbered old ones of which none is to be kept.
    ///
    /// # Errors
    /// When something cannot be written, renamed, removed or opened. Records are then still taken.
    pub fn rotate(&mut self) -> io::Result<()> {
        self.sink.write()?;
        self.sink.open_once()?;
        if !self.sink.is_regular() || !self.plan.keeps_old_files() {
            return Ok(());
        }
        let compressed = self.compressor.finish();
        let family = self.family.resolved();
        let aside = self.plan.set_aside(&family, self.sink.size())?;
        self.begin_anew(&family, aside.as_deref())?;
        self.plan.begin();
        let pruned = self.plan.prune(&family);
        let compressing = match aside.filter(|_| self.gzip) {
            Some(old) => self.compressor.start(old),
            None => Ok(()),
        };
        compressed.and(pruned).and(compressing)
    }

    /// Without a new file the old one gets its name back, and goes on.
    fn begin_anew(&mut self, family: &Family, aside: Option<&Path>) -> io::Result<()> {
        self.sink.open().inspect_err(|_| {
            if let Some(old) = aside {
                // If that fails too, records go on into the file that has been set aside: it is still open.
                drop(std::fs::rename(old, family.path()));
            }
        })
    }

    /// The file and its old files, oldest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn files(&self) -> io::Result<Vec<PathBuf>> {
        let family = self.family.resolved();
        let old = self.plan.list(&family)?;
        let old = old.iter().map(|tail| family.find(tail));
        Ok(old.chain([self.sink.path().to_owned()]).collect())
    }

    /// The time at which the file is due, if it has a schedule.
    #[must_use]
    pub fn due(&self) -> Option<SystemTime> {
        let second = u64::try_from(self.plan.until()?).unwrap_or(0);
        UNIX_EPOCH.checked_add(Duration::from_secs(second))
    }

    pub(super) fn new(path: PathBuf, plan: Plan, gzip: bool) -> Self {
        Self {
            sink: Sink::new(path.clone(), plan.rotates()),
            family: Family::new(path),
            plan,
            gzip,
            compressor: Compressor::default(),
            level: LevelFilter::TRACE,
            formatter: Formatter::default(),
            line: Vec::new(),
        }
    }

    /// Opens the file, unless its first record is to do that, and tidies up after an earlier run.
    pub(super) fn prepare(&mut self, delay: bool) -> io::Result<()> {
        let mut wait = Wait::new(CLAIM);
        let mut opened = if delay { Ok(()) } else { self.sink.open_unexplained() };
        while opened.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy) && wait.pause()
        {
            opened = self.sink.open_unexplained();
        }
        opened.and_then(|()| self.recover())
    }

    fn recover(&self) -> io::Result<()> {
        if !self.gzip {
            return Ok(());
        }
        let family = self.family.resolved();
        match self.plan.list(&family) {
            Ok(old) => old.iter().try_for_each(|tail| recover(&family, tail)),
            // A delayed file may be in a folder that does not exist yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn rotate_if_due(&mut self) -> io::Result<()> {
        self.sink.open_once()?;
        if !self.is_due() {
            return Ok(());
        }
        // An empty file must not push out an old one.
        self.sink.measure();
        if self.is_due() { self.rotate() } else { Ok(()) }
    }

    fn is_due(&mut self) -> bool {
        self.sink.is_regular() && self.plan.is_due(self.sink.size(), self.line.len())
    }
}

impl Handler for RotatingFile {
    fn accepts(&self, level: &Level, _target: &str) -> bool {
        *level <= self.level
    }

    fn handle(&mut self, record: &Record) -> io::Result<()> {
        self.line.clear();
        self.formatter.append(record, &mut self.line)?;
        let rotated = self.rotate_if_due();
        let added = self.sink.add(&self.line);
        rotated.and(added)
    }

    fn flush(&mut self) -> io::Result<()> {
        let compressed = self.compressor.poll();
        self.sink.write().and(compressed)
    }

    fn reopen(&mut self) -> io::Result<()> {
        let written = self.sink.write();
        self.sink.open().and(written)
    }

    fn finish(&mut self) -> io::Result<()> {
        let written = self.sink.close();
        let compressed = self.compressor.finish();
        written.and(compressed)
    }

    fn begin(&mut self, origin: SystemTime) {
        self.formatter.begin(origin);
    }

    fn name(&self) -> String {
        format!("log file {}", self.sink.path().display())
    }
}

impl Drop for RotatingFile {
    fn drop(&mut self) {
        // The listener has finished it before; without one, `flush` and `finish` are there for who wants to know.
        drop(self.finish());
    }
}
