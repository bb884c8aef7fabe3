//! The scheduler itself: takes events one at a time and moves tasks through their states.
//!
//! Which order goes where is in `dispatch`, what becomes of failed attempts in `losses`, time limits are in `watch`.

use std::collections::{HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_pool::signals::{Cancel, Level};

use super::commits::Commits;
use super::slots::Slot;
use super::strikes::Strikes;
use super::tasks::{State, Tasks};
use super::verify::Verify;
use crate::collect::Committed;
use crate::counters::Counters;
use crate::error::Error;
use crate::exec::{Event, Executor};
use crate::input::Plan;
use crate::progress::Progress;
use crate::reduce::write_manifest;
use crate::result::Result;
use crate::runner::Note;
use crate::task::{Failure, Order, TaskId};

/// What bounds a job.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) workers: usize,
    pub(crate) partitions: u32,
    pub(crate) max_attempts: u32,
    pub(crate) task_timeout: Option<Duration>,
    /// A worker is replaced when it has carried out so many tasks.
    pub(crate) max_tasks_per_worker: Option<u32>,
    /// Whether a sample of tasks is run again, to see whether they come to the same.
    pub(crate) verify: bool,
}

/// What a job that ended well amounts to.
#[derive(Debug, Default)]
pub(crate) struct Finish {
    pub(crate) counters: Counters,
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    /// Attempts that failed, in the order of their ends.
    pub(crate) lost: Vec<Failure>,
}

/// How often time limits and progress are looked at.
const TICK: Duration = Duration::from_millis(100);

/// Runs the tasks of one job on an executor.
pub(crate) struct Scheduler<'a> {
    pub(super) executor: &'a mut dyn Executor,
    pub(super) progress: &'a mut Progress,
    pub(super) commits: &'a mut Commits,
    pub(super) limits: Limits,
    pub(super) slots: Vec<Slot>,
    pub(super) map: Tasks,
    /// The reduce tasks, once the map phase is over.
    pub(super) reduce: Option<Tasks>,
    /// Tasks that ran out of memory: each is to run while nothing else does.
    pub(super) lonely: VecDeque<TaskId>,
    /// The one of them that runs.
    pub(super) alone: Option<TaskId>,
    /// Bytes of the splits whose attempt ended well.
    pub(super) mapped_bytes: u64,
    pub(super) job: String,
    pub(super) plan: Arc<Plan>,
    pub(super) lost: Vec<Failure>,
    /// What is run again in the end, if anything is.
    pub(super) verify: Option<Verify>,
    /// Runs that were committed and could not be read.
    pub(super) lost_runs: HashSet<String>,
    /// The list of runs that workers read does not say what is committed.
    pub(super) stale: bool,
    pub(super) strikes: Strikes,
    /// The mapper is run on a sample of all records before a worker's first task.
    pub(super) sampled: bool,
    began: Instant,
    program_noted: bool,
    watched: Instant,
}

impl<'a> Scheduler<'a> {
    /// A scheduler that goes on where `commits` leave off.
    pub(crate) fn new(
        job: &str,
        plan: Arc<Plan>,
        limits: Limits,
        executor: &'a mut dyn Executor,
        progress: &'a mut Progress,
        commits: &'a mut Commits,
    ) -> Self {
        let splits = plan.splits.len();
        let mut map = Tasks::new(splits, 0..splits as u32);
        map.restore(commits.map_tasks());
        let mapped_bytes = commits.map_tasks().map(|task| plan.splits[task as usize].len()).sum();
        Self {
            executor,
            progress,
            commits,
            slots: Vec::new(),
            map,
            reduce: None,
            lonely: VecDeque::new(),
            alone: None,
            mapped_bytes,
            job: job.to_owned(),
            plan,
            lost: Vec::new(),
            verify: None,
            lost_runs: HashSet::new(),
            stale: false,
            strikes: Strikes::default(),
            sampled: false,
            began: Instant::now(),
            program_noted: false,
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
        self.occupy(self.map.len() - self.map.done());
        loop {
            if let Level::Graceful(signal) | Level::Immediate(signal) = cancel.level() {
                return Err(Error::cancelled(signal));
            }
            if self.map.is_finished() {
                self.go_on_to_reduce(manifest)?;
            }
            let reduced = self.map.is_finished() && self.reduce.as_ref().is_some_and(Tasks::is_finished);
            if reduced && self.is_verified() {
                self.progress.finish();
                let (records, bytes) = self.commits.size();
                return Ok(Finish { counters: self.commits.counters(), records, bytes, lost: self.lost });
            }
            self.dispatch()?;
            if let Some(event) = self.executor.next(TICK) {
                self.apply(event)?;
            }
            if self.watched.elapsed() >= TICK {
                self.watched = Instant::now();
                self.watch();
                self.note_program()?;
            }
        }
    }

    /// To read the whole program takes as long as a short job: those need it least.
    fn note_program(&mut self) -> Result {
        const LONG: Duration = Duration::from_millis(500);
        if self.program_noted || self.began.elapsed() < LONG {
            return Ok(());
        }
        self.program_noted = true;
        self.commits.note_program()
    }

    /// Sees that there are as many workers as `tasks` can use.
    fn occupy(&mut self, tasks: usize) {
        while self.slots.len() < tasks.min(self.limits.workers) {
            self.slots.push(Slot::default());
            self.executor.start(self.slots.len() - 1);
        }
    }

    /// Begins the reduce phase, or goes on with it when what had been lost of the map output is there again.
    fn go_on_to_reduce(&mut self, manifest: &Path) -> Result {
        if self.reduce.is_none() {
            write_manifest(manifest, self.commits.runs())?;
            // The largest first, so that none is left over when everything else is done.
            let bytes = self.commits.partition_bytes(self.limits.partitions);
            let mut order: Vec<u32> = (0..self.limits.partitions).collect();
            order.sort_by_key(|&partition| std::cmp::Reverse(bytes[partition as usize]));
            let mut tasks = Tasks::new(order.len(), order.into_iter());
            tasks.restore(self.commits.reduce_tasks());
            self.progress.begin_reduce(tasks.len());
            self.occupy(tasks.len() - tasks.done());
            self.reduce = Some(tasks);
        } else if self.stale {
            write_manifest(manifest, self.commits.runs())?;
            for slot in 0..self.slots.len() {
                if self.slots[slot].ready {
                    self.give(slot, Order::Reopen)?;
                }
            }
        }
        self.stale = false;
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
                match self.slots[slot].orders.pop_front() {
                    Some(Order::Run { task, .. }) => {
                        if self.slots[slot].tasks == 0 {
                            self.executor.vouch(slot);
                        }
                        self.slots[slot].tasks += 1;
                        self.alone.take_if(|alone| *alone == task);
                    }
                    Some(Order::Verify { task, .. }) if matches!(notes[..], [Note::Failed { .. }]) => {
                        self.verify.iter_mut().for_each(|verify| verify.requeue(task));
                    }
                    _ => {}
                }
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
            Note::Reduced { task, part, counters, .. } => {
                self.commits.part(task, part, counters)?;
                if let Some(reduce) = &mut self.reduce {
                    reduce.commit(task);
                }
            }
            Note::Failed { task, failure, .. } => return self.attempt_failed(slot, task, *failure),
            Note::Verified { task, digest } => self.verified(task, digest)?,
            Note::Ready | Note::Flushed | Note::Reopened => {}
        }
        Ok(())
    }

    fn committed(&mut self, slot: usize, committed: Committed) -> Result {
        let tasks: Vec<_> = committed.tasks.iter().map(|&(task, _)| task).collect();
        self.commits.map(committed)?;
        tasks.into_iter().for_each(|task| self.map.commit(task));
        self.slots[slot].resident.retain(|&task| self.map.state(task) != State::Done);
        Ok(())
    }
}
