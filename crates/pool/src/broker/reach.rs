//! How code in any process reaches an object: directly in the parent, over its line in a worker.
//!
//! It knows no kinds of objects; typed handles are built on it.

use std::sync::Arc;
use std::time::Duration;

use gristmill_ipc::CodecError;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::{Broker, Object, Op, Reply};
use crate::toolkit::line::Line;
use crate::toolkit::parcel;
use crate::worker;

/// Keeps a shared object in the parent alive.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(super) id: u64,
}

impl Drop for Guard {
    fn drop(&mut self) {
        Broker::here().remove(self.id);
    }
}

/// A call to a queue or another shared object failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CallError {
    /// Nothing happened before the deadline.
    #[error("nothing happened in time")]
    TimedOut,
    /// The queue was closed: it takes nothing any more.
    #[error("the queue is closed")]
    Closed,
    /// The process that made the object has let go of it.
    #[error("the shared object is gone")]
    Gone,
    /// The thread has the lock already and would wait for itself.
    #[error("this thread has the lock already")]
    Reentrant,
    /// The parent is ending this worker.
    #[error("the parent is shutting this worker down")]
    ShuttingDown,
    /// This process is a worker that was not started by a toolkit.
    #[error("this worker was not started by a toolkit")]
    NoToolkit,
    /// Shared objects are made by the parent and passed to workers.
    #[error("a worker cannot make shared objects")]
    InWorker,
    /// A value could not be encoded or decoded.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The broker refused.
    #[error("{0}")]
    Refused(String),
}

/// An object, seen from any process.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    id: u64,
    /// In the parent only.
    guard: Option<Arc<Guard>>,
}

impl Handle {
    pub(crate) fn new(object: Object) -> Result<Self, CallError> {
        if worker::is_worker() {
            return Err(CallError::InWorker);
        }
        let guard = Broker::here().add(object);
        Ok(Self { id: guard.id, guard: Some(guard) })
    }

    /// Asks and waits, for `limit` at most if there is one.
    pub(crate) fn call(&self, op: Op, limit: Option<Duration>) -> Result<Reply, CallError> {
        let reply = match Line::here() {
            Some(line) => line.call(self.id, op, limit)?,
            None if worker::is_worker() => return Err(CallError::NoToolkit),
            None => Broker::here().call(self.id, op, limit)?,
        };
        match reply {
            Reply::TimedOut => Err(CallError::TimedOut),
            Reply::Closed => Err(CallError::Closed),
            Reply::Gone => Err(CallError::Gone),
            Reply::Reentrant => Err(CallError::Reentrant),
            Reply::Failed(why) => Err(CallError::Refused(why)),
            reply => Ok(reply),
        }
    }

    /// Asks what is answered at once.
    pub(crate) fn ask(&self, op: Op) -> Result<Reply, CallError> {
        self.call(op, None)
    }

    /// Says what needs no answer.
    pub(crate) fn tell(&self, op: Op) {
        match Line::here() {
            Some(line) => line.tell(self.id, op),
            None => Broker::here().tell(self.id, op),
        }
    }
}

impl Reply {
    /// The error for an answer that no request of that kind has.
    pub(crate) fn unexpected(&self) -> CallError {
        CallError::Refused(format!("an answer that does not fit: {self:?}"))
    }
}

impl Serialize for Handle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Some(guard) = &self.guard {
            parcel::collect(guard);
        }
        serializer.serialize_u64(self.id)
    }
}

impl<'de> Deserialize<'de> for Handle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = u64::deserialize(deserializer)?;
        if worker::is_worker() {
            return Ok(Self { id, guard: None });
        }
        let guard = Broker::here().guard(id).ok_or_else(|| D::Error::custom("the shared object is gone"))?;
        Ok(Self { id, guard: Some(guard) })
    }
}
