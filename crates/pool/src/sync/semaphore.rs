//! A cap on how many use something at once.
//!
//! It hands out permits and nothing else: connections and the like are up to the program.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Abandoned, Held};
use crate::broker::{CallError, Handle, Object, Op, Reply};

/// A number of permits, shared by processes and their threads.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Semaphore {
    handle: Handle,
}

impl Semaphore {
    /// A semaphore with so many permits.
    ///
    /// # Errors
    /// In a worker: shared objects are made in the parent.
    pub fn new(permits: usize) -> Result<Self, CallError> {
        Ok(Self { handle: Handle::new(Object::semaphore(permits))? })
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// When the semaphore is gone or the parent ends this worker.
    pub fn acquire(&self) -> Result<Permit, CallError> {
        Held::acquire(&self.handle, None).map(|held| Permit { held })
    }

    /// Waits for a permit, for `limit` at most.
    ///
    /// # Errors
    /// [`CallError::TimedOut`] when none becomes free; otherwise as [`Semaphore::acquire`].
    pub fn acquire_timeout(&self, limit: Duration) -> Result<Permit, CallError> {
        Held::acquire(&self.handle, Some(limit)).map(|held| Permit { held })
    }

    /// How many permits are free now.
    ///
    /// # Errors
    /// When the semaphore is gone.
    pub fn available(&self) -> Result<usize, CallError> {
        match self.handle.ask(Op::Available)? {
            Reply::Count(count) => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
            other => Err(other.unexpected()),
        }
    }
}

/// Has a permit until it is dropped, or until its process dies.
#[derive(Debug)]
#[must_use = "the permit is released when this is dropped"]
pub struct Permit {
    held: Held,
}

impl Permit {
    /// Who had a permit before and died over it, if that is why this one was free.
    #[must_use]
    pub fn abandoned(&self) -> Option<&Abandoned> {
        self.held.abandoned.as_ref()
    }
}
