//! What went wrong with one attempt at a task, in a form that travels and prints.
//!
//! It does not decide whether the task is tried again.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::flight::{Flight, Sighting, Stage};
use crate::input::{Plan, Span};
use crate::task::{BadRecords, Blame, Spot, TaskId};

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
    /// If the worker's process ended: what the system says of its end.
    pub(crate) death: Option<DeathFacts>,
    /// If a committed run could not be read: its name.
    pub(crate) damaged_run: Option<String>,
    /// The records or groups that are to blame.
    pub(crate) spots: Vec<Blame>,
    /// Whether user code was at work on records or groups, whichever.
    pub(crate) in_user_code: bool,
}

/// What the operating system says of the end of a worker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeathFacts {
    /// The signal that ended it.
    pub(crate) signal: Option<i32>,
    /// Its exit status.
    pub(crate) status: Option<i32>,
    /// Why the coordinator sent the signal, if it did.
    pub(crate) sent_by_us: Option<String>,
    /// The largest resident size, in bytes.
    pub(crate) peak_rss: Option<u64>,
    /// Processes that the system has killed for want of memory meanwhile, where it tells.
    pub(crate) oom_kills: Option<u64>,
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
            input: input(plan, task, seen.file),
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
            death: None,
            damaged_run: None,
            spots: Vec::new(),
            in_user_code: matches!(seen.stage, Stage::Map | Stage::Reduce),
        }
    }

    /// Blames what the page said that user code was at, if that is a part of `task`.
    pub(crate) fn blame_page(&mut self, task: TaskId, flight: Option<&Flight>) {
        let seen = flight.map_or_else(Sighting::nothing, Flight::sight);
        let own = |blame: &Blame| match (task, blame.spot) {
            (TaskId::Map(task), Spot::Record { .. }) => seen.task == task,
            (TaskId::Reduce(task), Spot::Group { partition, .. }) => partition == task,
            _ => false,
        };
        self.spots.extend(Blame::of(&seen, self.kind.clone()).filter(own));
    }

    /// Blames `spots`, and tells of the first.
    pub(crate) fn blame(&mut self, plan: &Plan, task: TaskId, spots: Vec<Blame>) {
        if let Some(Blame { spot, key, key_len, kind }) = spots.first() {
            let told =
                matches!(&self.kind, FailureKind::Returned { message } if *message == BadRecords.to_string());
            if told {
                self.kind.clone_from(kind);
            }
            match *spot {
                Spot::Record { file, offset, len } => {
                    self.input = input(plan, task, Some(file));
                    self.record = Some(record_text(Span { offset, len }));
                }
                Spot::Group { ordinal, .. } => {
                    self.key = key.as_ref().map(|key| key_text(key, *key_len, ordinal));
                }
            }
            if spots.len() > 1 {
                self.happened =
                    format!("{} at {} places, of which this is the first", self.happened, spots.len());
            }
        }
        self.spots = spots;
    }

    /// The task, which `spot` is a part of.
    pub(crate) fn task_id(&self, spot: Spot) -> TaskId {
        let ordinal = self.task.rsplit('-').next().and_then(|ordinal| ordinal.parse().ok()).unwrap_or(0);
        if spot.is_record() { TaskId::Map(ordinal) } else { TaskId::Reduce(ordinal) }
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

impl Failure {
    /// What is known of its process's memory.
    fn memory(&self) -> Option<String> {
        let death = self.death.as_ref()?;
        let peak = death.peak_rss.map(|bytes| format!("largest resident size {} MiB", bytes >> 20));
        let kills = death.oom_kills.filter(|kills| *kills > 0);
        let kills = kills.map(|kills| format!("the system has killed {kills} processes for want of memory"));
        let known: Vec<_> = peak.into_iter().chain(kills).collect();
        (!known.is_empty()).then(|| known.join("; "))
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
fn input(plan: &Plan, task: TaskId, file: Option<u32>) -> Option<String> {
    let TaskId::Map(split) = task else { return None };
    let pieces = &plan.splits.get(split as usize)?.pieces;
    let piece = pieces.iter().find(|piece| Some(piece.file) == file).or(pieces.first())?;
    let name = plan.files.get(piece.file as usize)?;
    Some(format!("{name}, bytes {}..{}", piece.offset, piece.offset + piece.len))
}

/// The record that was being mapped. A commit comes after the records of many tasks: none of them is to blame.
fn record(task: TaskId, seen: &Sighting) -> Option<String> {
    let at = seen.record.filter(|_| matches!(task, TaskId::Map(_)) && seen.stage == Stage::Map)?;
    let count = if seen.is_block { String::new() } else { format!(" (no. {} of the attempt)", seen.records) };
    Some(record_text(at) + &count)
}

fn record_text(Span { offset, len }: Span) -> String {
    format!("at byte {offset}, {len} bytes long")
}

fn key(task: TaskId, seen: &Sighting) -> Option<String> {
    let (bytes, ordinal) = (seen.key.as_ref()?, seen.group?);
    (matches!(task, TaskId::Reduce(_)) && seen.stage == Stage::Reduce)
        .then(|| key_text(bytes, seen.key_len, ordinal))
}

fn key_text(bytes: &[u8], len: usize, ordinal: u64) -> String {
    let more = if len > bytes.len() { " …" } else { "" };
    format!("\"{}\"{more} (group {ordinal} of the partition)", bytes.escape_ascii())
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
        line(f, "memory", self.memory().as_deref())?;
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
