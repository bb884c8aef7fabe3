//! How long tasks, starts and ends may take, and what happens when they take longer.
//!
//! It sends signals; the deaths that follow are dealt with elsewhere.

use std::sync::atomic::Ordering::Acquire;
use std::time::{Duration, Instant};

use super::scheduler::Scheduler;
use super::worker::Phase;
use crate::config::Stop;
use crate::toolkit::error::TaskCause;
use crate::toolkit::wire::page;

/// No wait is longer: it costs nothing to look once more.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Scheduler {
    /// Ends workers whose task or preparation takes too long.
    pub(super) fn enforce_limits(&mut self) {
        let now = Instant::now();
        for slot in 0..self.workers.len() {
            if let Some(limit) = self.overdue(slot, now) {
                if self.has_moved_on(slot, now) {
                    continue;
                }
                if let Phase::Busy(busy) = &mut self.workers[slot].phase {
                    busy.ended_for = Some((busy.piece.first(), TaskCause::TimedOut(limit)));
                }
                self.fleet.crew().signal(slot, Stop::Kill, "its task took too long");
            }
            let worker = &mut self.workers[slot];
            if worker.kill_at.is_some_and(|at| at <= now) {
                worker.kill_at = None;
                self.fleet.crew().signal(slot, Stop::Kill, "it took too long to start or to end");
            }
        }
    }

    /// Whether the worker's page tells that the item which seemed to take so long is done, and only its result is not here
    /// yet. Then the clock starts again for the one that runs now.
    fn has_moved_on(&mut self, slot: usize, now: Instant) -> bool {
        let page = self.fleet.crew().page(slot);
        let Phase::Busy(busy) = &mut self.workers[slot].phase else { return false };
        let word = |at: usize| page.as_ref()?.words().get(at).map(|word| word.load(Acquire));
        let moved = word(page::CHUNK) == Some(busy.chunk) && word(page::RUNNING) > Some(busy.position());
        if moved {
            busy.since = now;
        }
        moved
    }

    /// The limit that the item in this slot has exceeded.
    fn overdue(&self, slot: usize, now: Instant) -> Option<Duration> {
        let (due, limit) = self.due(slot)?;
        (due <= now).then_some(limit)
    }

    /// When the item in this slot will have taken too long, and what its limit is.
    fn due(&self, slot: usize) -> Option<(Instant, Duration)> {
        let Phase::Busy(busy) = &self.workers[slot].phase else { return None };
        if busy.ended_for.is_some() {
            return None;
        }
        let limit = self.batches.get(&busy.piece.batch)?.timeout.or(self.options.task_timeout)?;
        Some((busy.since.checked_add(limit)?, limit))
    }

    pub(super) fn wait(&self) -> Duration {
        let due = (0..self.workers.len()).filter_map(|slot| self.due(slot)).map(|(due, _)| due);
        let kills = self.workers.iter().filter_map(|worker| worker.kill_at);
        let next = due.chain(kills).min();
        let now = Instant::now();
        next.map_or(LONGEST_WAIT, |next| next.saturating_duration_since(now)).min(LONGEST_WAIT)
    }
}
