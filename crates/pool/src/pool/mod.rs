//! A pool: a fixed number of workers that run any of the registered functions over many items.
//!
//! This file is what users call. Who runs what is decided by one thread, in `scheduler`.
//!
//! ```text
//!  calling threads ── items ─► scheduler ── chunks ─► workers
//!        ▲                        ▲  │                   │
//!        └── results, as they come ──┘◄─── results ──────┘
//! ```
//!
//! Arguments are encoded once, one behind the other, and a chunk is a range of that. A worker tells in its page which item
//! it runs, and collects the results of quick items there for a millisecond at most; they travel together.

mod aftermath;
mod arrivals;
mod batch;
mod builder;
mod calls;
mod imap;
mod limits;
mod pending;
mod piece;
mod progress;
mod scheduler;
mod stats;
mod worker;

use std::fmt;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Sender, bounded};

pub use builder::PoolBuilder;
pub use calls::Calls;
pub use imap::Imap;
pub use pending::Pending;
pub use stats::{LongTask, PoolStats, WorkerTimes};

use crate::toolkit::error::TaskError;
use crate::toolkit::registry::{Argument, Function, Functions, Output};
use scheduler::Input;

/// Workers that run the registered functions over many items.
///
/// The death of a worker fails the one item that it was running; a fresh worker takes its place and the rest goes on.
/// What a function raises reaches the caller as a [`TaskError`] as soon as it happens. Dropping the pool calls off what
/// is not done and ends the workers; [`finish`](Self::finish) lets them do all that was submitted first.
///
/// ```no_run
/// # use gristmill_pool::{Function, Toolkit};
/// # const SQUARE: Function<u64, u64> = Function::new("square");
/// # fn run(toolkit: &Toolkit) -> Result<(), Box<dyn std::error::Error>> {
/// let pool = toolkit.pool(4).start()?;
/// let squares = pool.map(SQUARE, 0..1000)?;
/// for square in pool.imap_unordered(SQUARE, 0..1000) {
///     println!("{}", square?);
/// }
/// println!("{}", pool.finish());
/// # Ok(())
/// # }
/// ```
pub struct Pool {
    inbox: Sender<Input>,
    thread: Option<JoinHandle<PoolStats>>,
    functions: Arc<Functions>,
    workers: usize,
}

impl Pool {
    /// How many workers it has.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// Calls of `function` with options of their own: chunk size, time limit.
    pub fn calls<A: Argument, R: Output>(&self, function: Function<A, R>) -> Calls<'_, A, R> {
        Calls::new(self, function)
    }

    /// Runs `function` with each item and returns the results in the order of the items.
    ///
    /// # Errors
    /// The first failure, as soon as it happens. The other items are called off then, and those that run are ended,
    /// before this returns.
    pub fn map<A: Argument, R: Output>(
        &self,
        function: Function<A, R>,
        items: impl IntoIterator<Item = A>,
    ) -> Result<Vec<R>, TaskError> {
        self.calls(function).map(items)
    }

    /// Runs `function` with each item, whatever happens to the others, and returns what became of each.
    pub fn map_all<A: Argument, R: Output>(
        &self,
        function: Function<A, R>,
        items: impl IntoIterator<Item = A>,
    ) -> Vec<Result<R, TaskError>> {
        self.calls(function).map_all(items)
    }

    /// The results one by one, in the order of the items, which are taken as needed. A failure is one of the results.
    pub fn imap<A: Argument, R: Output, I: IntoIterator<Item = A>>(
        &self,
        function: Function<A, R>,
        items: I,
    ) -> Imap<A, R, I::IntoIter> {
        self.calls(function).imap(items)
    }

    /// The results one by one, as they come. A failure is one of the results.
    pub fn imap_unordered<A: Argument, R: Output, I: IntoIterator<Item = A>>(
        &self,
        function: Function<A, R>,
        items: I,
    ) -> Imap<A, R, I::IntoIter> {
        self.calls(function).imap_unordered(items)
    }

    /// Runs `function` once and waits for its result.
    ///
    /// # Errors
    /// When it fails.
    pub fn apply<A: Argument, R: Output>(
        &self,
        function: Function<A, R>,
        argument: A,
    ) -> Result<R, TaskError> {
        self.submit(function, argument).wait()
    }

    /// Runs `function` once, without waiting for its result.
    pub fn submit<A: Argument, R: Output>(&self, function: Function<A, R>, argument: A) -> Pending<R> {
        self.calls(function).submit(argument)
    }

    /// Calls off all that is not done: every result that is still missing is an error. The pool goes on.
    pub fn cancel_all(&self) {
        self.canceller().cancel_all();
    }

    /// What can call off this pool's work from another thread.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        Canceller { inbox: self.inbox.clone() }
    }

    /// What the workers have done with their time so far.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let (sender, answer) = bounded(1);
        // Without a scheduler there is nothing to tell.
        self.inbox.send(Input::Stats(sender)).unwrap_or_default();
        answer.recv().unwrap_or_default()
    }

    /// Waits for all that was submitted, ends the workers with their exit hooks and tells how their time was spent.
    ///
    /// When they were busy for less than 80 % of it, that is also logged as a warning.
    pub fn finish(mut self) -> PoolStats {
        self.inbox.send(Input::Finish { hurry: false }).unwrap_or_default();
        self.join()
    }

    fn join(&mut self) -> PoolStats {
        let Some(thread) = self.thread.take() else { return PoolStats::default() };
        thread.join().unwrap_or_else(|_| {
            tracing::error!("the thread that schedules a pool panicked");
            PoolStats::default()
        })
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.inbox.send(Input::Finish { hurry: true }).unwrap_or_default();
            self.join();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("workers", &self.workers).finish_non_exhaustive()
    }
}

/// Calls off a pool's work from any thread; it may outlive the pool.
#[derive(Clone)]
pub struct Canceller {
    inbox: Sender<Input>,
}

impl Canceller {
    /// Calls off all that is not done. What runs is ended by force.
    pub fn cancel_all(&self) {
        // A pool that is gone has nothing to do.
        self.inbox.send(Input::CancelAll).unwrap_or_default();
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller").finish_non_exhaustive()
    }
}
