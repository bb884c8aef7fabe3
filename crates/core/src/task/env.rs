//! What a task attempt may know of its surroundings, and the orders that start it.
//!
//! These are values; nothing here acts.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::flight::Flight;
use crate::hardships::Hardships;
use crate::input::Plan;
use crate::output::Format;
use crate::run::Spilling;
use crate::task::Blames;

/// The surroundings of every attempt in one worker.
#[derive(Debug)]
pub(crate) struct TaskEnv {
    pub(crate) job: String,
    pub(crate) worker: String,
    pub(crate) plan: Arc<Plan>,
    /// Folder of the run files.
    pub(crate) runs: PathBuf,
    /// Folder of the part files.
    pub(crate) parts: PathBuf,
    /// File that lists the committed runs once the map phase is over.
    pub(crate) manifest: PathBuf,
    /// What the names of this worker's run files begin with.
    pub(crate) run_prefix: String,
    /// Run files that this worker has begun, in all its map sessions: no name may come twice.
    pub(crate) runs_begun: AtomicU32,
    pub(crate) partitions: u32,
    /// Buckets in each partition.
    pub(crate) buckets: u32,
    pub(crate) format: Format,
    /// Bytes that this worker's buffers may hold.
    pub(crate) memory: usize,
    /// Finished map work is committed after this time at the latest.
    pub(crate) flush_after: Duration,
    pub(crate) durable: bool,
    /// How runs are written.
    pub(crate) spilling: Arc<Spilling>,
    pub(crate) hardships: Hardships,
    pub(crate) flight: Flight,
    /// Folder of what was set aside.
    pub(crate) quarantine: PathBuf,
    /// Where the borders of ranges are kept for all workers.
    pub(crate) borders: PathBuf,
    /// What user code has failed at in the running attempt.
    pub(crate) blames: Blames,
}

impl TaskEnv {
    /// A name for what an attempt writes, unlike that of any other attempt in any worker of any coordinator.
    pub(crate) fn attempt_name(&self, attempt: u32) -> String {
        format!("{}-{attempt}", self.run_prefix)
    }
}

/// A task's name: the same everywhere it is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum TaskId {
    Map(u32),
    Reduce(u32),
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Map(ordinal) => write!(f, "map-{ordinal}"),
            Self::Reduce(ordinal) => write!(f, "reduce-{ordinal}"),
        }
    }
}

/// What the scheduler tells a worker to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Run an attempt at a task.
    Run { task: TaskId, attempt: u32, care: Care },
    /// Commit all map output that is still in memory.
    Flush,
    /// Run a task and throw its output away: it is to be compared with that of another attempt.
    Verify { task: TaskId, care: Care },
    /// Forget which runs there are: the list of them has changed.
    Reopen,
}

/// How carefully an attempt goes about its task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Care {
    /// Record by record, because an attempt before has failed: the next failure is to name its record.
    pub(crate) closely: bool,
    /// Go on after records and groups that user code fails at, and end when it has failed at so many; 0: end with the
    /// first.
    pub(crate) probe: u64,
    /// Committed as soon as it is mapped, because its output was lost once with the worker that held it.
    pub(crate) commit: bool,
    /// Records and groups that were set aside, in order: they are left out.
    pub(crate) skip: Vec<Spot>,
}

impl Care {
    /// Whether user code is watched record by record or group by group.
    pub(crate) fn is_careful(&self) -> bool {
        self.probe > 0 || !self.skip.is_empty()
    }

    /// Whether the record that begins at `offset` of `file` is left out.
    pub(crate) fn leaves_out_record(&self, file: u32, offset: u64) -> bool {
        let first = self.skip.partition_point(|spot| *spot < Spot::Record { file, offset, len: 0 });
        matches!(self.skip.get(first), Some(Spot::Record { file: f, offset: o, .. }) if (*f, *o) == (file, offset))
    }

    /// Whether this group is left out.
    pub(crate) fn leaves_out_group(&self, partition: u32, ordinal: u64) -> bool {
        self.skip.binary_search(&Spot::Group { partition, ordinal }).is_ok()
    }
}

/// A place in a task that user code can fail at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Spot {
    /// A record: its file's ordinal, its offset and length in bytes.
    Record { file: u32, offset: u64, len: u64 },
    /// A group: its ordinal among those of its partition, from 0.
    Group { partition: u32, ordinal: u64 },
}

impl Spot {
    /// Whether it is a record, and not a group.
    pub(crate) fn is_record(&self) -> bool {
        matches!(self, Self::Record { .. })
    }
}

/// Its name: that of its files in the quarantine folder.
impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record { file, offset, .. } => write!(f, "map-{file}-{offset}"),
            Self::Group { partition, ordinal } => write!(f, "reduce-{partition}-{ordinal}"),
        }
    }
}

/// The attempt was given up because the coordinator asked for it.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("stopped on request")]
pub(crate) struct Stopped;
