//! A batch: items of one function that were submitted together, and where their results go.
//!
//! `Batch` is the scheduler's side, `Ticketed` the caller's.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crossbeam_channel::{SendError, Sender, unbounded};

use super::arrivals::{Arrival, Arrivals};
use super::piece::Piece;
use super::scheduler::Input;
use crate::toolkit::error::{TaskCause, TaskError};
use crate::toolkit::parcel::Parcels;
use crate::toolkit::wire::Bytes;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// The scheduler's side.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) function: &'static str,
    pub(super) timeout: Option<Duration>,
    pub(super) several: bool,
    pub(super) results: Sender<Arrival>,
    /// Items that have no result yet.
    pub(super) missing: usize,
    /// Nothing will be added any more.
    pub(super) complete: bool,
}

impl Batch {
    pub(super) fn deliver(&mut self, index: u64, result: Result<Bytes, TaskError>) {
        self.missing -= 1;
        // A caller that has lost interest is within its rights, but a failure must be known to somebody.
        if let Err(SendError(Arrival::One(_, Err(error)))) = self.results.send(Arrival::One(index, result))
            && !matches!(error.cause, TaskCause::Cancelled)
        {
            tracing::warn!("{error}; nobody waited for it");
        }
    }

    /// So many results at once, the first of which belongs to item `first`.
    pub(super) fn deliver_run(&mut self, first: u64, count: usize, entries: Bytes) {
        self.missing -= count;
        // A caller that has lost interest is within its rights.
        self.results.send(Arrival::Run(first, entries)).unwrap_or_default();
    }

    pub(super) fn fail(&mut self, index: u64, worker: Option<String>, cause: TaskCause) {
        let index_told = self.several.then_some(index);
        let error = TaskError { function: self.function.into(), index: index_told, worker, cause };
        self.deliver(index, Err(error));
    }

    pub(super) fn is_done(&self) -> bool {
        self.complete && self.missing == 0
    }
}

/// The caller's side. Dropping it calls off what is not done.
#[derive(Debug)]
pub(super) struct Ticketed {
    id: u64,
    inbox: Sender<Input>,
    pub(super) arrivals: Arrivals,
    cancels: bool,
}

impl Ticketed {
    pub(super) fn open(
        inbox: &Sender<Input>,
        function: &'static str,
        timeout: Option<Duration>,
        several: bool,
    ) -> Self {
        let id = NEXT.fetch_add(1, Relaxed);
        let (sender, results) = unbounded();
        let batch = Batch { function, timeout, several, results: sender, missing: 0, complete: false };
        inbox.send(Input::Open(id, batch)).unwrap_or_default();
        Self { id, inbox: inbox.clone(), arrivals: Arrivals::new(results), cancels: true }
    }

    /// Submits these arguments, the first of which belongs to item `first`, in pieces of `size` items.
    pub(super) fn submit(&self, first: u64, count: usize, parcels: Parcels, size: usize) {
        let mut rest = Piece::whole(self.id, first, count, parcels);
        while !rest.is_empty() {
            self.inbox.send(Input::Submit(rest.split_front(size))).unwrap_or_default();
        }
    }

    /// Nothing more will be submitted: the results end when all are there.
    pub(super) fn complete(&self) {
        self.inbox.send(Input::Complete(self.id)).unwrap_or_default();
    }

    pub(super) fn cancel(&self) {
        self.inbox.send(Input::Cancel(self.id)).unwrap_or_default();
    }

    /// Lets it run even when this is dropped.
    pub(super) fn detach(&mut self) {
        self.cancels = false;
    }
}

impl Drop for Ticketed {
    fn drop(&mut self) {
        if self.cancels {
            self.cancel();
        }
    }
}
