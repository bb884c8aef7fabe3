//! Something that has happened or has not: processes wait for it, with or without a deadline.
//!
//! It carries nothing but that.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::broker::{CallError, Handle, Object, Op, Reply};

/// A flag that processes can wait for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    handle: Handle,
}

impl Event {
    /// An event that is not set.
    ///
    /// # Errors
    /// In a worker: shared objects are made in the parent.
    pub fn new() -> Result<Self, CallError> {
        Ok(Self { handle: Handle::new(Object::signal())? })
    }

    /// Sets it, which wakes all who wait.
    ///
    /// # Errors
    /// When the event is gone.
    pub fn set(&self) -> Result<(), CallError> {
        self.handle.ask(Op::Set).map(drop)
    }

    /// Clears it.
    ///
    /// # Errors
    /// When the event is gone.
    pub fn clear(&self) -> Result<(), CallError> {
        self.handle.ask(Op::Clear).map(drop)
    }

    /// Whether it is set.
    ///
    /// # Errors
    /// When the event is gone.
    pub fn is_set(&self) -> Result<bool, CallError> {
        match self.handle.ask(Op::IsSet)? {
            Reply::Flag(set) => Ok(set),
            other => Err(other.unexpected()),
        }
    }

    /// Waits until it is set.
    ///
    /// # Errors
    /// When the event is gone or the parent ends this worker.
    pub fn wait(&self) -> Result<(), CallError> {
        self.handle.ask(Op::Wait).map(drop)
    }

    /// Waits until it is set, for `limit` at most; whether it is.
    ///
    /// # Errors
    /// When the event is gone or the parent ends this worker.
    pub fn wait_timeout(&self, limit: Duration) -> Result<bool, CallError> {
        match self.handle.call(Op::Wait, Some(limit)) {
            Ok(_) => Ok(true),
            Err(CallError::TimedOut) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
