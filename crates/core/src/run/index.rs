//! What stands at the end of a run file: the index of its segments and the commit record.
//!
//! It does no I/O.

use serde::{Deserialize, Serialize};

use super::pack::Codec;
use crate::counters::Counters;

/// What the bytes of a segment are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Rows as they came: those of one split in the order of its records.
    #[default]
    Rows,
    /// Rows that a reduce attempt has sorted: by (key, split, arrival), or by hash before that.
    Sorted,
    /// Finished output of one map task of a map-only job.
    Output,
}

/// What a segment holds, and of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) partition: u32,
    /// The part of the partition, from 0.
    pub(crate) bucket: u32,
    /// Counts the spills in this file, from 0; of one split's rows, those of an earlier spill come first.
    pub(crate) spill: u32,
    /// The map task whose output it is; 0 for rows, which may be of many tasks.
    pub(crate) task: u32,
    pub(crate) kind: Kind,
}

/// One contiguous piece of a run file: what one spill holds for one bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    pub(crate) label: Label,
    pub(crate) codec: Codec,
    /// Rows, or results.
    pub(crate) count: u64,
    pub(crate) offset: u64,
    /// Bytes in the file.
    pub(crate) len: u64,
    /// Bytes of rows or results: as many, unless they are compressed.
    pub(crate) raw_len: u64,
    /// XXH3-64 of its bytes in the file.
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
