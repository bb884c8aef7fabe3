//! Calls of one function on a pool: options first, then what to do with the results.
//!
//! It encodes arguments and decodes results in the calling thread, never in the scheduler's.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use crossbeam_channel::RecvTimeoutError;
use gristmill_ipc::decode;

use super::Pool;
use super::batch::{Item, Ticketed};
use super::imap::Imap;
use crate::toolkit::error::{TaskCause, TaskError};
use crate::toolkit::parcel::Parcel;
use crate::toolkit::registry::{Argument, Function, Output};
use crate::toolkit::wire::Bytes;

/// With a chunk size of its own, each worker gets about so many chunks of a `map`.
const CHUNKS_PER_WORKER: usize = 4;

/// Calls of one function, with options of their own.
#[derive(Debug)]
pub struct Calls<'a, A, R> {
    pool: &'a Pool,
    function: Function<A, R>,
    chunk_size: Option<usize>,
    timeout: Option<Duration>,
}

impl<'a, A: Argument, R: Output> Calls<'a, A, R> {
    pub(super) fn new(pool: &'a Pool, function: Function<A, R>) -> Self {
        Self { pool, function, chunk_size: None, timeout: None }
    }

    /// How many items a worker gets at once. Without it, `map` makes about four chunks for each worker and the others
    /// send single items. Whatever the size, each item fails or succeeds for itself.
    #[must_use]
    pub fn chunk_size(mut self, items: usize) -> Self {
        self.chunk_size = Some(items.max(1));
        self
    }

    /// How long one item may take, instead of what the pool says.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// See [`Pool::map`].
    ///
    /// # Errors
    /// The first failure.
    pub fn map(&self, items: impl IntoIterator<Item = A>) -> Result<Vec<R>, TaskError> {
        let (ticketed, count) = self.submit_all(items)?;
        let mut results: Vec<Option<R>> = (0..count).map(|_| None).collect();
        for (index, outcome) in &ticketed.results {
            match outcome.and_then(|bytes| self.read(&bytes, Some(index))) {
                Ok(result) => results[index as usize] = Some(result),
                Err(error) => {
                    ticketed.cancel();
                    // None of the siblings runs any more when this returns.
                    while ticketed.results.recv().is_ok() {}
                    return Err(error);
                }
            }
        }
        results.into_iter().collect::<Option<_>>().ok_or_else(|| self.error(None, pool_ended()))
    }

    /// See [`Pool::map_all`].
    pub fn map_all(&self, items: impl IntoIterator<Item = A>) -> Vec<Result<R, TaskError>> {
        let (ticketed, count) = match self.submit_all(items) {
            Ok(submitted) => submitted,
            Err(error) => return vec![Err(error)],
        };
        let missing = |index| Err(self.error(Some(index as u64), pool_ended()));
        let mut results: Vec<_> = (0..count).map(missing).collect();
        for (index, outcome) in &ticketed.results {
            results[index as usize] = outcome.and_then(|bytes| self.read(&bytes, Some(index)));
        }
        results
    }

    /// See [`Pool::imap`].
    pub fn imap<I: IntoIterator<Item = A>>(&self, items: I) -> Imap<A, R, I::IntoIter> {
        self.results(items, true)
    }

    /// See [`Pool::imap_unordered`].
    pub fn imap_unordered<I: IntoIterator<Item = A>>(&self, items: I) -> Imap<A, R, I::IntoIter> {
        self.results(items, false)
    }

    fn results<I: IntoIterator<Item = A>>(&self, items: I, ordered: bool) -> Imap<A, R, I::IntoIter> {
        let chunk_size = self.chunk_size.unwrap_or(1);
        let unable = self.pool.functions.check(self.function).err();
        let unable = unable.map(|error| self.error(None, TaskCause::Codec(error.to_string())));
        let window = 2 * self.pool.workers * chunk_size;
        Imap::new(self.open(true), self.function, items.into_iter(), chunk_size, window, ordered, unable)
    }

    /// See [`Pool::submit`].
    pub fn submit(&self, argument: A) -> Pending<R> {
        let ticketed = self.open(false);
        let packed = self.check().and_then(|()| self.pack(&argument, None));
        let unable = match packed {
            Ok(parcel) => {
                ticketed.submit(VecDeque::from([(0, parcel)]));
                None
            }
            Err(error) => Some(error),
        };
        ticketed.complete();
        Pending { ticketed, function: self.function.name(), unable, result: PhantomData }
    }

    fn open(&self, several: bool) -> Ticketed {
        Ticketed::open(&self.pool.inbox, self.function.name(), self.timeout, several)
    }

    /// Nothing is submitted unless all of it can be.
    fn submit_all(&self, items: impl IntoIterator<Item = A>) -> Result<(Ticketed, usize), TaskError> {
        self.check()?;
        let numbered = (0..).zip(items);
        let packed = numbered.map(|(index, item)| Ok((index, self.pack(&item, Some(index))?)));
        let mut rest: VecDeque<Item> = packed.collect::<Result<_, TaskError>>()?;
        let count = rest.len();
        let even = count.div_ceil(self.pool.workers * CHUNKS_PER_WORKER);
        let size = self.chunk_size.unwrap_or(even).max(1);
        let ticketed = self.open(true);
        while !rest.is_empty() {
            ticketed.submit(rest.drain(..size.min(rest.len())).collect());
        }
        ticketed.complete();
        Ok((ticketed, count))
    }

    fn check(&self) -> Result<(), TaskError> {
        let checked = self.pool.functions.check(self.function);
        checked.map_err(|error| self.error(None, TaskCause::Codec(error.to_string())))
    }

    fn pack(&self, argument: &A, index: Option<u64>) -> Result<Parcel, TaskError> {
        Parcel::pack(argument).map_err(|error| self.error(index, TaskCause::Codec(error.to_string())))
    }

    fn read(&self, bytes: &Bytes, index: Option<u64>) -> Result<R, TaskError> {
        decode(bytes).map_err(|error| self.error(index, TaskCause::Codec(error.to_string())))
    }

    fn error(&self, index: Option<u64>, cause: TaskCause) -> TaskError {
        TaskError { function: self.function.name().into(), index, worker: None, cause }
    }
}

pub(super) fn pool_ended() -> TaskCause {
    TaskCause::NoWorker("the pool has ended".into())
}

/// A result that will come.
///
/// Dropping it calls the task off; [`detach`](Self::detach) lets it run.
pub struct Pending<R> {
    ticketed: Ticketed,
    function: &'static str,
    unable: Option<TaskError>,
    result: PhantomData<fn() -> R>,
}

impl<R: Output> Pending<R> {
    /// Waits for the result.
    ///
    /// # Errors
    /// When the task fails or is called off.
    pub fn wait(mut self) -> Result<R, TaskError> {
        if let Some(error) = self.unable.take() {
            return Err(error);
        }
        match self.ticketed.results.recv() {
            Ok((_, outcome)) => self.read(outcome),
            Err(_) => Err(self.error(pool_ended())),
        }
    }

    /// Waits for the result for `limit` at most; `None` if it has not come by then. It is given out once.
    pub fn wait_timeout(&mut self, limit: Duration) -> Option<Result<R, TaskError>> {
        if let Some(error) = self.unable.take() {
            return Some(Err(error));
        }
        match self.ticketed.results.recv_timeout(limit) {
            Ok((_, outcome)) => Some(self.read(outcome)),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(self.error(pool_ended()))),
        }
    }

    /// Calls the task off; its result is an error then, unless it was there before.
    pub fn cancel(&self) {
        self.ticketed.cancel();
    }

    /// Lets the task run without anybody waiting for it. A failure is logged.
    pub fn detach(mut self) {
        self.ticketed.detach();
    }

    fn read(&self, outcome: Result<Bytes, TaskError>) -> Result<R, TaskError> {
        decode(&outcome?).map_err(|error| self.error(TaskCause::Codec(error.to_string())))
    }

    fn error(&self, cause: TaskCause) -> TaskError {
        TaskError { function: self.function.into(), index: None, worker: None, cause }
    }
}

impl<R> fmt::Debug for Pending<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("function", &self.function).finish_non_exhaustive()
    }
}
