//! The task runner: carries out the scheduler's orders, one after the other, in whatever executor it lives.
//!
//! It does not receive orders or send notes itself, and it retries nothing.

use std::sync::Arc;

use gristmill_log::context::TaskContext;
use serde::{Deserialize, Serialize};

use super::panics;
use crate::collect::Committed;
use crate::counters::Counters;
use crate::flight::Stage;
use crate::job::Stages;
use crate::map::MapSession;
use crate::reduce::{Reduced, SharedShuffle};
use crate::result::{BoxError, Result, chain, is_of_full_disk};
use crate::run::DamagedRun;
use crate::task::{Care, Failure, FailureKind, Order, Stopped, TaskEnv, TaskId};

/// What a worker tells the scheduler.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Note {
    /// The job was built; orders may come.
    Ready,
    /// A map attempt ended well; its output is in the worker's memory.
    Mapped { task: u32, attempt: u32 },
    /// Map output was committed.
    Committed(Committed),
    /// A flush was carried out; all that was mapped before is committed.
    Flushed,
    /// A task was run again; this is what it came to.
    Verified { task: TaskId, digest: u64 },
    /// The next reduce task will look which runs there are.
    Reopened,
    /// A reduce attempt was committed.
    Reduced { task: u32, attempt: u32, part: Reduced, counters: Counters },
    /// An attempt failed; of what the worker had mapped and not committed, nothing is left.
    Failed { task: TaskId, attempt: u32, failure: Box<Failure> },
}

/// Runs a job's tasks in one worker.
pub(crate) struct TaskRunner {
    stages: Arc<dyn Stages>,
    env: Arc<TaskEnv>,
    map: Option<Box<dyn MapSession>>,
    shuffle: SharedShuffle,
}

impl TaskRunner {
    /// A runner without anything mapped. Runners of one process may share what they know of the shuffle.
    pub(crate) fn new(stages: Arc<dyn Stages>, env: Arc<TaskEnv>, shuffle: SharedShuffle) -> Self {
        panics::install_hook();
        Self { stages, env, map: None, shuffle }
    }

    /// Carries out `order` and returns what there is to tell; nothing when it was stopped on request.
    pub(crate) fn run(&mut self, order: Order) -> Vec<Note> {
        let mut notes = Vec::new();
        let flight = self.env.flight.clone();
        let (task, attempt) = match order {
            Order::Run { task, attempt, .. } => (Some(task), attempt),
            Order::Verify { task, .. } => (Some(task), 0),
            Order::Flush | Order::Reopen => (None, 0),
        };
        // What nobody asked for belongs to an attempt before.
        drop(self.env.blames.take());
        let scope = task.map(|task| TaskContext::enter(&self.env.job, &task.to_string(), attempt));
        let mut trouble = DiskTrouble::default();
        let kind = match panics::catch(&flight, || self.carry_out(order, &mut notes)) {
            Ok(Ok(())) => None,
            Ok(Err(error)) if error.is::<Stopped>() => {
                self.map = None;
                return notes;
            }
            Ok(Err(error)) => {
                trouble = DiskTrouble::in_error(&*error);
                Some(returned(&error))
            }
            Err(panic) => Some(panic.into()),
        };
        if let Some(kind) = kind {
            // Its sink holds part of the failed attempt, which cannot be told from the rest.
            self.map = None;
            notes.push(self.failed(task, attempt, kind, trouble));
        }
        flight.stage(Stage::Idle);
        drop(scope);
        notes
    }

    fn carry_out(&mut self, order: Order, notes: &mut Vec<Note>) -> Result {
        match order {
            Order::Run { task: TaskId::Map(task), attempt, care } => {
                self.env.flight.begin(task, attempt);
                if self.env.hardships.double {
                    self.map_for_nothing((task, attempt), &care, notes)?;
                }
                let committed = self.session(&care)?.run(task, attempt, &care)?;
                notes.push(Note::Mapped { task, attempt });
                notes.extend(committed.map(Note::Committed));
            }
            Order::Flush => {
                if let Some(session) = &mut self.map {
                    notes.extend(session.flush()?.map(Note::Committed));
                }
                notes.push(Note::Flushed);
            }
            Order::Verify { task, care } => {
                self.map = None;
                let digest = match task {
                    TaskId::Map(ordinal) => {
                        self.env.flight.begin(ordinal, 0);
                        self.stages.map_digest(&self.env, ordinal, &care)?
                    }
                    TaskId::Reduce(partition) => {
                        self.env.flight.begin(partition, 0);
                        let shuffle = self.shuffle.open(&self.env)?;
                        self.stages.reduce_digest(&self.env, &shuffle, partition, &care)?
                    }
                };
                notes.push(Note::Verified { task, digest });
            }
            Order::Reopen => {
                self.shuffle.forget();
                notes.push(Note::Reopened);
            }
            Order::Run { task: TaskId::Reduce(task), attempt, care } => {
                // Map output of this worker is committed by now: its table's memory is free for the merge.
                self.map = None;
                self.env.flight.begin(task, attempt);
                if self.env.hardships.double {
                    self.reduce(task, attempt, &care)?;
                }
                let (part, counters) = self.reduce(task, attempt, &care)?;
                notes.push(Note::Reduced { task, attempt, part, counters });
            }
        }
        Ok(())
    }

    /// Carries out an attempt as if the worker died before its commit. What was mapped before is committed first.
    fn map_for_nothing(&mut self, (task, attempt): (u32, u32), care: &Care, notes: &mut Vec<Note>) -> Result {
        if let Some(session) = &mut self.map {
            notes.extend(session.flush()?.map(Note::Committed));
        }
        self.session(care)?.run(task, attempt, care)?;
        self.map = None;
        Ok(())
    }

    fn session(&mut self, care: &Care) -> Result<&mut dyn MapSession> {
        let session = match self.map.take() {
            Some(session) => session,
            None => self.stages.map_session(&self.env, care)?,
        };
        Ok(&mut **self.map.insert(session))
    }

    fn reduce(&mut self, task: u32, attempt: u32, care: &Care) -> Result<(Reduced, Counters)> {
        let shuffle = self.shuffle.open(&self.env)?;
        self.stages.reduce(&self.env, &shuffle, (task, attempt), care)
    }

    fn failed(&self, task: Option<TaskId>, attempt: u32, kind: FailureKind, trouble: DiskTrouble) -> Note {
        // A flush that fails is charged to the task that ran last: its number is still in the page.
        let task = task.unwrap_or_else(|| TaskId::Map(self.env.flight.task()));
        let flight = Some(&self.env.flight);
        let mut failure = Failure::new(&self.env.job, &self.env.plan, task, attempt.max(1), kind, flight);
        let blames = self.env.blames.take();
        if !blames.is_empty() {
            failure.blame(&self.env.plan, task, blames);
        } else if matches!(failure.kind, FailureKind::Panicked { .. }) {
            // Errors that user code returned were noted where it did: others are not its own.
            failure.blame_page(task, flight);
        }
        if let Some(why) = self.env.spilling.refusal() {
            failure.is_final = true;
            failure.because(why);
        }
        failure.is_final |= trouble.full;
        failure.damaged_run = trouble.damaged_run;
        failure.worker.clone_from(&self.env.worker);
        failure.pid = Some(std::process::id());
        Note::Failed { task, attempt: attempt.max(1), failure: Box::new(failure) }
    }
}

/// What a failed attempt says of the disk.
#[derive(Default)]
struct DiskTrouble {
    /// If a committed run could not be read: its name.
    damaged_run: Option<String>,
    /// To try again at once is of no use.
    full: bool,
}

impl DiskTrouble {
    fn in_error(error: &(dyn std::error::Error + 'static)) -> Self {
        Self { damaged_run: damaged_run(error), full: is_of_full_disk(error) }
    }
}

/// The name of the run whose damage an error is about.
fn damaged_run(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(damaged) = error.downcast_ref::<DamagedRun>() {
            return damaged.path.file_name().map(|name| name.to_string_lossy().into_owned());
        }
        next = error.source();
    }
    None
}

fn returned(error: &BoxError) -> FailureKind {
    FailureKind::Returned { message: chain(&**error) }
}
