//! The scheduler itself: takes events one at a time and moves tasks through their states.
//!
//! Which order goes where is in `dispatch`, time limits are in `watch`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_pool::signals::{Cancel, Level};
use indexmap::IndexSet;

use super::slots::Slot;
use super::tasks::{State, Tasks};
use crate::collect::Committed;
use crate::counters::Counters;
use crate::error::Error;
use crate::exec::{Event, Executor, Loss};
use crate::input::Plan;
use crate::progress::Progress;
use crate::reduce::{Reduced, write_manifest};
use crate::result::Result;
use crate::runner::Note;
use crate::task::{Failure, FailureKind, Order, TaskId};

/// What bounds a job.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) workers: usize,
    pub(crate) partitions: u32,
    pub(crate) max_attempts: u32,
    pub(crate) task_timeout: Option<Duration>,
}

/// What a job that ended well amounts to.
#[derive(Debug, Default)]
pub(crate) struct Finish {
    pub(crate) counters: Counters,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

/// Deaths without an order to blame, one after the other at one place, that a job does not put up with.
const IDLE_DEATHS: u32 = 3;

/// How often time limits and progress are looked at.
const TICK: Duration = Duration::from_millis(100);

/// Runs the tasks of one job on an executor.
pub(crate) struct Scheduler<'a> {
    pub(super) executor: &'a mut dyn Executor,
    pub(super) progress: &'a mut Progress,
    pub(super) limits: Limits,
    pub(super) slots: Vec<Slot>,
    pub(super) map: Tasks,
    /// The reduce tasks, once the map phase is over.
    pub(super) reduce: Option<Tasks>,
    /// Bytes of the splits whose attempt ended well.
    pub(super) mapped_bytes: u64,
    job: String,
    plan: Arc<Plan>,
    runs: IndexSet<String>,
    partition_bytes: Vec<u64>,
    finish: Finish,
    watched: Instant,
}

impl<'a> Scheduler<'a> {
    pub(crate) fn new(
        job: &str,
        plan: Arc<Plan>,
        limits: Limits,
        executor: &'a mut dyn Executor,
        progress: &'a mut Progress,
    ) -> Self {
        let splits = plan.splits.len();
        Self {
            executor,
            progress,
            slots: Vec::new(),
            map: Tasks::new(splits, 0..splits as u32),
            reduce: None,
            mapped_bytes: 0,
            job: job.to_owned(),
            plan,
            runs: IndexSet::new(),
            partition_bytes: vec![0; limits.partitions as usize],
            finish: Finish::default(),
            watched: Instant::now(),
            limits,
        }
    }

    /// Runs all tasks to their end.
    ///
    /// # Errors
    /// When a task fails for good or the job is cancelled. Workers may still be running then: stop the executor.
    pub(crate) fn run(mut self, manifest: &Path, cancel: &Cancel) -> Result<Finish, Error> {
        self.progress.begin_map(self.map.len(), self.plan.total_bytes);
        self.occupy(self.map.len());
        loop {
            if let Level::Graceful(signal) | Level::Immediate(signal) = cancel.level() {
                return Err(Error::cancelled(signal));
            }
            if self.reduce.is_none() && self.map.is_finished() {
                self.begin_reduce(manifest)?;
            }
            if self.reduce.as_ref().is_some_and(Tasks::is_finished) {
                self.progress.finish();
                self.finish.counters.sort();
                return Ok(self.finish);
            }
            self.dispatch()?;
            if let Some(event) = self.executor.next(TICK) {
                self.apply(event)?;
            }
            if self.watched.elapsed() >= TICK {
                self.watched = Instant::now();
                self.watch();
            }
        }
    }

    /// Sees that there are as many workers as `tasks` can use.
    fn occupy(&mut self, tasks: usize) {
        while self.slots.len() < tasks.min(self.limits.workers) {
            self.slots.push(Slot::default());
            self.executor.start(self.slots.len() - 1);
        }
    }

    fn begin_reduce(&mut self, manifest: &Path) -> Result {
        write_manifest(manifest, &self.runs)?;
        // The largest first, so that none is left over when everything else is done.
        let mut order: Vec<u32> = (0..self.limits.partitions).collect();
        order.sort_by_key(|&partition| std::cmp::Reverse(self.partition_bytes[partition as usize]));
        self.progress.begin_reduce(order.len());
        self.occupy(order.len());
        self.reduce = Some(Tasks::new(order.len(), order.into_iter()));
        Ok(())
    }

    fn apply(&mut self, event: Event) -> Result<(), Error> {
        match event {
            Event::Ready { slot } => {
                self.slots[slot].ready = true;
                self.slots[slot].heartbeat = None;
                Ok(())
            }
            Event::Done { slot, notes } => {
                self.slots[slot].heartbeat = None;
                self.slots[slot].idle_deaths = 0;
                self.slots[slot].orders.pop_front();
                notes.into_iter().try_for_each(|note| self.note(slot, note))
            }
            Event::Lost { slot, loss } => self.lost(slot, *loss),
            Event::Garbled { slot, error } => {
                self.executor.kill(slot, &format!("it sent something that is no note: {error}"));
                Ok(())
            }
        }
    }

    fn note(&mut self, slot: usize, note: Note) -> Result<(), Error> {
        match note {
            Note::Mapped { task, .. } => {
                self.map.mapped(task);
                self.mapped_bytes += self.plan.splits[task as usize].len();
                self.slots[slot].resident.push(task);
            }
            Note::Committed(committed) => self.committed(slot, committed)?,
            Note::Reduced { task, part, counters, .. } => self.reduced(task, part, &counters),
            Note::Failed { task, failure, .. } => {
                let resident = std::mem::take(&mut self.slots[slot].resident);
                self.requeue(resident, task);
                return self.failed(task, *failure);
            }
            Note::Ready | Note::Flushed => {}
        }
        Ok(())
    }

    fn committed(&mut self, slot: usize, committed: Committed) -> Result {
        for &(task, _) in &committed.tasks {
            self.map.commit(task);
        }
        self.slots[slot].resident.retain(|&task| self.map.state(task) != State::Done);
        for (partition, bytes) in committed.partitions {
            self.partition_bytes[partition as usize] += bytes;
        }
        self.finish.counters.merge(&committed.counters);
        if let Some(run) = committed.run
            && let Some(run) = self.runs.replace(run)
        {
            return Err(format!("the run {run} was committed twice: the one before is lost").into());
        }
        Ok(())
    }

    fn reduced(&mut self, task: u32, part: Reduced, counters: &Counters) {
        if let Some(reduce) = &mut self.reduce {
            reduce.commit(task);
        }
        self.finish.records += part.records;
        self.finish.bytes += part.bytes;
        self.finish.counters.merge(counters);
    }

    /// A worker is gone: whoever ran is charged, everything else that it held is somebody else's to do.
    fn lost(&mut self, slot: usize, loss: Loss) -> Result<(), Error> {
        let (mut orders, resident) = self.slots[slot].clear();
        let running = orders.pop_front();
        let charged = match running {
            Some(Order::Run { task, .. }) => Some(task),
            // Its last flush was the death of it: the task that was mapped last is as good as any to charge.
            Some(Order::Flush) => resident.last().copied().map(TaskId::Map),
            None => None,
        };
        for order in orders {
            if let Order::Run { task, .. } = order {
                self.requeue_one(task);
            }
        }
        self.requeue(resident, charged.unwrap_or(TaskId::Map(u32::MAX)));
        match charged {
            Some(task) => {
                let failure = self.failure_of(slot, Some(task), loss);
                self.failed(task, failure)?;
            }
            None => self.died_without_task(slot, loss)?,
        }
        self.slots[slot].timed_out = false;
        self.executor.start(slot);
        Ok(())
    }

    /// Nobody is charged. A start that took too long is not tried more often than a task that does.
    fn died_without_task(&mut self, slot: usize, loss: Loss) -> Result<(), Error> {
        self.slots[slot].idle_deaths += 1;
        let deaths = self.slots[slot].idle_deaths;
        let limit =
            if self.slots[slot].timed_out { self.limits.max_attempts.min(IDLE_DEATHS) } else { IDLE_DEATHS };
        let last = deaths >= limit || loss.pid.is_none();
        let what = if loss.was_ready { "ended again and again without a task" } else { "could not start" };
        let mut failure = self.failure_of(slot, None, loss);
        // Whoever complains about a worker's argument has read the command line before the library did.
        if failure.stderr_tail.contains(gristmill_pool::worker::MARKER) {
            failure.stderr_tail += "\nhint: App::main or App::enter has to come before anything else in main";
        }
        failure.happened(what, deaths, limit);
        if last {
            return Err(Error::task(failure));
        }
        tracing::warn!(target: "gristmill", "{failure}");
        Ok(())
    }

    fn failure_of(&mut self, slot: usize, task: Option<TaskId>, loss: Loss) -> Failure {
        let kind = match (self.slots[slot].timed_out, self.limits.task_timeout) {
            (true, Some(limit)) => {
                FailureKind::TimedOut { limit: humantime::format_duration(limit).to_string() }
            }
            _ => FailureKind::WorkerDied { cause: loss.cause },
        };
        let flight = loss.flight.or_else(|| self.executor.flight(slot));
        let mut failure = match task {
            Some(task) => Failure::new(&self.job, &self.plan, task, 0, kind, flight.as_ref()),
            None => Failure::of_worker(&self.job, &loss.worker, kind, flight.as_ref()),
        };
        failure.worker = loss.worker;
        failure.pid = loss.pid;
        failure.log_tail = loss.log_tail;
        failure.stderr_tail = loss.stderr_tail;
        failure
    }

    /// Charges an attempt to `task` and tries again, unless that was the last.
    fn failed(&mut self, task: TaskId, mut failure: Failure) -> Result<(), Error> {
        let attempts = match task {
            TaskId::Map(task) => self.map.charge(task),
            TaskId::Reduce(task) => self.reduce.as_mut().map_or(1, |reduce| reduce.charge(task)),
        };
        failure.attempt = attempts;
        failure.max_attempts = self.limits.max_attempts;
        if attempts >= self.limits.max_attempts || failure.is_final {
            return Err(Error::task(failure));
        }
        tracing::warn!(target: "gristmill", "{failure}");
        self.requeue_one(task);
        Ok(())
    }

    fn requeue(&mut self, resident: Vec<u32>, except: TaskId) {
        for task in resident.into_iter().rev().map(TaskId::Map) {
            if task != except {
                self.requeue_one(task);
            }
        }
    }

    fn requeue_one(&mut self, task: TaskId) {
        match task {
            TaskId::Map(task) => {
                if self.map.requeue(task) {
                    self.mapped_bytes -= self.plan.splits[task as usize].len();
                }
            }
            TaskId::Reduce(task) => {
                if let Some(reduce) = &mut self.reduce {
                    reduce.requeue(task);
                }
            }
        }
    }
}
