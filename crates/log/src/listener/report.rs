//! What the listener says of itself when it has stopped.
//!
//! Numbers only come from here once nothing more is delivered.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ring::Ring;

/// How a listener ended, and what it could not deliver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StopReport {
    /// Records that were given to the handlers. 0 when the listener did not finish.
    pub delivered: u64,
    /// Records that were still queued when the time was up.
    pub left: u64,
    /// Records that processes dropped because their queue was full or closed.
    pub dropped: u64,
    /// Queues and records that made no sense.
    pub damaged: u64,
    /// Handlers that failed. Their own records are lost to them, unless they say otherwise.
    pub handlers: Vec<HandlerFailure>,
    /// Whether the listener's thread has ended. It has not when a handler hangs.
    pub finished: bool,
}

/// A handler that failed at least once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HandlerFailure {
    /// The handler's name.
    pub handler: String,
    /// How often it failed.
    pub count: u64,
    /// What it said the first time.
    pub first: String,
}

impl StopReport {
    /// Whether every record has gone to every handler that wanted it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let lost = self.left + self.dropped + self.damaged;
        self.finished && lost == 0 && self.handlers.is_empty()
    }

    /// What can be said from outside about a listener that hangs.
    pub(super) fn unfinished<'a>(rings: impl Iterator<Item = &'a Ring>) -> Self {
        rings.fold(Self::default(), |report, ring| Self {
            left: report.left.saturating_add(ring.left()),
            dropped: report.dropped.saturating_add(ring.dropped()),
            ..report
        })
    }
}

impl fmt::Display for StopReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.finished {
            return write!(f, "did not finish: {} records left, {} dropped", self.left, self.dropped);
        }
        write!(
            f,
            "{} records delivered, {} left, {} dropped, {} damaged",
            self.delivered, self.left, self.dropped, self.damaged
        )?;
        for HandlerFailure { handler, count, first } in &self.handlers {
            write!(f, "; {handler} failed {count} times, first: {first}")?;
        }
        Ok(())
    }
}
