//! What the scheduler does when a worker is gone: who is to blame, and what becomes of the rest.
//!
//! Starting the next worker is the scheduler's usual business.

use std::sync::atomic::Ordering::Acquire;
use std::time::Instant;

use super::scheduler::Scheduler;
use super::worker::{Busy, Phase, Worker};
use crate::death::Death;
use crate::toolkit::error::TaskCause;
use crate::toolkit::results;
use crate::toolkit::wire::page;

/// After so many workers in a row that never became ready, the pool gives up.
const FAILED_STARTS: u32 = 3;

/// A chunk that so many workers have received and died without beginning an item of it is to blame itself.
const INNOCENT_DEATHS: u32 = 3;

impl Scheduler {
    pub(super) fn ended(&mut self, slot: usize, death: Death) {
        // What it had done and not sent counts as done.
        if let Some(unsent) = death.page.as_ref().and_then(results::unsent) {
            self.succeeded(slot, unsent);
        }
        match self.workers[slot].ended(Instant::now()) {
            Phase::Starting => self.start_failed(&death),
            Phase::Busy(busy) => self.failed_in(busy, death),
            Phase::Absent | Phase::Idle | Phase::Ending => {}
        }
    }

    /// The item that ran fails; those behind it go to somebody else.
    fn failed_in(&mut self, busy: Busy, death: Death) {
        let running = is_running(&busy, &death);
        let Busy { mut piece, ended_for, .. } = busy;
        let Some(batch) = self.batches.get_mut(&piece.batch) else { return };
        let blamed = piece.first();
        let cause = match ended_for {
            Some((index, cause)) if index == blamed => Some(cause),
            // The item that it was ended for came through at the last moment.
            Some(_) => None,
            None => {
                (running || piece.deaths >= INNOCENT_DEATHS).then(|| TaskCause::Died(Box::new(death.clone())))
            }
        };
        piece.deaths += 1;
        if let Some(cause) = cause {
            piece.pass(1);
            piece.deaths = 0;
            batch.fail(blamed, Some(death.name), cause);
        }
        let id = piece.batch;
        if !piece.is_empty() {
            self.queue.push_front(piece);
        }
        self.retire(id);
    }

    fn start_failed(&mut self, death: &Death) {
        if self.is_winding_up() {
            return;
        }
        self.failed_starts += 1;
        let is_ready = |worker: &Worker| matches!(worker.phase, Phase::Idle | Phase::Busy(_));
        if self.failed_starts < FAILED_STARTS || self.workers.iter().any(is_ready) {
            return;
        }
        let why = self.complaint.take().unwrap_or_else(|| death.to_string());
        let why = format!("{FAILED_STARTS} workers in a row could not be made ready; the last: {why}");
        let pieces: Vec<_> = self.queue.drain(..).collect();
        for piece in pieces {
            if let Some(batch) = self.batches.get_mut(&piece.batch) {
                for index in piece.indices() {
                    batch.fail(index, None, TaskCause::NoWorker(why.clone()));
                }
            }
            self.retire(piece.batch);
        }
        self.broken = Some(why);
    }
}

/// Whether the first of a dead worker's items had begun, as its page shows.
fn is_running(busy: &Busy, death: &Death) -> bool {
    let Some(page) = &death.page else { return true };
    let word = |at: usize| page.words().get(at).map_or(0, |word| word.load(Acquire));
    word(page::CHUNK) == busy.chunk && word(page::RUNNING) == busy.position()
}
