//! Calls of one function on a pool: options first, then what to do with the results.
//!
//! It encodes arguments and decodes results in the calling thread, never in the scheduler's.

use std::time::Duration;

use gristmill_ipc::{CodecError, decode};

use super::Pool;
use super::batch::Ticketed;
use super::imap::Imap;
use super::pending::Pending;
use crate::toolkit::error::{TaskCause, TaskError};
use crate::toolkit::parcel::Parcels;
use crate::toolkit::registry::{Argument, Function, Output};

/// With a chunk size of its own, each worker gets about so many chunks of a `map`.
const CHUNKS_PER_WORKER: usize = 4;

/// Arguments that can be sent, the first item and the number of each, and what every item has come to so far.
type Packed<R> = (Vec<Parcels>, Vec<(u64, usize)>, Vec<Result<R, TaskError>>);

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
        self.check()?;
        let (mut parcels, mut count) = (Parcels::default(), 0);
        // Nothing is submitted unless all of it can be.
        for item in items {
            parcels.push(&item).map_err(|error| self.unable(count, &error))?;
            count += 1;
        }
        let mut ticketed = self.open(true);
        ticketed.submit(0, count as usize, parcels, self.chunk_size_for(count as usize));
        ticketed.complete();
        let mut results: Vec<Option<R>> = (0..count).map(|_| None).collect();
        loop {
            let outcome = ticketed.arrivals.next(|index, outcome| Ok((index, self.read(index, outcome)?)));
            match outcome {
                Ok(Ok((index, result))) => results[index as usize] = Some(result),
                Ok(Err(error)) => {
                    ticketed.cancel();
                    // None of the siblings runs any more when this returns.
                    ticketed.arrivals.discard();
                    return Err(error);
                }
                Err(_) => break,
            }
        }
        results.into_iter().collect::<Option<_>>().ok_or_else(|| self.error(None, pool_ended()))
    }

    /// See [`Pool::map_all`].
    pub fn map_all(&self, items: impl IntoIterator<Item = A>) -> Vec<Result<R, TaskError>> {
        let (parcels, runs, mut results) = self.pack_all(items);
        let mut ticketed = self.open(true);
        let size = self.chunk_size_for(results.len());
        for ((first, count), parcels) in runs.into_iter().zip(parcels) {
            ticketed.submit(first, count, parcels, size);
        }
        ticketed.complete();
        while let Ok((index, result)) =
            ticketed.arrivals.next(|index, outcome| (index, self.read(index, outcome)))
        {
            results[index as usize] = result;
        }
        results
    }

    /// What can be sent, cut where something cannot, and what each item has come to so far.
    fn pack_all(&self, items: impl IntoIterator<Item = A>) -> Packed<R> {
        let registered = self.check();
        let (mut packed, mut runs, mut results) = (vec![Parcels::default()], vec![(0, 0)], Vec::new());
        for (index, item) in (0..).zip(items) {
            let parcels = packed.last_mut().expect("there is one from the beginning");
            let pushed = registered
                .as_ref()
                .map_err(TaskError::clone)
                .and_then(|()| parcels.push(&item).map_err(|error| self.unable(index, &error)));
            results.push(Err(match pushed {
                Ok(()) => {
                    runs.last_mut().expect("there is one from the beginning").1 += 1;
                    self.error(Some(index), pool_ended())
                }
                Err(error) => {
                    packed.push(Parcels::default());
                    runs.push((index + 1, 0));
                    TaskError { index: Some(index), ..error }
                }
            }));
        }
        (packed, runs, results)
    }

    fn chunk_size_for(&self, count: usize) -> usize {
        let even = count.div_ceil(self.pool.workers.saturating_mul(CHUNKS_PER_WORKER));
        self.chunk_size.unwrap_or(even).max(1)
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
        let window = chunk_size.saturating_mul(2 * self.pool.workers);
        Imap::new(self.open(true), self.function, items.into_iter(), chunk_size, window, ordered, unable)
    }

    /// See [`Pool::submit`].
    pub fn submit(&self, argument: A) -> Pending<R> {
        let ticketed = self.open(false);
        let mut parcels = Parcels::default();
        let packed = self.check().and_then(|()| {
            let unable = |error: CodecError| self.error(None, TaskCause::Codec(error.to_string()));
            parcels.push(&argument).map_err(unable)
        });
        let unable = packed.err();
        if unable.is_none() {
            ticketed.submit(0, 1, parcels, 1);
        }
        ticketed.complete();
        Pending::new(ticketed, self.function.name(), unable)
    }

    fn open(&self, several: bool) -> Ticketed {
        Ticketed::open(&self.pool.inbox, self.function.name(), self.timeout, several)
    }

    fn check(&self) -> Result<(), TaskError> {
        let checked = self.pool.functions.check(self.function);
        checked.map_err(|error| self.error(None, TaskCause::Codec(error.to_string())))
    }

    fn unable(&self, index: u64, error: &CodecError) -> TaskError {
        self.error(Some(index), TaskCause::Codec(error.to_string()))
    }

    fn read(&self, index: u64, outcome: Result<&[u8], TaskError>) -> Result<R, TaskError> {
        decode(outcome?).map_err(|error| self.unable(index, &error))
    }

    fn error(&self, index: Option<u64>, cause: TaskCause) -> TaskError {
        TaskError { function: self.function.name().into(), index, worker: None, cause }
    }
}

pub(super) fn pool_ended() -> TaskCause {
    TaskCause::NoWorker("the pool has ended".into())
}
