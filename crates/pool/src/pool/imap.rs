//! Results one by one, while the items are still being taken.
//!
//! It keeps a bounded number of items under way, so that neither endless items nor a slow reader fills the memory.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use std::{fmt, mem};

use crossbeam_channel::RecvTimeoutError;
use gristmill_ipc::{CodecError, decode};

use super::batch::Ticketed;
use super::calls::pool_ended;
use crate::broker::CallError;
use crate::toolkit::error::{TaskCause, TaskError};
use crate::toolkit::parcel::Parcels;
use crate::toolkit::registry::{Argument, Function, Output};

/// An iterator over results; see [`Pool::imap`](crate::Pool::imap). Dropping it calls off what is under way.
pub struct Imap<A, R, I> {
    ticketed: Ticketed,
    function: Function<A, R>,
    items: Option<I>,
    chunk_size: usize,
    /// How many items may be under way or waiting to be read.
    window: usize,
    ordered: bool,
    submitted: u64,
    returned: u64,
    /// Results that came before their turn.
    early: BTreeMap<u64, Result<R, TaskError>>,
}

impl<A: Argument, R: Output, I: Iterator<Item = A>> Imap<A, R, I> {
    pub(super) fn new(
        ticketed: Ticketed,
        function: Function<A, R>,
        items: I,
        chunk_size: usize,
        window: usize,
        ordered: bool,
        unable: Option<TaskError>,
    ) -> Self {
        let mut imap = Self {
            ticketed,
            function,
            items: Some(items),
            chunk_size,
            window,
            ordered,
            submitted: 0,
            returned: 0,
            early: BTreeMap::new(),
        };
        match unable {
            Some(error) => imap.end_with(error),
            None => imap.fill(),
        }
        imap
    }

    fn end_with(&mut self, error: TaskError) {
        self.items = None;
        self.early.insert(self.submitted, Err(error));
        self.submitted += 1;
        self.ticketed.complete();
    }

    fn under_way(&self) -> usize {
        usize::try_from(self.submitted - self.returned).unwrap_or(usize::MAX)
    }

    fn fill(&mut self) {
        while self.items.is_some() && self.window.saturating_sub(self.under_way()) >= self.chunk_size {
            self.submit_chunk();
        }
    }

    fn submit_chunk(&mut self) {
        let (mut parcels, mut count) = (Parcels::default(), 0);
        for _ in 0..self.chunk_size {
            let Some(item) = self.items.as_mut().and_then(Iterator::next) else {
                self.items = None;
                break;
            };
            match parcels.push(&item) {
                Ok(()) => count += 1,
                Err(error) => {
                    self.submit(mem::take(&mut parcels), mem::take(&mut count));
                    let error = self.error(self.submitted, TaskCause::Codec(error.to_string()));
                    self.early.insert(self.submitted, Err(error));
                }
            }
            self.submitted += 1;
        }
        self.submit(parcels, count);
        if self.items.is_none() {
            self.ticketed.complete();
        }
    }

    /// Submits the last `count` items.
    fn submit(&self, parcels: Parcels, count: usize) {
        if count > 0 {
            self.ticketed.submit(self.submitted - count as u64, count, parcels, count);
        }
    }

    fn error(&self, index: u64, cause: TaskCause) -> TaskError {
        TaskError { function: self.function.name().into(), index: Some(index), worker: None, cause }
    }

    fn take_early(&mut self) -> Option<Result<R, TaskError>> {
        let (index, _) = self.early.first_key_value()?;
        (!self.ordered || *index == self.returned)
            .then(|| self.early.pop_first().map(|(_, result)| result))?
    }

    fn receive(&mut self, deadline: Option<Instant>) -> Result<(), CallError> {
        match self.ticketed.arrivals.next_until(deadline, |index, outcome| (index, outcome.map(decode))) {
            Ok((index, outcome)) => self.keep(index, outcome),
            Err(RecvTimeoutError::Timeout) => return Err(CallError::TimedOut),
            Err(RecvTimeoutError::Disconnected) => self.pool_has_ended(),
        }
        Ok(())
    }

    fn keep(&mut self, index: u64, outcome: Result<Result<R, CodecError>, TaskError>) {
        let unable = |error: CodecError| self.error(index, TaskCause::Codec(error.to_string()));
        let result = outcome.and_then(|decoded| decoded.map_err(unable));
        self.early.insert(index, result);
    }

    /// What is missing fails, and nothing more is taken.
    fn pool_has_ended(&mut self) {
        self.items = None;
        for index in self.returned..self.submitted {
            let missing = self.error(index, pool_ended());
            self.early.entry(index).or_insert(Err(missing));
        }
    }

    fn next_until(&mut self, deadline: Option<Instant>) -> Result<Option<Result<R, TaskError>>, CallError> {
        self.fill();
        while self.returned < self.submitted {
            if let Some(result) = self.take_early() {
                self.returned += 1;
                self.fill();
                return Ok(Some(result));
            }
            self.receive(deadline)?;
        }
        Ok(None)
    }

    /// The next result if it comes within `limit`; `None` is the end. Taking the items is not limited.
    ///
    /// # Errors
    /// [`CallError::TimedOut`] when none comes; it can be asked for again.
    pub fn next_timeout(&mut self, limit: Duration) -> Result<Option<Result<R, TaskError>>, CallError> {
        self.next_until(Instant::now().checked_add(limit))
    }
}

impl<A, R, I> Imap<A, R, I> {
    /// Calls off what is under way; their results are errors, and no more items are taken.
    pub fn cancel(&mut self) {
        self.items = None;
        self.ticketed.complete();
        self.ticketed.cancel();
    }
}

impl<A: Argument, R: Output, I: Iterator<Item = A>> Iterator for Imap<A, R, I> {
    type Item = Result<R, TaskError>;

    fn next(&mut self) -> Option<Self::Item> {
        // Without a deadline there is no other error.
        self.next_until(None).unwrap_or_default()
    }
}

impl<A, R, I> fmt::Debug for Imap<A, R, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imap")
            .field("function", &self.function)
            .field("ordered", &self.ordered)
            .field("submitted", &self.submitted)
            .field("returned", &self.returned)
            .finish_non_exhaustive()
    }
}
