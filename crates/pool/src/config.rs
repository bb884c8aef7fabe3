//! What a caller says to a crew and hears from it: configuration, events, ways to stop.
//!
//! Plain data; what happens with it is in `crew`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use gristmill_log::ListenerHandle;

use crate::death::Death;
use crate::handshake::Identity;
use crate::program::Program;
use crate::restart::RestartDelay;

/// A deadline beyond this is none, and might not fit into an `Instant`.
pub(crate) const LONGEST_LIMIT: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// How the workers of a crew are made.
#[derive(Clone)]
pub struct CrewConfig {
    /// What they run.
    pub program: Program,
    /// What they are called: `Worker` makes slot 0 `Worker-1`.
    pub name_prefix: String,
    /// Who they must be. A worker that says something else is refused.
    pub identity: Identity,
    /// Given to each worker as it starts; of any length and meaning.
    pub welcome: Vec<u8>,
    /// How many eight-byte words each worker shares with the parent. What they mean is the caller's affair; the page
    /// has one more at its end, which belongs to the crew.
    pub page_words: usize,
    /// How long a worker may take from its start to its hello.
    pub start_deadline: Duration,
    /// Where messages too long for a channel are kept. Each worker gets a folder of its own in it, and the crew
    /// removes that with the worker.
    pub spool_dir: PathBuf,
    /// Where the workers' records and their captured output go, and the filter that applies in the worker. Without
    /// it, captured output becomes `tracing` events of this process.
    pub log: Option<(ListenerHandle, String)>,
    /// How much memory each worker may use, in bytes, so that a leak takes down its own process only.
    ///
    /// Where control groups of version 2 are delegated to this process, each worker and its children share a group
    /// with this limit, and the kernel kills them when they exceed it. Elsewhere each process has a limit on its
    /// private writable memory from the handshake on, and what exceeds it cannot be allocated. That counts memory that
    /// was asked for, touched or not, but no memory that was only reserved; a thread's stack counts in full, shared
    /// memory not at all. [`Crew::memory_limit_kind`](crate::Crew::memory_limit_kind) tells which it is.
    pub memory_limit: Option<u64>,
    /// How long a slot waits for its next worker when they keep dying young.
    pub restart_delay: RestartDelay,
}

impl CrewConfig {
    /// A configuration for workers that run `program`, with no welcome, a page of 512 words, ten seconds to start and
    /// no listener, without a limit on memory.
    #[must_use]
    pub fn new(program: Program, identity: Identity, spool_dir: impl Into<PathBuf>) -> Self {
        Self {
            program,
            name_prefix: "Worker".into(),
            identity,
            welcome: Vec::new(),
            page_words: 512,
            start_deadline: Duration::from_secs(10),
            spool_dir: spool_dir.into(),
            log: None,
            memory_limit: None,
            restart_delay: RestartDelay::default(),
        }
    }

    /// What the worker in `slot` is called unless it was given a name.
    pub(crate) fn default_name(&self, slot: usize) -> String {
        format!("{}-{}", self.name_prefix, slot + 1)
    }
}

/// What a crew reports. For one incarnation the order is `Started`, `Message`…, `Ended`; `Ended` always comes, and
/// always last.
#[derive(Debug)]
pub enum CrewEvent {
    /// The handshake is complete.
    Started {
        /// The worker's slot.
        slot: usize,
        /// Counts the workers of a slot from 1.
        incarnation: u32,
        /// The worker's process id.
        pid: u32,
    },
    /// The worker sent something.
    Message {
        /// The worker's slot.
        slot: usize,
        /// Counts the workers of a slot from 1.
        incarnation: u32,
        /// What it sent.
        bytes: Vec<u8>,
    },
    /// The worker is gone, and so are the children in its process group. The slot is free again.
    Ended {
        /// The worker's slot.
        slot: usize,
        /// Counts the workers of a slot from 1.
        incarnation: u32,
        /// How it ended.
        death: Death,
    },
}

/// How to stop a worker by force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// SIGTERM, then SIGCONT so that a stopped process notices.
    Terminate,
    /// SIGKILL.
    Kill,
}

/// How long a shutdown waits at each step before it becomes less polite.
#[derive(Clone, Copy, Debug)]
pub struct Grace {
    /// After the control channels were closed.
    pub ask: Duration,
    /// After SIGTERM.
    pub terminate: Duration,
}

impl Default for Grace {
    fn default() -> Self {
        Self { ask: Duration::from_secs(2), terminate: Duration::from_secs(1) }
    }
}

/// What a shutdown had to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Workers that did not end when asked and got SIGTERM.
    pub terminated: usize,
    /// Workers that did not end on SIGTERM either and got SIGKILL.
    pub killed: usize,
    /// Workers that could not be collected even then, by name: stuck in the kernel, or their `Ended` is stuck in the
    /// caller's sink.
    pub abandoned: Vec<String>,
}

impl fmt::Debug for CrewConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CrewConfig")
            .field("program", &self.program)
            .field("name_prefix", &self.name_prefix)
            .field("identity", &self.identity)
            .field("start_deadline", &self.start_deadline)
            .field("memory_limit", &self.memory_limit)
            .field("restart_delay", &self.restart_delay)
            .finish_non_exhaustive()
    }
}
