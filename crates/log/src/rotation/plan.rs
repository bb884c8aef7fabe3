//! Decides when a log file is due, and sets it aside by number or by date.
//!
//! It moves files; it neither opens nor writes one.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::backups::Family;
use super::dated::Dated;
use super::{Clock, Schedule, SystemClock, numbered};
use crate::record::unix_nanos;

/// A time rotation that failed is tried again after this many seconds, or when the next is due.
const RETRY: i64 = 60;

/// What a program wants of rotation.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) max_bytes: u64,
    pub(crate) backups: u32,
    pub(crate) schedule: Option<Schedule>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { max_bytes: 0, backups: 0, schedule: None, clock: Arc::new(SystemClock) }
    }
}

/// The state of one file's rotation.
#[derive(Debug)]
pub(crate) struct Plan {
    rules: Rules,
    /// No rotation by size is tried below this many bytes: a failed one is repeated only after another `max_bytes`.
    from_bytes: u64,
    /// The second at which its period began, as far as that is known.
    since: i64,
    /// The second at which the file is due by time.
    until: i64,
    /// The second at which that is tried next: later than `until` after a failure.
    next_try: i64,
}

impl Plan {
    /// `begun` is the second at which the file was begun, if it exists.
    pub(crate) fn new(rules: Rules, begun: Option<i64>) -> Self {
        let mut plan = Self { rules, from_bytes: 0, since: i64::MIN, until: i64::MAX, next_try: i64::MAX };
        let begun = begun.unwrap_or_else(|| plan.now());
        plan.begin_at(begun);
        plan
    }

    /// Whether a file of `size` bytes must be set aside before `more` are added.
    pub(crate) fn is_due(&mut self, size: u64, more: usize) -> bool {
        self.is_due_by_size(size, more) || self.is_due_by_time(size)
    }

    fn is_due_by_size(&mut self, size: u64, more: usize) -> bool {
        let max_bytes = self.rules.max_bytes;
        if size.saturating_add(max_bytes.max(1)) < self.from_bytes {
            // It is not the file any more with which that failed, or somebody has emptied it.
            self.from_bytes = 0;
        }
        max_bytes > 0
            && self.keeps_old_files()
            && size > 0
            && size >= self.from_bytes
            && size.saturating_add(more as u64) > max_bytes
    }

    fn is_due_by_time(&mut self, size: u64) -> bool {
        if self.rules.schedule.is_none() {
            return false;
        }
        let now = self.now();
        if now < self.since {
            // The clock has been set back, perhaps from a year that is far away: the file must not wait for that.
            self.begin_at(now);
        }
        if now < self.next_try {
            return false;
        }
        if size == 0 {
            // There is nothing to set aside; the next period begins all the same.
            self.begin_at(now);
        }
        size > 0
    }

    /// Sets the file aside and returns its new path, or nothing if it is not there.
    pub(crate) fn set_aside(&mut self, family: &Family, size: u64) -> io::Result<Option<PathBuf>> {
        // Until this has succeeded it is not tried with every record.
        self.from_bytes = size.saturating_add(self.rules.max_bytes.max(1));
        let Some(schedule) = &self.rules.schedule else {
            return numbered::set_aside(family, self.rules.backups);
        };
        let now = self.now();
        self.next_try = schedule.next_second(now).min(now.saturating_add(RETRY)).max(self.until);
        Dated::new(family, schedule, now).set_aside(self.until)
    }

    /// A new file has been begun.
    pub(crate) fn begin(&mut self) {
        self.from_bytes = 0;
        let now = self.now();
        // A file that was set aside for its size leaves the rest of its period to the next one.
        if now >= self.until {
            self.begin_at(now);
        } else {
            self.next_try = self.until;
        }
    }

    fn begin_at(&mut self, begun: i64) {
        if let Some(schedule) = &self.rules.schedule {
            self.since = begun;
            self.until = schedule.next_second(begun);
            self.next_try = self.until;
        }
    }

    /// Removes old files that are too many.
    pub(crate) fn prune(&self, family: &Family) -> io::Result<()> {
        match &self.rules.schedule {
            Some(schedule) if self.rules.backups > 0 => {
                Dated::new(family, schedule, self.now()).prune(self.rules.backups)
            }
            Some(_) => Ok(()),
            None => numbered::prune(family, self.rules.backups),
        }
    }

    /// Whether a file that is set aside is kept.
    pub(crate) fn keeps_old_files(&self) -> bool {
        // Old files with numbers need a highest one; those with dates can be kept without end.
        self.rules.backups > 0 || self.rules.schedule.is_some()
    }

    /// Whether the file is set aside at all, so that nobody else may write to it.
    pub(crate) fn rotates(&self) -> bool {
        self.keeps_old_files() && (self.rules.max_bytes > 0 || self.rules.schedule.is_some())
    }

    /// The tails of the old files that this plan makes, oldest first.
    pub(crate) fn list(&self, family: &Family) -> io::Result<Vec<String>> {
        match &self.rules.schedule {
            Some(schedule) => Dated::new(family, schedule, self.now()).list(),
            None => numbered::list(family),
        }
    }

    /// The second at which the file is due by time.
    pub(crate) fn until(&self) -> Option<i64> {
        self.rules.schedule.as_ref().map(|_| self.until)
    }

    fn now(&self) -> i64 {
        unix_nanos(self.rules.clock.now()).div_euclid(1_000_000_000)
    }
}
