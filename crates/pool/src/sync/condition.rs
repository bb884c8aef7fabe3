//! A lock whose holder can wait until another one says that something has changed.
//!
//! What has changed is up to the program; a waiter that dies is forgotten.

use std::marker::PhantomData;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Abandoned, Held};
use crate::broker::{CallError, Handle, Object, Op, Reply};

/// A condition with its lock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Condition {
    handle: Handle,
}

impl Condition {
    /// A condition whose lock is free.
    ///
    /// # Errors
    /// In a worker: shared objects are made in the parent.
    pub fn new() -> Result<Self, CallError> {
        Ok(Self { handle: Handle::new(Object::lock())? })
    }

    /// Waits for the condition's lock.
    ///
    /// # Errors
    /// [`CallError::Reentrant`] when this thread has it already; others when the condition is gone or the parent ends
    /// this worker.
    pub fn lock(&self) -> Result<ConditionGuard, CallError> {
        Held::acquire(&self.handle, None).map(ConditionGuard::new)
    }

    /// Waits for the condition's lock, for `limit` at most.
    ///
    /// # Errors
    /// [`CallError::TimedOut`] when it does not become free; otherwise as [`Condition::lock`].
    pub fn lock_timeout(&self, limit: Duration) -> Result<ConditionGuard, CallError> {
        Held::acquire(&self.handle, Some(limit)).map(ConditionGuard::new)
    }
}

/// Has the condition's lock until it is dropped, or until its process dies.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct ConditionGuard {
    held: Held,
    /// The thread that has it is known by its number.
    not_send: PhantomData<*const ()>,
}

impl ConditionGuard {
    fn new(held: Held) -> Self {
        Self { held, not_send: PhantomData }
    }

    /// Who had the lock before and died over it, if that is why it was free.
    #[must_use]
    pub fn abandoned(&self) -> Option<&Abandoned> {
        self.held.abandoned.as_ref()
    }

    /// Lets go of the lock, waits to be notified and returns with the lock again.
    ///
    /// # Errors
    /// When the condition is gone or the parent ends this worker; the lock is lost then.
    pub fn wait(self) -> Result<Self, CallError> {
        self.sleep(None).map(|(guard, _)| guard)
    }

    /// The same for `limit` at most; it returns with the lock in any case, and says whether the time was up.
    ///
    /// # Errors
    /// As [`ConditionGuard::wait`].
    pub fn wait_timeout(self, limit: Duration) -> Result<(Self, bool), CallError> {
        self.sleep(Some(limit))
    }

    /// Waits until `holds`, which is asked under the lock, for `limit` at most; false if it still does not.
    ///
    /// # Errors
    /// As [`ConditionGuard::wait`].
    pub fn wait_until(
        self,
        limit: Duration,
        mut holds: impl FnMut() -> bool,
    ) -> Result<(Self, bool), CallError> {
        let deadline = Instant::now().checked_add(limit);
        let mut guard = self;
        loop {
            if holds() {
                return Ok((guard, true));
            }
            let late;
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            (guard, late) = guard.sleep(left)?;
            if late {
                let held = holds();
                return Ok((guard, held));
            }
        }
    }

    fn sleep(mut self, limit: Option<Duration>) -> Result<(Self, bool), CallError> {
        // The sleep itself lets go of the permit.
        let permit = self.held.permit.take().expect("a guard has its permit until it goes to sleep");
        let handle = &self.held.handle;
        let (held, late) = Held::granted(handle, handle.call(Op::Sleep(permit), limit)?)?;
        Ok((Self::new(held), late))
    }

    /// Wakes the one that has waited longest; how many were woken.
    ///
    /// # Errors
    /// When the condition is gone.
    pub fn notify_one(&self) -> Result<usize, CallError> {
        self.notify(1)
    }

    /// Wakes all who wait; how many there were. They go on one after the other, when this guard is dropped.
    ///
    /// # Errors
    /// When the condition is gone.
    pub fn notify_all(&self) -> Result<usize, CallError> {
        self.notify(usize::MAX)
    }

    /// Wakes those `count` that have waited longest; how many were woken.
    ///
    /// # Errors
    /// When the condition is gone.
    pub fn notify(&self, count: usize) -> Result<usize, CallError> {
        match self.held.handle.ask(Op::Notify(count as u64))? {
            Reply::Count(woken) => Ok(usize::try_from(woken).unwrap_or(usize::MAX)),
            other => Err(other.unexpected()),
        }
    }
}
