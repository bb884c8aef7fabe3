//! What went wrong with one attempt at a task, in a form that travels and prints.
//!
//! It does not decide whether the task is tried again.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::flight::{Flight, Sighting, Stage};
use crate::input::{Plan, Span};
use crate::task::TaskId;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FailureKind {
    /// User code or the framework returned an error.
    Returned {
        /// The error with all its causes.
        message: String,
    },
    /// User code panicked.
    Panicked {
        /// The panic's message.
        message: String,
        /// Source file, line and column.
        location: String,
        /// The stack at that moment.
        backtrace: String,
    },
    /// The worker's process ended: by an exit, a signal, an abort.
    WorkerDied {
        /// What the operating system says of its end.
        cause: String,
    },
    /// No record was finished within the task's time limit, and the worker was killed.
    TimedOut {
        /// What the limit was.
        limit: String,
    },
}

/// A failed attempt: what, where, and what was seen of it last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub(crate) job: String,
    pub(crate) task: String,
    pub(crate) attempt: u32,
    pub(crate) max_attempts: u32,
    pub(crate) worker: String,
    pub(crate) pid: Option<u32>,
    pub(crate) kind: FailureKind,
    /// Whether another attempt would come to the same.
    pub(crate) is_final: bool,
    /// A verb and where it happened, to go on after the task's name.
    pub(crate) happened: String,
    pub(crate) input: Option<String>,
    pub(crate) record: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) last_words: String,
    pub(crate) log_tail: Vec<String>,
    pub(crate) stderr_tail: String,
}

impl Failure {
    /// A failure of `task` as far as the worker's page tells it.
    pub(crate) fn new(
        job: &str,
        plan: &Plan,
        task: TaskId,
        attempt: u32,
        kind: FailureKind,
        flight: Option<&Flight>,
    ) -> Self {
        let seen = flight.map_or_else(Sighting::nothing, Flight::sight);
        // The page of an idle worker still tells of the task before.
        let seen = if seen.stage == Stage::Idle {
            Sighting { last_words: seen.last_words, ..Sighting::nothing() }
        } else {
            seen
        };
        Self {
            input: input(plan, task, &seen),
            record: record(task, &seen),
            key: key(task, &seen),
            ..Self::base(job, &task.to_string(), attempt, kind, seen)
        }
    }

    /// A failure of a worker without a task: it could not start, for instance.
    pub(crate) fn of_worker(job: &str, worker: &str, kind: FailureKind, flight: Option<&Flight>) -> Self {
        Self::base(job, worker, 1, kind, flight.map_or_else(Sighting::nothing, Flight::sight))
    }

    fn base(job: &str, subject: &str, attempt: u32, kind: FailureKind, seen: Sighting) -> Self {
        Self {
            job: job.to_owned(),
            task: subject.to_owned(),
            attempt,
            max_attempts: attempt,
            worker: String::new(),
            pid: None,
            kind,
            is_final: false,
            happened: happened(seen.stage),
            input: None,
            record: None,
            key: None,
            last_words: seen.last_words,
            log_tail: Vec::new(),
            stderr_tail: String::new(),
        }
    }

    /// Says in other words what happened, and for the how-manieth time.
    pub(crate) fn happened(&mut self, what: &str, attempt: u32, max_attempts: u32) {
        what.clone_into(&mut self.happened);
        (self.attempt, self.max_attempts) = (attempt, max_attempts);
    }

    /// Adds the cause, unless user code has passed it on.
    pub(crate) fn because(&mut self, why: &str) {
        if let FailureKind::Returned { message } | FailureKind::Panicked { message, .. } = &mut self.kind
            && !message.contains(why)
        {
            *message = format!("{message}: {why}");
        }
    }

    /// How the attempt ended.
    #[must_use]
    pub fn kind(&self) -> &FailureKind {
        &self.kind
    }

    /// The task, such as `map-3` or `reduce-0`; the worker's name if it had none.
    #[must_use]
    pub fn task(&self) -> &str {
        &self.task
    }

    /// Which attempt at the task it was, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Name of the worker, such as `Worker-1`.
    #[must_use]
    pub fn worker(&self) -> &str {
        &self.worker
    }
}

fn happened(stage: Stage) -> String {
    if stage == Stage::Idle {
        "failed before it began".to_owned()
    } else {
        format!("failed in {}", stage.name())
    }
}

/// The file that was being read and the byte range of it, or all of the split if none was yet.
fn input(plan: &Plan, task: TaskId, seen: &Sighting) -> Option<String> {
    let TaskId::Map(split) = task else { return None };
    let pieces = &plan.splits.get(split as usize)?.pieces;
    let piece = pieces.iter().find(|piece| Some(piece.file) == seen.file).or(pieces.first())?;
    let name = plan.files.get(piece.file as usize)?;
    Some(format!("{name}, bytes {}..{}", piece.offset, piece.offset + piece.len))
}

/// The record that was being mapped. A commit comes after the records of many tasks: none of them is to blame.
fn record(task: TaskId, seen: &Sighting) -> Option<String> {
    let Span { offset, len } = seen.record?;
    (matches!(task, TaskId::Map(_)) && seen.stage == Stage::Map)
        .then(|| format!("at byte {offset}, {len} bytes long"))
}

fn key(task: TaskId, seen: &Sighting) -> Option<String> {
    let bytes = seen.key.as_ref()?;
    let more = if seen.key_len > bytes.len() { " …" } else { "" };
    (matches!(task, TaskId::Reduce(_)) && seen.stage == Stage::Reduce)
        .then(|| format!("\"{}\"{more}", bytes.escape_ascii()))
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned { message } => write!(f, "returned an error: {message}"),
            Self::Panicked { message, location, .. } => write!(f, "panicked at {location}: {message}"),
            Self::WorkerDied { cause } => write!(f, "the worker {cause}"),
            Self::TimedOut { limit } => write!(f, "nothing was finished within {limit} (--task-timeout)"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.task, self.happened, self.kind)?;
        write!(f, "\n  job: {}, attempt {} of {}", self.job, self.attempt, self.max_attempts)?;
        write!(f, "\n  worker: {}", self.worker)?;
        if let Some(pid) = self.pid {
            write!(f, " (process {pid})")?;
        }
        line(f, "input", self.input.as_deref())?;
        line(f, "last record", self.record.as_deref())?;
        line(f, "key", self.key.as_deref())?;
        block(f, "last words", &self.last_words)?;
        if let FailureKind::Panicked { backtrace, .. } = &self.kind {
            block(f, "backtrace", backtrace)?;
        }
        block(f, "last log records", &self.log_tail.join("\n"))?;
        block(f, "end of its standard error", &self.stderr_tail)
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, value: Option<&str>) -> fmt::Result {
    value.map_or(Ok(()), |value| write!(f, "\n  {name}: {value}"))
}

fn block(f: &mut fmt::Formatter<'_>, name: &str, text: &str) -> fmt::Result {
    if text.trim().is_empty() {
        return Ok(());
    }
    write!(f, "\n  {name}:")?;
    text.trim_end().lines().try_for_each(|line| write!(f, "\n    {line}"))
}
