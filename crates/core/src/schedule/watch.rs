//! Time limits and progress: what the scheduler looks at between events.
//!
//! Progress means records, not a timer in the worker: a worker that hangs has no heartbeat.

use std::time::{Duration, Instant};

use super::scheduler::Scheduler;

impl Scheduler<'_> {
    /// Looks at every worker's page.
    pub(super) fn watch(&mut self) {
        let now = Instant::now();
        for slot in 0..self.slots.len() {
            if let Some(limit) = self.limits.task_timeout
                && self.is_stuck(slot, now, limit)
            {
                self.slots[slot].timed_out = true;
                let limit = humantime::format_duration(limit);
                self.executor.kill(slot, &format!("no record within {limit}"));
            }
        }
        self.report_progress();
    }

    fn is_stuck(&mut self, slot: usize, now: Instant, limit: Duration) -> bool {
        let Some(flight) = self.executor.flight(slot) else { return false };
        let place = &mut self.slots[slot];
        // A worker that is not ready yet is at work on its start.
        if (place.ready && place.orders.is_empty()) || place.timed_out {
            place.heartbeat = None;
            return false;
        }
        let beat = flight.heartbeat();
        match place.heartbeat {
            Some((last, since)) if last == beat => now.duration_since(since) >= limit,
            _ => {
                place.heartbeat = Some((beat, now));
                false
            }
        }
    }

    fn report_progress(&mut self) {
        let running = (0..self.slots.len())
            .filter(|&slot| self.slots[slot].holds_map_work())
            .filter_map(|slot| self.executor.flight(slot))
            .map(|flight| flight.sight_bytes())
            .sum();
        match &self.reduce {
            None => self.progress.map(self.map.done(), self.committed_bytes, running),
            Some(reduce) => self.progress.reduce(reduce.done()),
        }
    }
}
