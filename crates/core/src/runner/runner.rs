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
use crate::result::{BoxError, Result, chain};
use crate::task::{Failure, FailureKind, Order, Stopped, TaskEnv, TaskId};

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
            Order::Run { task, attempt } => (Some(task), attempt),
            Order::Flush => (None, 0),
        };
        let scope = task.map(|task| TaskContext::enter(&self.env.job, &task.to_string(), attempt));
        let kind = match panics::catch(&flight, || self.carry_out(order, &mut notes)) {
            Ok(Ok(())) => None,
            Ok(Err(error)) if error.is::<Stopped>() => {
                self.map = None;
                return notes;
            }
            Ok(Err(error)) => Some(returned(&error)),
            Err(panic) => Some(FailureKind::Panicked {
                message: panic.message,
                location: panic.location,
                backtrace: panic.backtrace,
            }),
        };
        if let Some(kind) = kind {
            // Its sink holds part of the failed attempt, which cannot be told from the rest.
            self.map = None;
            notes.push(self.failed(task, attempt, kind));
        }
        flight.stage(Stage::Idle);
        drop(scope);
        notes
    }

    fn carry_out(&mut self, order: Order, notes: &mut Vec<Note>) -> Result {
        match order {
            Order::Run { task: TaskId::Map(task), attempt } => {
                self.env.flight.begin(task, attempt);
                let committed = self.session()?.run(task, attempt)?;
                notes.push(Note::Mapped { task, attempt });
                notes.extend(committed.map(Note::Committed));
            }
            Order::Flush => {
                if let Some(session) = &mut self.map {
                    notes.extend(session.flush()?.map(Note::Committed));
                }
                notes.push(Note::Flushed);
            }
            Order::Run { task: TaskId::Reduce(task), attempt } => {
                // Map output of this worker is committed by now: its table's memory is free for the merge.
                self.map = None;
                self.env.flight.begin(task, attempt);
                let (part, counters) = self.reduce(task, attempt)?;
                notes.push(Note::Reduced { task, attempt, part, counters });
            }
        }
        Ok(())
    }

    fn session(&mut self) -> Result<&mut dyn MapSession> {
        let session = match self.map.take() {
            Some(session) => session,
            None => self.stages.map_session(&self.env)?,
        };
        Ok(&mut **self.map.insert(session))
    }

    fn reduce(&mut self, task: u32, attempt: u32) -> Result<(Reduced, Counters)> {
        let shuffle = self.shuffle.open(&self.env)?;
        self.stages.reduce(&self.env, &shuffle, task, attempt)
    }

    fn failed(&self, task: Option<TaskId>, attempt: u32, kind: FailureKind) -> Note {
        // A flush that fails is charged to the task that ran last: its number is still in the page.
        let task = task.unwrap_or_else(|| TaskId::Map(self.env.flight.task()));
        let mut failure =
            Failure::new(&self.env.job, &self.env.plan, task, attempt.max(1), kind, Some(&self.env.flight));
        if let Some(why) = self.env.spilling.refusal() {
            failure.is_final = true;
            failure.because(why);
        }
        failure.worker.clone_from(&self.env.worker);
        failure.pid = Some(std::process::id());
        Note::Failed { task, attempt: attempt.max(1), failure: Box::new(failure) }
    }
}

fn returned(error: &BoxError) -> FailureKind {
    FailureKind::Returned { message: chain(&**error) }
}
