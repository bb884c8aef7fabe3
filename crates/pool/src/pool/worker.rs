//! One worker's slot as the scheduler sees it: what it does now, and how its time was spent.
//!
//! It decides nothing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::batch::Item;
use super::stats::WorkerTimes;
use crate::toolkit::error::TaskCause;

/// What a worker does now.
#[derive(Debug, Default)]
pub(super) enum Phase {
    /// There is no process.
    #[default]
    Absent,
    /// The process is not ready yet.
    Starting,
    /// It waits for work.
    Idle,
    Busy(Busy),
    /// It was asked to end, or is being ended, and has no work.
    Ending,
}

/// What a busy worker has.
#[derive(Debug)]
pub(super) struct Busy {
    pub(super) chunk: u64,
    pub(super) batch: u64,
    /// How many items the chunk had.
    pub(super) size: usize,
    /// How many workers have died over it before without beginning its first item.
    pub(super) deaths: u32,
    /// Those without a result; the first is the one that runs.
    pub(super) items: VecDeque<Item>,
    /// Since when the first one runs, or is about to.
    pub(super) since: Instant,
    /// Why we are ending the worker over the first item.
    pub(super) ended_for: Option<(u64, TaskCause)>,
}

#[derive(Debug, Default)]
pub(super) struct Worker {
    pub(super) phase: Phase,
    /// Tasks that the present process completed.
    pub(super) tasks: u32,
    pub(super) times: WorkerTimes,
    /// The present process is to be killed then.
    pub(super) kill_at: Option<Instant>,
    ordered: Option<Instant>,
    ready: Option<Instant>,
    last_work: Option<Instant>,
    work: Duration,
}

impl Worker {
    pub(super) fn new(name: String) -> Self {
        Self { times: WorkerTimes { name, ..WorkerTimes::default() }, ..Self::default() }
    }

    pub(super) fn start(&mut self, now: Instant, limit: Duration) {
        self.phase = Phase::Starting;
        (self.tasks, self.work, self.ready, self.last_work) = (0, Duration::ZERO, None, None);
        (self.ordered, self.kill_at) = (Some(now), None);
        // The crew keeps the deadline of the handshake, this is for the init hook after it.
        self.kill_at = Some(now + 2 * limit);
        self.times.processes += 1;
    }

    pub(super) fn is_ready(&mut self, now: Instant) {
        self.phase = Phase::Idle;
        (self.ready, self.last_work, self.kill_at) = (Some(now), Some(now), None);
        self.times.start += self.ordered.map_or(Duration::ZERO, |then| now - then);
    }

    pub(super) fn worked(&mut self, work: Duration, now: Instant) {
        self.tasks += 1;
        self.times.tasks += 1;
        self.times.work += work;
        self.work += work;
        self.last_work = Some(now);
    }

    /// Asked to end, without work.
    pub(super) fn ending(&mut self, now: Instant, limit: Duration) {
        self.phase = Phase::Ending;
        self.kill_at = Some(now + limit);
        match self.ready {
            Some(_) => self.times.wait += self.waited(now),
            None => self.times.start += self.ordered.map_or(Duration::ZERO, |then| now - then),
        }
        (self.last_work, self.ready) = (Some(now), None);
    }

    /// Ready but without a task until `now`.
    fn waited(&self, now: Instant) -> Duration {
        self.ready.map_or(Duration::ZERO, |ready| (now - ready).saturating_sub(self.work))
    }

    /// The process is gone.
    pub(super) fn ended(&mut self, now: Instant) -> Phase {
        let before = std::mem::take(&mut self.phase);
        match before {
            Phase::Ending => {
                self.times.exit += self.last_work.map_or(Duration::ZERO, |then| now - then);
            }
            Phase::Starting => {
                self.times.start += self.ordered.map_or(Duration::ZERO, |then| now - then);
            }
            // The time of an item that was not completed is no work.
            _ => self.times.wait += self.waited(now),
        }
        (self.ready, self.kill_at) = (None, None);
        before
    }

    /// The times so far, that of the present process included.
    pub(super) fn times_now(&self, now: Instant) -> WorkerTimes {
        let mut times = self.times.clone();
        times.wait += self.waited(now);
        times
    }
}
