//! What a journal holds.
//!
//! These are values; nothing here reads or writes them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::collect::Committed;
use crate::counters::Counters;
use crate::input::Plan;
use crate::output::Format;
use crate::reduce::Reduced;
use crate::task::Spot;

/// One thing that a coordinator has accepted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Entry {
    /// Which job it is: the first entry, and the only one of its kind.
    Job(Box<JobEntry>),
    /// Another coordinator goes on; the ordinal of its session, from 2.
    Session(u32),
    /// XXH3-64 of the program's file.
    Program(u64),
    /// Map tasks are committed.
    Mapped(Committed),
    /// The run of this name is damaged or missing: its tasks are not committed any more.
    LostRun(String),
    /// A reduce task is committed.
    Reduced { task: u32, part: Reduced, counters: Counters },
    /// No part counts any more: all are reduced again.
    PartsDropped,
    /// The folder of parts is about to become the output.
    Publishing(Publication),
    /// A record or group was set aside.
    SetAside(Spot),
    /// The folder of what was set aside, with this device and inode number, is about to get its name beside the output.
    PublishingQuarantine { device: u64, inode: u64 },
}

/// An output that may be there already, and what is to be said of the job if it is: by then its plan may be gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Publication {
    /// Device and inode number of the folder of parts.
    pub(crate) folder: (u64, u64),
    pub(crate) input: InputFigures,
}

/// How much there was to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InputFigures {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    pub(crate) map_tasks: usize,
}

impl InputFigures {
    pub(crate) fn of(plan: &Plan) -> Self {
        Self { files: plan.files.len(), bytes: plan.total_bytes, map_tasks: plan.splits.len() }
    }
}

/// What the output of a job depends on, besides the input, which is in the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JobEntry {
    pub(crate) job: String,
    /// The job's parameters, encoded.
    pub(crate) params: Vec<u8>,
    /// The command line, for messages only.
    pub(crate) command: Vec<String>,
    pub(crate) partitions: u32,
    pub(crate) format: Format,
    pub(crate) program: ProgramFile,
    /// XXH3-64 of the plan's file.
    pub(crate) plan: u64,
}

/// The program's file as its metadata describe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProgramFile {
    #[serde(with = "crate::input::path_bytes")]
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    /// Modification time: seconds since the epoch and nanoseconds.
    pub(crate) modified: (i64, u32),
}
