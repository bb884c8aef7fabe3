//! What the scheduler does with results: whose they are, what they took, and where they go.
//!
//! Failures of whole workers are dealt with elsewhere.

use std::time::{Duration, Instant};

use super::scheduler::{CANCEL_GRACE, Scheduler};
use super::worker::{Busy, Phase};
use crate::toolkit::error::TaskCause;
use crate::toolkit::results::split_first;
use crate::toolkit::wire::{Bytes, Done, Results};

impl Scheduler {
    /// An item of its own has come through, or failed. One that is told a second time is not the first any more.
    pub(super) fn done(&mut self, slot: usize, Done { chunk, index, outcome, work }: Done) {
        let Some(busy) = self.busy_with(slot, chunk) else { return };
        if busy.piece.first() != index {
            return;
        }
        let batch_id = busy.piece.batch;
        let name = self.workers[slot].times.name.clone();
        if let Some(batch) = self.batches.get_mut(&batch_id) {
            self.stats.note(work, batch.function, index, &name);
            match outcome {
                Ok(bytes) => batch.deliver(index, Ok(bytes)),
                Err(report) => batch.fail(index, Some(name), TaskCause::Failed(Box::new(report))),
            }
        }
        self.passed(slot, 1, work);
        self.retire(batch_id);
    }

    /// Several have come through. Those that are told a second time are passed over.
    pub(super) fn succeeded(&mut self, slot: usize, Results { chunk, first, entries }: Results) {
        let Some(busy) = self.busy_with(slot, chunk) else { return };
        let (expected, most, batch_id) = (busy.piece.first(), busy.piece.len(), busy.piece.batch);
        let Some(known) = expected.checked_sub(first) else { return };
        let mut rest = &entries[..];
        for _ in 0..known {
            rest = split_first(rest).map_or(&[], |(_, _, rest)| rest);
        }
        let new = rest;
        let (mut count, mut work) = (0, Duration::ZERO);
        let name = self.workers[slot].times.name.clone();
        let function = self.batches.get(&batch_id).map_or("", |batch| batch.function);
        while let Some((time, _, next)) = split_first(rest).filter(|_| count < most) {
            self.stats.note(time, function, expected + count as u64, &name);
            (count, work, rest) = (count + 1, work + time, next);
        }
        if count == 0 {
            return;
        }
        let whole = new.len() == entries.len() && rest.is_empty();
        let new = new[..new.len() - rest.len()].to_vec();
        if let Some(batch) = self.batches.get_mut(&batch_id) {
            batch.deliver_run(expected, count, if whole { entries } else { Bytes::from(new) });
        }
        self.passed(slot, count, work);
        self.retire(batch_id);
    }

    /// What the worker in this slot does, if it is this chunk.
    fn busy_with(&self, slot: usize, chunk: u64) -> Option<&Busy> {
        match &self.workers[slot].phase {
            Phase::Busy(busy) if busy.chunk == chunk => Some(busy),
            _ => None,
        }
    }

    /// The first items of a busy worker have their results.
    fn passed(&mut self, slot: usize, count: usize, work: Duration) {
        let (worker, now) = (&mut self.workers[slot], Instant::now());
        worker.worked(count, work, now);
        let Phase::Busy(busy) = &mut worker.phase else { return };
        busy.pass(count, now);
        if busy.piece.is_empty() {
            // One that was signalled will end, and must not be given anything before that.
            match busy.ended_for.is_some() {
                true => worker.ending(now, CANCEL_GRACE),
                false => worker.phase = Phase::Idle,
            }
        }
    }
}
