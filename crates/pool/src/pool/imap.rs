//! Results one by one, while the items are still being taken.
//!
//! It keeps a bounded number of items under way, so that neither endless items nor a slow reader fills the memory.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use gristmill_ipc::decode;

use super::batch::{Outcome, Ticketed};
use super::calls::pool_ended;
use crate::toolkit::error::{TaskCause, TaskError};
use crate::toolkit::parcel::Parcel;
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
        while self.items.is_some() && self.under_way() + self.chunk_size <= self.window {
            self.submit_chunk();
        }
    }

    fn submit_chunk(&mut self) {
        let mut chunk = VecDeque::with_capacity(self.chunk_size);
        while chunk.len() < self.chunk_size {
            let Some(item) = self.items.as_mut().and_then(Iterator::next) else {
                self.items = None;
                break;
            };
            match Parcel::pack(&item) {
                Ok(parcel) => chunk.push_back((self.submitted, parcel)),
                Err(error) => {
                    let error = self.error(self.submitted, TaskCause::Codec(error.to_string()));
                    self.early.insert(self.submitted, Err(error));
                }
            }
            self.submitted += 1;
        }
        if !chunk.is_empty() {
            self.ticketed.submit(chunk);
        }
        if self.items.is_none() {
            self.ticketed.complete();
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

    fn receive(&mut self) {
        match self.ticketed.results.recv() {
            Ok(outcome) => self.keep(outcome),
            Err(_) => {
                let returned = self.returned;
                for index in returned..self.submitted {
                    let missing = self.error(index, pool_ended());
                    self.early.entry(index).or_insert(Err(missing));
                }
            }
        }
    }

    fn keep(&mut self, (index, outcome): Outcome) {
        let result = outcome.and_then(|bytes| {
            decode(&bytes).map_err(|error| self.error(index, TaskCause::Codec(error.to_string())))
        });
        self.early.insert(index, result);
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
        self.fill();
        while self.returned < self.submitted {
            if let Some(result) = self.take_early() {
                self.returned += 1;
                self.fill();
                return Some(result);
            }
            self.receive();
        }
        None
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
