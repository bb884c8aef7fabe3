//! How long tasks, starts and ends may take, and what happens when they take longer.
//!
//! It sends signals; the deaths that follow are dealt with elsewhere.

use std::time::{Duration, Instant};

use super::scheduler::Scheduler;
use super::worker::Phase;
use crate::config::Stop;
use crate::toolkit::error::TaskCause;

/// No wait is longer: it costs nothing to look once more.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Scheduler {
    /// Ends workers whose task or preparation takes too long.
    pub(super) fn enforce_limits(&mut self) {
        let now = Instant::now();
        for slot in 0..self.workers.len() {
            if let Some(limit) = self.overdue(slot, now) {
                let worker = &mut self.workers[slot];
                if let Phase::Busy(busy) = &mut worker.phase {
                    let index = busy.items.front().map_or(0, |(index, _)| *index);
                    busy.ended_for = Some((index, TaskCause::TimedOut(limit)));
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
        let limit = self.batches.get(&busy.batch)?.timeout.or(self.options.task_timeout)?;
        Some((busy.since + limit, limit))
    }

    pub(super) fn wait(&self) -> Duration {
        let due = (0..self.workers.len()).filter_map(|slot| self.due(slot)).map(|(due, _)| due);
        let kills = self.workers.iter().filter_map(|worker| worker.kill_at);
        let next = due.chain(kills).min();
        let now = Instant::now();
        next.map_or(LONGEST_WAIT, |next| next.saturating_duration_since(now)).min(LONGEST_WAIT)
    }
}
