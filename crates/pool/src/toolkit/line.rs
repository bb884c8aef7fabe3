//! A worker's line to its parent: who reads it, who waits for which answer, and what goes up.
//!
//! Orders go to the thread that runs functions, answers to whoever waits for them. It does not know what they mean.

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use gristmill_ipc::{SharedMemory, decode};

use crate::broker::{CallError, Op, Reply};
use crate::lock;
use crate::toolkit::serve::encoded;
use crate::toolkit::wire::{Chunk, FromWorker, ToWorker};
use crate::worker::WorkerLink;

/// This process's line, if it is a worker of a toolkit.
static LINE: OnceLock<Line> = OnceLock::new();

/// The numbers of one incarnation's requests never occur in another's.
const NUMBERS_PER_INCARNATION: u64 = 1 << 40;

static NEXT_THREAD: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static THREAD: Cell<u64> = const { Cell::new(0) };
}

/// The number of this thread in its process.
pub(crate) fn thread_number() -> u64 {
    if THREAD.get() == 0 {
        THREAD.set(NEXT_THREAD.fetch_add(1, Relaxed));
    }
    THREAD.get()
}

#[derive(Debug)]
pub(crate) struct Line {
    link: WorkerLink,
    next: AtomicU64,
    /// Who waits for which answer; `None` when no more answers will come.
    waiting: Mutex<Option<HashMap<u64, Sender<Reply>>>>,
    orders: Mutex<Option<Sender<Chunk>>>,
    /// An item was taken from a queue since the last function began.
    took: AtomicBool,
}

impl Line {
    /// Opens this process's one line.
    pub(crate) fn open(link: WorkerLink) -> (&'static Self, Receiver<Chunk>) {
        let (orders, inbox) = unbounded();
        let first = u64::from(link.incarnation()) * NUMBERS_PER_INCARNATION + 1;
        let line = Self {
            link,
            next: AtomicU64::new(first),
            waiting: Mutex::new(Some(HashMap::new())),
            orders: Mutex::new(Some(orders)),
            took: AtomicBool::new(false),
        };
        (LINE.get_or_init(|| line), inbox)
    }

    pub(crate) fn here() -> Option<&'static Self> {
        LINE.get()
    }

    pub(crate) fn name(&self) -> &str {
        self.link.name()
    }

    pub(crate) fn page(&self) -> &SharedMemory {
        self.link.page()
    }

    /// Reads until the parent closes the line; the whole life of a thread.
    pub(crate) fn read(&self) {
        while let Some(bytes) = self.link.recv() {
            match decode(&bytes) {
                Ok(ToWorker::Run(chunk)) => self.order(chunk),
                Ok(ToWorker::Finish) => *lock(&self.orders) = None,
                Ok(ToWorker::Reply(number, reply)) => self.answer(number, reply),
                Err(error) => {
                    eprintln!("a message from the parent is not understood: {error}");
                    std::process::exit(2);
                }
            }
        }
        *lock(&self.orders) = None;
        *lock(&self.waiting) = None;
    }

    fn order(&self, chunk: Chunk) {
        if let Some(orders) = &*lock(&self.orders) {
            // The thread that runs them ends with the process only.
            orders.send(chunk).unwrap_or_default();
        }
    }

    fn answer(&self, number: u64, reply: Reply) {
        let waiter = lock(&self.waiting).as_mut().and_then(|waiting| waiting.remove(&number));
        if let Some(waiter) = waiter {
            // There is room for one.
            waiter.send(reply).unwrap_or_default();
        }
    }

    /// Asks the broker and waits, for `limit` at most if there is one.
    pub(crate) fn call(&self, object: u64, op: Op, limit: Option<Duration>) -> Result<Reply, CallError> {
        let number = self.next.fetch_add(1, Relaxed);
        let (sender, answer) = bounded(1);
        lock(&self.waiting).as_mut().ok_or(CallError::ShuttingDown)?.insert(number, sender);
        let takes = matches!(op, Op::Get);
        self.send(&FromWorker::Request { number, thread: thread_number(), object, op });
        let in_time = limit.and_then(|limit| answer.recv_timeout(limit).ok());
        let reply = match (in_time, limit) {
            (Some(reply), _) => Ok(reply),
            (None, None) => answer.recv(),
            (None, Some(_)) => {
                // An answer always comes; it may be on its way already, and then it counts.
                self.send(&FromWorker::Cancel { number, thread: thread_number(), object });
                answer.recv()
            }
        };
        if takes && matches!(reply, Ok(Reply::Item { .. })) {
            self.took.store(true, Relaxed);
        }
        reply.map_err(|_| CallError::ShuttingDown)
    }

    /// Tells the broker something that needs no answer.
    pub(crate) fn tell(&self, object: u64, op: Op) {
        self.send(&FromWorker::Request { number: 0, thread: thread_number(), object, op });
    }

    /// Says that what was taken from queues has been dealt with.
    pub(crate) fn settle(&self) {
        // Nearly always there is nothing, and a look is cheaper.
        if self.took.load(Relaxed) && self.took.swap(false, Relaxed) {
            self.tell(0, Op::SettleAll);
        }
    }

    /// Sends what fits, or ends the process: without its messages it is of no use.
    pub(crate) fn send(&self, message: &FromWorker) {
        if let Err(error) = self.try_send(message) {
            eprintln!("a message to the parent cannot be sent: {error}");
            std::process::exit(2);
        }
    }

    pub(crate) fn try_send(&self, message: &FromWorker) -> io::Result<()> {
        self.link.send(&encoded(message))
    }
}
