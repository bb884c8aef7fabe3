//! Enqueues records of this process, and decides what a full queue costs each of them.
//!
//! Nothing here formats, filters or opens a file; turning events into records is the layer's work.

use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use ipc_channel::ipc::IpcSender;

use super::patience::{Patience, Wait};
use crate::context;
use crate::record::{Record, Wire};
use crate::ring::{Pushed, Ring, RingProducer};
use crate::truncate;

/// Enqueues records of this process. Threads share it; what one of them enqueues stays in its order.
#[derive(Debug)]
pub struct Producer {
    name: String,
    pid: u32,
    patience: Patience,
    ring: Ring,
    /// The number of the last record, whatever became of it.
    sequence: AtomicU64,
    /// A record waits for room, and has the queue locked.
    waiting: AtomicBool,
    queue: Mutex<Queue>,
}

impl Producer {
    pub(super) fn new(
        name: String,
        pid: u32,
        shared: Ring,
        ring: RingProducer,
        bell: IpcSender<()>,
        patience: Patience,
    ) -> Self {
        let queue =
            Queue { ring, bell, buffer: Vec::with_capacity(1024), spent: Duration::ZERO, deserted: false };
        Self {
            name,
            pid,
            patience,
            ring: shared,
            sequence: AtomicU64::new(0),
            waiting: AtomicBool::new(false),
            queue: Mutex::new(queue),
        }
    }

    /// Enqueues a record and returns whether it is on the queue.
    ///
    /// An empty process name is replaced by the endpoint's. When the queue is full this waits for room up to the
    /// listener's [`Patience`] with the record's level, then drops the record; the listener reports the gap. Until
    /// there is room again further records are dropped without a wait, so that a stalled disk costs a worker that time
    /// once and not each time.
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

    pub(super) fn ring(&self) -> &Ring {
        &self.ring
    }

    pub(crate) fn enqueue(&self, mut wire: Wire<'_>) -> bool {
        // A record that a handler makes must not wait for the listener, which is waiting for the handler.
        let muted = context::is_muted();
        let patience = if muted { Duration::ZERO } else { self.patience.of(wire.level) };
        let _muted = context::Muted::enter();
        let queue = self.lock(muted, patience);
        // Taken while the queue is locked, so that numbers rise along it.
        wire.sequence = self.sequence.fetch_add(1, Relaxed) + 1;
        let placed = queue.is_some_and(|mut queue| {
            truncate::encode(&wire, queue.ring.limit(), &mut queue.buffer)
                && queue.place(patience, &self.waiting)
        });
        if !placed {
            self.ring.count_dropped();
        }
        placed
    }

    /// The queue, unless the record would have to wait for it and must not.
    fn lock(&self, muted: bool, patience: Duration) -> Option<MutexGuard<'_, Queue>> {
        // The ring is whole at every instruction, so a panic elsewhere does not spoil it.
        if !muted && !patience.is_zero() {
            return Some(self.queue.lock().unwrap_or_else(PoisonError::into_inner));
        }
        loop {
            match self.queue.try_lock() {
                Ok(queue) => return Some(queue),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) if muted || self.waiting.load(SeqCst) => return None,
                // Whoever has it is done in a moment, or finds it full and says so.
                Err(TryLockError::WouldBlock) => thread::yield_now(),
            }
        }
    }
}

/// What the threads of a process share.
#[derive(Debug)]
struct Queue {
    ring: RingProducer,
    bell: IpcSender<()>,
    buffer: Vec<u8>,
    /// How long records have waited in vain since there was room.
    spent: Duration,
    /// The listener has ended without closing the ring: nobody will make room.
    deserted: bool,
}

impl Queue {
    fn place(&mut self, patience: Duration, waiting: &AtomicBool) -> bool {
        let mut pushed = self.ring.push(&self.buffer);
        if pushed == Pushed::Full && patience > self.spent && !self.deserted {
            waiting.store(true, SeqCst);
            pushed = self.wait(patience - self.spent);
            waiting.store(false, SeqCst);
            if pushed == Pushed::Full {
                self.spent = patience;
            }
        }
        match pushed {
            Pushed::Full | Pushed::Never => return false,
            Pushed::RingBell => self.ring_bell(),
            Pushed::Yes => {}
        }
        self.spent = Duration::ZERO;
        true
    }

    #[cold]
    fn wait(&mut self, patience: Duration) -> Pushed {
        let mut wait = Wait::new(patience);
        while wait.pause() {
            let pushed = self.ring.push(&self.buffer);
            if pushed != Pushed::Full {
                return pushed;
            }
        }
        Pushed::Full
    }

    fn ring_bell(&mut self) {
        // At most one such message is under way, so the send never blocks. It fails when the listener has ended.
        self.deserted = self.bell.send(()).is_err();
    }
}
