//! What a rotating file is to be, before it is opened.
//!
//! It only collects; the file itself is in `rotating_file`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{OpenError, RotatingFile};
use crate::record::unix_nanos;
use crate::rotation::{Clock, Plan, Rules, Schedule};

/// Collects what a [`RotatingFile`] needs.
#[derive(Clone, Debug)]
pub struct RotatingFileBuilder {
    path: PathBuf,
    rules: Rules,
    gzip: bool,
    delay: bool,
}

impl RotatingFileBuilder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, rules: Rules::default(), gzip: false, delay: false }
    }

    /// The size that the file does not exceed, unless a single record does. Without it, or with 0, size does not
    /// matter.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.rules.max_bytes = bytes;
        self
    }

    /// How many old files are kept. Without it, or with 0, a file with a schedule keeps all its old files, and one
    /// without is never set aside.
    #[must_use]
    pub fn backups(mut self, files: u32) -> Self {
        self.rules.backups = files;
        self
    }

    /// Sets the file aside at these times. Old files then carry the date at which they were begun, as
    /// `program.log.2024-03-09`, and those that follow within one period a number, as `program.log.2024-03-09.1`.
    /// Without a schedule they are numbered from 1, the newest. What a run without one has left stays as it is, and the
    /// other way round.
    #[must_use]
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.rules.schedule = Some(schedule);
        self
    }

    /// Compresses old files with gzip, in a thread of its own. A rotation waits for the one before, and the listener's
    /// stop for the last, within its bound; what is not compressed then stays as it is.
    #[must_use]
    pub fn gzip(mut self, gzip: bool) -> Self {
        self.gzip = gzip;
        self
    }

    /// Opens the file with the first record, and not before.
    #[must_use]
    pub fn delay(mut self, delay: bool) -> Self {
        self.delay = delay;
        self
    }

    /// Where rotation by time takes the time from; the system's clock unless set.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.rules.clock = Arc::new(clock);
        self
    }

    /// Opens the file for appending, and creates it if it does not exist. Its next rotation by time depends on when
    /// it was created, or last written if that was before.
    ///
    /// # Errors
    /// When it cannot be opened, another program logs to it and one of the two rotates it, or old files of a run that was killed cannot be tidied up; the error names the file.
    pub fn open(self) -> Result<RotatingFile, OpenError> {
        let Self { path, rules, gzip, delay } = self;
        // The program may change its working directory.
        let absolute = std::path::absolute(&path).unwrap_or_else(|_| path.clone());
        let begun = begun(&absolute);
        let mut file = RotatingFile::new(absolute, Plan::new(rules, begun), gzip);
        file.prepare(delay).map_err(|source| OpenError::new(path, source))?;
        Ok(file)
    }
}

/// The second at which a file was begun, if it is there: when it was created, as far as the file system knows, or last
/// written if that was before, as with a copy. A program that runs for a short time only, again and again, would never
/// find its file old enough by the last record alone.
fn begun(path: &Path) -> Option<i64> {
    let metadata = path.metadata().ok()?;
    let times = [metadata.created(), metadata.modified()];
    let begun = times.into_iter().flatten().min()?;
    Some(unix_nanos(begun).div_euclid(1_000_000_000))
}
