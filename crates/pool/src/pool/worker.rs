//! One worker's slot as the scheduler sees it: what it does now, and how its time was spent.
//!
//! It decides nothing.

use std::time::{Duration, Instant};

use super::piece::Piece;
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

impl Busy {
    /// So many items more have a result.
    pub(super) fn pass(&mut self, count: usize, now: Instant) {
        self.piece.pass(count);
        self.done += count;
        self.since = now;
    }

    /// Its first item's place in the chunk, counted from 1, as the worker's page shows it.
    pub(super) fn position(&self) -> u64 {
        self.done as u64 + 1
    }
}

/// What a busy worker has.
#[derive(Debug)]
pub(super) struct Busy {
    pub(super) chunk: u64,
    /// How many of the chunk's items have a result.
    pub(super) done: usize,
    /// Those without one; the first is the one that runs, as far as is known.
    pub(super) piece: Piece,
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
        self.ordered = Some(now);
        // The crew keeps the deadline of the handshake, this is for the init hook after it.
        self.kill_at = now.checked_add(limit.saturating_mul(2));
        self.times.processes += 1;
    }

    pub(super) fn is_ready(&mut self, now: Instant) {
        self.phase = Phase::Idle;
        (self.ready, self.last_work, self.kill_at) = (Some(now), Some(now), None);
        self.times.start += self.ordered.map_or(Duration::ZERO, |then| now - then);
    }

    /// It has completed so many tasks more, which took `work` together.
    pub(super) fn worked(&mut self, tasks: usize, work: Duration, now: Instant) {
        self.tasks = self.tasks.saturating_add(u32::try_from(tasks).unwrap_or(u32::MAX));
        self.times.tasks += tasks as u64;
        self.times.work += work;
        self.work += work;
        self.last_work = Some(now);
    }

    /// Asked to end, without work.
    pub(super) fn ending(&mut self, now: Instant, limit: Duration) {
        self.phase = Phase::Ending;
        self.kill_at = now.checked_add(limit);
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
