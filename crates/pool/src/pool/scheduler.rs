//! Who runs what: the one thread that owns a pool's workers, batches and queue.
//!
//! Everything that happens reaches it as an [`Input`], one after the other. It never touches arguments and results.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::PoolBuilder;
use super::batch::Batch;
use super::piece::Piece;
use super::stats::PoolStats;
use super::worker::{Busy, Phase, Worker};
use crate::config::{Grace, Stop};
use crate::toolkit::error::TaskCause;
use crate::toolkit::fleet::{Fleet, FleetEvent};
use crate::toolkit::wire::{Chunk, FromWorker};

/// How long a worker has to follow SIGTERM when its task was called off.
pub(super) const CANCEL_GRACE: Duration = Duration::from_secs(1);

/// What the scheduler hears.
pub(super) enum Input {
    Fleet(FleetEvent),
    Open(u64, Batch),
    Submit(Piece),
    /// Nothing more comes for this batch.
    Complete(u64),
    Cancel(u64),
    CancelAll,
    Stats(Sender<PoolStats>),
    Finish {
        hurry: bool,
    },
}

pub(super) struct Scheduler {
    pub(super) fleet: Fleet,
    pub(super) options: PoolBuilder,
    start_limit: Duration,
    pub(super) workers: Vec<Worker>,
    pub(super) batches: HashMap<u64, Batch>,
    pub(super) queue: VecDeque<Piece>,
    chunks: u64,
    pub(super) stats: PoolStats,
    pub(super) failed_starts: u32,
    /// What the last worker said that could not become ready.
    pub(super) complaint: Option<String>,
    /// Why nothing can be run any more.
    pub(super) broken: Option<String>,
    finishing: bool,
    hurry: bool,
}

impl Scheduler {
    pub(super) fn new(fleet: Fleet, options: PoolBuilder, start_limit: Duration) -> Self {
        let name = |slot| format!("{}-{}", options.prefix, slot + 1);
        let workers = (0..options.workers).map(|slot| Worker::new(name(slot))).collect();
        Self {
            fleet,
            options,
            start_limit,
            workers,
            batches: HashMap::new(),
            queue: VecDeque::new(),
            chunks: 0,
            stats: PoolStats::default(),
            failed_starts: 0,
            complaint: None,
            broken: None,
            finishing: false,
            hurry: false,
        }
    }

    /// The whole life of the thread.
    pub(super) fn run(mut self, inputs: &Receiver<Input>) -> PoolStats {
        (0..self.workers.len()).for_each(|slot| self.start(slot));
        while !self.is_over() {
            match inputs.recv_timeout(self.wait()) {
                Ok(input) => self.hear(input),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.finishing = true,
            }
            // What has come meanwhile is taken along before anybody is given work.
            inputs.try_iter().for_each(|input| self.hear(input));
            self.enforce_limits();
            self.assign();
        }
        let stats = self.snapshot();
        self.fleet.shutdown(Grace { ask: Duration::ZERO, terminate: Duration::ZERO });
        if let Some(warning) = stats.warning() {
            tracing::warn!("{warning}");
        }
        stats
    }

    fn is_over(&self) -> bool {
        self.finishing && self.workers.iter().all(|worker| matches!(worker.phase, Phase::Absent))
    }

    fn hear(&mut self, input: Input) {
        match input {
            Input::Fleet(FleetEvent::Started { .. }) => {}
            Input::Fleet(FleetEvent::Message { slot, message }) => self.message(slot, message),
            Input::Fleet(FleetEvent::Ended { slot, death }) => self.ended(slot, death),
            Input::Open(id, batch) => drop(self.batches.insert(id, batch)),
            Input::Submit(piece) => self.submit(piece),
            Input::Complete(id) => self.complete(id),
            Input::Cancel(id) => self.cancel(id),
            Input::CancelAll => {
                let all: Vec<_> = self.batches.keys().copied().collect();
                all.into_iter().for_each(|id| self.cancel(id));
            }
            // Nobody waits any more if this fails.
            Input::Stats(answer) => answer.send(self.snapshot()).unwrap_or_default(),
            Input::Finish { hurry } => {
                self.finishing = true;
                self.hurry |= hurry;
                if hurry {
                    self.hear(Input::CancelAll);
                }
            }
        }
    }

    fn snapshot(&self) -> PoolStats {
        let now = Instant::now();
        let workers = self.workers.iter().map(|worker| worker.times_now(now)).collect();
        PoolStats { workers, longest: self.stats.longest.clone() }
    }

    fn submit(&mut self, piece: Piece) {
        let Some(batch) = self.batches.get_mut(&piece.batch) else { return };
        batch.missing += piece.len();
        match &self.broken {
            None => self.queue.push_back(piece),
            Some(why) => {
                for index in piece.indices() {
                    batch.fail(index, None, TaskCause::NoWorker(why.clone()));
                }
                self.retire(piece.batch);
            }
        }
    }

    fn complete(&mut self, id: u64) {
        if let Some(batch) = self.batches.get_mut(&id) {
            batch.complete = true;
        }
        self.retire(id);
    }

    /// Forgets a batch that is done, which ends its results for the caller.
    pub(super) fn retire(&mut self, id: u64) {
        if self.batches.get(&id).is_some_and(Batch::is_done) {
            self.batches.remove(&id);
        }
    }

    /// Calls off what is queued at once; what runs is ended, and counts as called off when its worker is gone.
    fn cancel(&mut self, id: u64) {
        let (pieces, others) = self.queue.drain(..).partition(|piece: &Piece| piece.batch == id);
        self.queue = others;
        let pieces: VecDeque<Piece> = pieces;
        let mut called_off: Vec<_> = pieces.iter().map(Piece::indices).collect();
        let now = Instant::now();
        for (slot, worker) in self.workers.iter_mut().enumerate() {
            let Phase::Busy(busy) = &mut worker.phase else { continue };
            if busy.piece.batch != id || busy.ended_for.is_some() {
                continue;
            }
            called_off.push(busy.piece.keep_first());
            busy.ended_for = Some((busy.piece.first(), TaskCause::Cancelled));
            worker.kill_at = now.checked_add(CANCEL_GRACE);
            self.fleet.crew().signal(slot, Stop::Terminate, "its task was called off");
        }
        if let Some(batch) = self.batches.get_mut(&id) {
            batch.complete = true;
            for index in called_off.into_iter().flatten() {
                batch.fail(index, None, TaskCause::Cancelled);
            }
        }
        self.retire(id);
    }

    fn start(&mut self, slot: usize) {
        self.workers[slot].start(Instant::now(), self.start_limit);
        self.fleet.spawn(slot, None);
    }

    /// Gives work to those who have none, and an end to those who get none any more.
    fn assign(&mut self) {
        for slot in 0..self.workers.len() {
            match self.workers[slot].phase {
                Phase::Idle if self.is_used_up(slot) => self.let_go(slot),
                Phase::Idle => match self.queue.pop_front() {
                    Some(piece) => self.give(slot, piece),
                    None if self.is_winding_up() => self.let_go(slot),
                    None => {}
                },
                // Otherwise it may be in its init hook, and then the exit hook must follow.
                Phase::Starting if self.hurry => self.call_off(slot),
                Phase::Absent
                    if self.broken.is_none() && !(self.is_winding_up() && self.queue.is_empty()) =>
                {
                    self.start(slot);
                }
                _ => {}
            }
        }
    }

    /// The pool ends, and nothing more will be submitted or come back.
    pub(super) fn is_winding_up(&self) -> bool {
        self.finishing && self.batches.values().all(|batch| batch.missing == 0)
    }

    fn is_used_up(&self, slot: usize) -> bool {
        self.options.max_tasks.is_some_and(|most| self.workers[slot].tasks >= most)
    }

    fn let_go(&mut self, slot: usize) {
        self.workers[slot].ending(Instant::now(), self.options.exit_limit);
        self.fleet.finish(slot);
    }

    /// Ends a worker that is not needed before it was there.
    fn call_off(&mut self, slot: usize) {
        self.workers[slot].ending(Instant::now(), CANCEL_GRACE);
        self.fleet.crew().signal(slot, Stop::Terminate, "it is not needed any more");
    }

    fn give(&mut self, slot: usize, mut piece: Piece) {
        let Some(batch) = self.batches.get(&piece.batch) else { return };
        let worker = &mut self.workers[slot];
        if let Some(most) = self.options.max_tasks {
            let front = piece.split_front((most - worker.tasks) as usize);
            let rest = std::mem::replace(&mut piece, front);
            if !rest.is_empty() {
                self.queue.push_front(rest);
            }
        }
        self.chunks += 1;
        let (number, function) = (self.chunks, batch.function.into());
        let chunk = Chunk { number, function, first: piece.first(), arguments: piece.arguments() };
        worker.phase =
            Phase::Busy(Busy { chunk: number, done: 0, piece, since: Instant::now(), ended_for: None });
        worker.kill_at = None;
        self.fleet.run(slot, chunk);
    }

    fn message(&mut self, slot: usize, message: FromWorker) {
        match message {
            FromWorker::Ready(_) => {
                self.failed_starts = 0;
                self.fleet.crew().vouch(slot);
                if matches!(self.workers[slot].phase, Phase::Starting) {
                    self.workers[slot].is_ready(Instant::now());
                }
            }
            FromWorker::Unready(report) => self.complaint = Some(format!("its init hook failed: {report}")),
            FromWorker::Done(done) => self.done(slot, done),
            FromWorker::Results(results) => self.succeeded(slot, results),
            FromWorker::Request { .. } | FromWorker::Cancel { .. } => {}
        }
    }
}
