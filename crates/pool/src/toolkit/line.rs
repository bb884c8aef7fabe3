//! A worker's line to its parent: what goes up, and the answers to it.
//!
//! It does not know what the messages mean; what comes down is sorted in `inbox`.

use std::cell::Cell;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use gristmill_ipc::SharedMemory;

use crate::broker::{CallError, Op, Reply};
use crate::toolkit::inbox::{Inbox, Wait};
use crate::toolkit::serve::encoded;
use crate::toolkit::unanswered::Note;
use crate::toolkit::wire::{Chunk, FromWorker};
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
    inbox: Inbox,
    next: AtomicU64,
    /// An item was taken from a queue since the last function began.
    took: AtomicBool,
}

impl Line {
    /// Opens this process's one line.
    pub(crate) fn open(link: WorkerLink) -> &'static Self {
        let first = u64::from(link.incarnation()) * NUMBERS_PER_INCARNATION + 1;
        let (inbox, next, took) = (Inbox::default(), AtomicU64::new(first), AtomicBool::new(false));
        LINE.get_or_init(|| Self { link, inbox, next, took })
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

    /// The orders until no more come.
    pub(crate) fn orders(&self) -> impl Iterator<Item = Chunk> {
        std::iter::from_fn(|| self.inbox.order(&self.link))
    }

    /// Asks the broker and waits, for `limit` at most if there is one.
    pub(crate) fn call(&self, object: u64, op: Op, limit: Option<Duration>) -> Result<Reply, CallError> {
        let number = self.next.fetch_add(1, Relaxed);
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let takes = matches!(op, Op::Get);
        let _note = matches!(op, Op::Get | Op::Lease).then(|| Note::make(self.page(), number));
        self.inbox.expect(number);
        self.send(&FromWorker::Request { number, thread: thread_number(), object, op });
        let mut wait = self.inbox.reply(&self.link, number, deadline);
        if matches!(wait, Wait::Late) {
            // An answer always comes; it may be on its way already, and then it counts.
            self.send(&FromWorker::Cancel { number, thread: thread_number(), object });
            wait = self.inbox.reply(&self.link, number, None);
        }
        let Wait::Came(reply) = wait else { return Err(CallError::ShuttingDown) };
        if takes && matches!(reply, Reply::Item { .. }) {
            self.took.store(true, Relaxed);
        }
        Ok(reply)
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
