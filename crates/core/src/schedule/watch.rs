//! Time limits and progress: what the scheduler looks at between events.
//!
//! Progress means records, not a timer in the worker: a worker that hangs has no heartbeat.

use std::time::{Duration, Instant};

use super::scheduler::Scheduler;
use crate::task::Order;

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
        if let Some(reduce) = &self.reduce {
            return self.progress.reduce(reduce.done());
        }
        let running = |slot: usize| match self.slots[slot].orders.front() {
            Some(Order::Run { .. }) => self.executor.flight(slot).map_or(0, |flight| flight.sight_bytes()),
            _ => 0,
        };
        let bytes = self.mapped_bytes + (0..self.slots.len()).map(running).sum::<u64>();
        self.progress.map(self.map.mapped_or_done(), bytes);
    }
}
