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
use crate::input::Plan;
use crate::output::Format;
use crate::run::Spilling;

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
    pub(crate) flight: Flight,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Run an attempt at a task.
    Run { task: TaskId, attempt: u32 },
    /// Commit all map output that is still in memory.
    Flush,
}

/// The attempt was given up because the coordinator asked for it.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("stopped on request")]
pub(crate) struct Stopped;
