//! Mutual exclusion among processes, and among the threads of each.
//!
//! It protects nothing by itself: what is only touched under it is up to the program.

use std::marker::PhantomData;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Abandoned, Held};
use crate::broker::{CallError, Handle, Object};

/// A lock that one thread of one process has at a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lock {
    handle: Handle,
}

impl Lock {
    /// A free lock.
    ///
    /// # Errors
    /// In a worker: shared objects are made in the parent.
    pub fn new() -> Result<Self, CallError> {
        Ok(Self { handle: Handle::new(Object::lock())? })
    }

    /// Waits for the lock.
    ///
    /// # Errors
    /// [`CallError::Reentrant`] when this thread has it already; others when the lock is gone or the parent ends this
    /// worker.
    pub fn acquire(&self) -> Result<LockGuard, CallError> {
        Held::acquire(&self.handle, None).map(LockGuard::new)
    }

    /// Waits for the lock, for `limit` at most.
    ///
    /// # Errors
    /// [`CallError::TimedOut`] when it does not become free; otherwise as [`Lock::acquire`].
    pub fn acquire_timeout(&self, limit: Duration) -> Result<LockGuard, CallError> {
        Held::acquire(&self.handle, Some(limit)).map(LockGuard::new)
    }
}

/// Has the lock until it is dropped, or until its process dies.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct LockGuard {
    held: Held,
    /// The thread that has it is known by its number.
    not_send: PhantomData<*const ()>,
}

impl LockGuard {
    fn new(held: Held) -> Self {
        Self { held, not_send: PhantomData }
    }

    /// Who had the lock before and died over it, if that is why it was free.
    #[must_use]
    pub fn abandoned(&self) -> Option<&Abandoned> {
        self.held.abandoned.as_ref()
    }
}
