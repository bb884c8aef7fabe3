//! How an application ended.
//!
//! Plain data and its text.

use std::fmt;
use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::broker::CallError;
use crate::toolkit::error::{StartError, TaskError};

/// An application could not go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AppError {
    /// A worker could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A worker has not said that it is ready.
    #[error("{name} was not ready within {limit:?}")]
    StartDeadline {
        /// Its name.
        name: String,
        /// How long it had.
        limit: Duration,
    },
    /// A worker failed.
    #[error(transparent)]
    Worker(#[from] TaskError),
    /// A queue or an event could not be used.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Signal handlers could not be installed.
    #[error("cannot handle signals: {0}")]
    Signals(#[from] io::Error),
}

/// How one worker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerEnd {
    /// Its name.
    pub name: String,
    /// Its exit status, as Python counts: 0, a status, or the negative number of a signal.
    pub exit_code: Option<i32>,
    /// Whether it had to be ended by force.
    pub forced: bool,
}

/// How an application ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppReport {
    /// Its workers, in the order of their starts.
    pub workers: Vec<WorkerEnd>,
    /// The signal that asked for the end, if one did.
    pub signal: Option<i32>,
    /// How many events nobody handled.
    pub unhandled: u64,
    /// How many items were left in its queues.
    pub items_left: usize,
    /// How many events came too late to be handled.
    pub events_left: usize,
}

impl AppReport {
    /// Whether every worker ended in good order.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.workers.iter().all(|worker| worker.exit_code == Some(0) && !worker.forced)
    }

    /// What `main` should return: 0, 128 and the number of the signal that asked for the end, or 1 if a worker
    /// failed.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.signal.map(|signal| u8::try_from(128 + signal)) {
            Some(Ok(code)) => code,
            _ => u8::from(!self.is_clean()),
        }
    }
}

impl fmt::Display for AppReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for WorkerEnd { name, exit_code, forced } in &self.workers {
            let forced = if *forced { ", by force" } else { "" };
            match exit_code {
                Some(code) => writeln!(f, "{name} ended with exit code {code}{forced}")?,
                None => writeln!(f, "{name} ended without an exit code{forced}")?,
            }
        }
        let Self { unhandled, items_left, events_left, .. } = self;
        write!(f, "{unhandled} events unhandled, {items_left} items and {events_left} events left")
    }
}
