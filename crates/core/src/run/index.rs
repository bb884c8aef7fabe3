//! What stands at the end of a run file: the index of its segments and the commit record.
//!
//! It does no I/O.

use serde::{Deserialize, Serialize};

use crate::counters::Counters;

/// What the bytes of a segment are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Rows in the order of (key, split, arrival), at most one per key where a combiner has folded them.
    Rows,
    /// Finished output of one map task of a map-only job.
    Output,
}

/// One contiguous piece of a run file: what one spill holds for one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    pub(crate) partition: u32,
    /// Counts the spills in this file, from 0; of one split's rows, those of an earlier spill come first.
    pub(crate) spill: u32,
    /// The map task whose output it is; 0 for rows, which may be of many tasks.
    pub(crate) task: u32,
    pub(crate) kind: Kind,
    /// Rows, or results.
    pub(crate) count: u64,
    pub(crate) offset: u64,
    pub(crate) len: u64,
    /// XXH3-64 of its bytes.
    pub(crate) checksum: u64,
}

/// Which attempts a run file stands for. The file's rename commits all of them at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CommitRecord {
    /// Map task and attempt.
    pub(crate) tasks: Vec<(u32, u32)>,
    /// What these attempts counted.
    pub(crate) counters: Counters,
}

/// The index of a run file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunIndex {
    pub(crate) segments: Vec<Segment>,
    pub(crate) commit: CommitRecord,
}
