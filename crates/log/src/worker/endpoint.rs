//! A place on the queue, as it is sent to a worker.
//!
//! It only carries what the worker needs; enqueueing is the producer's work.

use ipc_channel::ipc::IpcSender;
use serde::{Deserialize, Serialize};

use super::patience::Patience;
use super::producer::Producer;
use crate::ring::{Ring, RingProducer};

/// A place on a listener's queue for one process. It can be sent to it inside an ipc-channel message.
///
/// It is made by [`ListenerHandle::endpoint`](crate::ListenerHandle::endpoint) and good for one process: a worker
/// that is started again gets a fresh one. The listener learns that the process has ended when the last copy of
/// the endpoint is gone, so the parent should not keep what it has sent.
#[derive(Debug, Serialize, Deserialize)]
pub struct Endpoint {
    pub(crate) name: String,
    pub(crate) directives: String,
    pub(crate) ring: Ring,
    pub(crate) bell: IpcSender<()>,
    pub(crate) patience: Patience,
    /// Records that may be queued at a time.
    pub(crate) most: u64,
}

/// An endpoint cannot be used by this process.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// An endpoint has been sent twice.
    #[error("the log endpoint of {name} is in use by process {pid}")]
    InUse {
        /// The process name that the endpoint was made for.
        name: String,
        /// The process that uses it.
        pid: u32,
    },
    /// The memory that came with the endpoint is not a queue.
    #[error("the log endpoint of {name} came without a usable queue")]
    Unsound {
        /// The process name that the endpoint was made for.
        name: String,
    },
}

impl Endpoint {
    /// The name that records of the process carry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Begins to enqueue, for programs that make their own [`Record`](crate::Record)s. Others call
    /// [`install`](crate::install).
    ///
    /// # Errors
    /// When another process has attached to the same endpoint, or it was damaged on its way.
    pub fn attach(self) -> Result<Producer, AttachError> {
        if !self.ring.is_sound() {
            return Err(AttachError::Unsound { name: self.name });
        }
        let pid = std::process::id();
        if let Err(owner) = self.ring.claim(pid) {
            return Err(AttachError::InUse { name: self.name, pid: owner });
        }
        let ring = RingProducer::new(self.ring.clone(), self.most);
        Ok(Producer::new(self.name, pid, self.ring, ring, self.bell, self.patience))
    }
}
