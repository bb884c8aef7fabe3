//! The worker's end of the queue: what it is sent, and what it enqueues with.
//!
//! Nothing here formats, filters or opens a file; turning events into records is the layer's work.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use ipc_channel::ipc::IpcSender;
use serde::{Deserialize, Serialize};

use crate::context;
use crate::record::{Record, Wire};
use crate::ring::{Pushed, Ring, RingProducer};
use crate::truncate;

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
    pub(crate) patience: Duration,
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

    /// Begins to enqueue, for programs that make their own [`Record`]s. Others call [`install`](crate::install).
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
        let queue = Queue {
            ring: RingProducer::new(self.ring),
            bell: self.bell,
            buffer: Vec::with_capacity(1024),
            sequence: 0,
            patience: self.patience,
            stalled: false,
        };
        Ok(Producer { name: self.name, pid, queue: Mutex::new(queue) })
    }
}

/// Enqueues records of this process. Threads share it; what one of them enqueues stays in its order.
#[derive(Debug)]
pub struct Producer {
    name: String,
    pid: u32,
    queue: Mutex<Queue>,
}

impl Producer {
    /// Enqueues a record and returns whether it is on the queue.
    ///
    /// An empty process name is replaced by the endpoint's. When the queue is full this waits for room up to the
    /// listener's patience, then drops the record; the listener reports the gap. Until there is room again further
    /// records are dropped without a wait, so that a stalled disk costs a worker that time once and not each time.
    pub fn submit(&self, record: &Record) -> bool {
        let mut wire = Wire::from(record);
        if wire.process.is_empty() {
            wire.process = &self.name;
        }
        self.enqueue(wire)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn enqueue(&self, wire: Wire<'_>) -> bool {
        // A record that a handler makes must not wait for the listener, which is waiting for the handler.
        let may_wait = !context::is_muted();
        let _muted = context::Muted::enter();
        self.lock(may_wait).is_some_and(|mut queue| queue.enqueue(wire, may_wait))
    }

    /// The ring is whole at every instruction, so a panic elsewhere does not spoil it.
    fn lock(&self, may_wait: bool) -> Option<MutexGuard<'_, Queue>> {
        if may_wait {
            return Some(self.queue.lock().unwrap_or_else(PoisonError::into_inner));
        }
        match self.queue.try_lock() {
            Ok(queue) => Some(queue),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

/// What the threads of a process share.
#[derive(Debug)]
struct Queue {
    ring: RingProducer,
    bell: IpcSender<()>,
    buffer: Vec<u8>,
    sequence: u64,
    patience: Duration,
    /// The last record found no room within the patience.
    stalled: bool,
}

impl Queue {
    fn enqueue(&mut self, mut wire: Wire<'_>, may_wait: bool) -> bool {
        self.sequence += 1;
        wire.sequence = self.sequence;
        let placed = truncate::encode(&wire, self.ring.limit(), &mut self.buffer) && self.place(may_wait);
        if !placed {
            self.ring.count_dropped();
        }
        placed
    }

    fn place(&mut self, may_wait: bool) -> bool {
        let patience = if may_wait && !self.stalled { self.patience } else { Duration::ZERO };
        let mut wait = None;
        loop {
            match self.ring.push(&self.buffer) {
                Pushed::Yes => break,
                Pushed::RingBell => {
                    self.ring_bell();
                    break;
                }
                Pushed::Never => return false,
                Pushed::Full if wait.get_or_insert_with(|| Wait::new(patience)).pause() => {}
                Pushed::Full => {
                    self.stalled = true;
                    return false;
                }
            }
        }
        self.stalled = false;
        true
    }

    fn ring_bell(&mut self) {
        // At most one such message is under way, so the send never blocks. It fails when the listener has ended:
        // then nobody makes room, and waiting for it is useless.
        if self.bell.send(()).is_err() {
            self.patience = Duration::ZERO;
        }
    }
}

/// A wait for room: the consumer is in another process, so it looks again after short pauses.
struct Wait {
    until: Instant,
    pause: Duration,
    lock: Mutex<()>,
    never: Condvar,
}

impl Wait {
    const FIRST: Duration = Duration::from_micros(50);
    const LONGEST: Duration = Duration::from_millis(2);

    fn new(patience: Duration) -> Self {
        let until = Instant::now() + patience;
        Self { until, pause: Self::FIRST, lock: Mutex::new(()), never: Condvar::new() }
    }

    /// Waits a moment; `false`, without a wait, once the time is up.
    fn pause(&mut self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        // Parking the thread would be simpler and could swallow a wake-up that the program meant for itself.
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.never.wait_timeout(guard, self.pause.min(left)));
        self.pause = (self.pause * 2).min(Self::LONGEST);
        true
    }
}
