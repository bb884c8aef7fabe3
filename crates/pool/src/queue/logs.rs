//! The log listener's queue as an argument of a worker function.
//!
//! Workers of a toolkit [with a log](crate::Toolkit::with_log) are connected without it; this is for functions that put
//! records of their own making on a queue that they are given.

use gristmill_log::{Endpoint, ListenerHandle, Producer};
use serde::{Deserialize, Serialize};

use crate::broker::{CallError, Handle, Object, Op, Reply, fetch_endpoint};
use crate::toolkit::process_name;

/// A log listener's queue that can be passed to workers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LogQueue {
    handle: Handle,
}

impl LogQueue {
    /// The queue of this listener, with a filter for those who [install](Self::install) it.
    ///
    /// # Errors
    /// In a worker: listeners are in the parent.
    pub fn new(listener: ListenerHandle, filter: impl Into<String>) -> Result<Self, CallError> {
        Ok(Self { handle: Handle::new(Object::logs(listener, filter.into()))? })
    }

    /// Gets this process a place on the queue, to enqueue records of its own making.
    ///
    /// # Errors
    /// When the listener has stopped or the system is out of memory or descriptors.
    pub fn attach(&self) -> Result<Producer, CallError> {
        self.endpoint()?.attach().map_err(|error| CallError::Refused(error.to_string()))
    }

    /// Sends all `tracing` events and `log` records of this process to the listener. Where the toolkit has a log this
    /// was done at the start, and cannot be done again.
    ///
    /// # Errors
    /// When logging is installed already, or as [`LogQueue::attach`].
    pub fn install(&self) -> Result<(), CallError> {
        gristmill_log::install(self.endpoint()?).map_err(|error| CallError::Refused(error.to_string()))
    }

    fn endpoint(&self) -> Result<Endpoint, CallError> {
        match self.handle.ask(Op::Endpoint(process_name().into()))? {
            Reply::Rendezvous(place) => fetch_endpoint(&place),
            other => Err(other.unexpected()),
        }
    }
}
