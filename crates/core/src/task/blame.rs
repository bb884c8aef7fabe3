//! What an attempt blames for its failure: records and groups that user code failed at.
//!
//! It does not decide what becomes of them; the scheduler does.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::flight::{Flight, Sighting};
use crate::result::{BoxError, chain};
use crate::task::{FailureKind, Spot};

/// A record or group, and what happened at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Blame {
    pub(crate) spot: Spot,
    /// Of a group: the first bytes of its encoded key, and the whole length.
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) key_len: usize,
    pub(crate) kind: FailureKind,
}

/// User code failed at records or groups that were noted one by one.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("records could not be processed")]
pub(crate) struct BadRecords;

/// The backtraces of so many failures are kept: those of the others are much the same.
const BACKTRACES: usize = 8;

impl Blame {
    /// Blames what a page says that user code was at.
    pub(crate) fn of(seen: &Sighting, kind: FailureKind) -> Option<Self> {
        Some(Self { spot: seen.spot()?, key: seen.key.clone(), key_len: seen.key_len, kind })
    }
}

/// What the running attempt of a worker blames so far.
#[derive(Debug, Default)]
pub(crate) struct Blames {
    list: Mutex<Vec<Blame>>,
}

impl Blames {
    fn list(&self) -> MutexGuard<'_, Vec<Blame>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blames what the page says that user code is at; false if it is at nothing that can be blamed: then the framework
    /// itself has failed, or user code elsewhere.
    pub(crate) fn add(&self, flight: &Flight, mut kind: FailureKind) -> bool {
        let mut list = self.list();
        if list.len() >= BACKTRACES
            && let FailureKind::Panicked { backtrace, .. } = &mut kind
        {
            backtrace.clear();
        }
        let blame = Blame::of(&flight.sight(), kind);
        let found = blame.is_some();
        list.extend(blame);
        found
    }

    /// As [`Blames::add`], for an error that user code returned.
    #[cold]
    pub(crate) fn add_error(&self, flight: &Flight, error: &BoxError) {
        self.add(flight, FailureKind::Returned { message: chain(&**error) });
    }

    pub(crate) fn len(&self) -> u64 {
        self.list().len() as u64
    }

    /// Takes all out.
    pub(crate) fn take(&self) -> Vec<Blame> {
        std::mem::take(&mut *self.list())
    }

    /// Ends an attempt that has gone on after failures.
    ///
    /// # Errors
    /// When there were any.
    pub(crate) fn verdict(&self) -> Result<(), BadRecords> {
        if self.list().is_empty() { Ok(()) } else { Err(BadRecords) }
    }
}
