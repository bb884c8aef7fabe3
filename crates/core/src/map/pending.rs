//! The attempts that a map session has run and not committed yet.
//!
//! It does not commit them.

use std::time::Instant;

use crate::counters::Counters;
use crate::run::CommitRecord;
use crate::task::TaskEnv;

/// Finished attempts whose output is still in memory, and since when there are any.
#[derive(Debug, Default)]
pub(super) struct Pending {
    record: CommitRecord,
    since: Option<Instant>,
}

impl Pending {
    /// An attempt starts.
    pub(super) fn begin(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// The attempt ended well.
    pub(super) fn done(&mut self, task: u32, attempt: u32, counters: &Counters) {
        self.record.tasks.push((task, attempt));
        self.record.counters.merge(counters);
    }

    /// Whether so much work is uncommitted that it should be.
    pub(super) fn due(&self, env: &TaskEnv) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= env.flush_after)
    }

    /// What there is to commit.
    pub(super) fn take(&mut self) -> Option<CommitRecord> {
        self.since = None;
        (!self.record.tasks.is_empty()).then(|| std::mem::take(&mut self.record))
    }
}
