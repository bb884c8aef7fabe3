//! What can go wrong for the parent: nothing can be started, or a task has failed.
//!
//! A task's error tells the function, the worker and the cause; how functions raise errors is `failure`'s part.

use std::fmt;
use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::death::Death;
use crate::toolkit::failure::ErrorReport;

/// Nothing could be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The handle's name is not in the registry.
    #[error("function `{0}` is not registered")]
    NotRegistered(String),
    /// The handle's types are not those of the registered function.
    #[error("function `{0}` is registered with other types")]
    OtherTypes(String),
    /// Two functions were registered under one name.
    #[error("function `{0}` is registered twice")]
    RegisteredTwice(String),
    /// This process is a worker. Workers start no workers.
    #[error("a worker process cannot start workers of its own")]
    InWorker,
    /// A process has been started before.
    #[error("{0} has been started already")]
    StartedTwice(String),
    /// No process can have this name.
    #[error("{0:?} cannot be the name of a process")]
    Name(String),
    /// The argument cannot be sent.
    #[error("argument of `{function}`: {error}")]
    Argument {
        /// The function it was for.
        function: String,
        /// What is wrong with it.
        error: String,
    },
    /// The system refused.
    #[error("cannot start worker processes: {0}")]
    Io(#[from] io::Error),
}

impl StartError {
    /// The same error once more, for whoever asks again.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::NotRegistered(name) => Self::NotRegistered(name.clone()),
            Self::OtherTypes(name) => Self::OtherTypes(name.clone()),
            Self::Argument { function, error } => {
                Self::Argument { function: function.clone(), error: error.clone() }
            }
            other => Self::Io(io::Error::other(other.to_string())),
        }
    }
}

/// A task that failed, or a process that did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TaskError {
    /// The function that was to run.
    pub function: String,
    /// Which of the items it was, counted from 0, if there were several.
    pub index: Option<u64>,
    /// The name of the worker, if there was one.
    pub worker: Option<String>,
    /// Why it failed.
    pub cause: TaskCause,
}

/// Why a task failed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TaskCause {
    /// The function returned an error or panicked.
    Failed(Box<ErrorReport>),
    /// Its worker died.
    Died(Box<Death>),
    /// It took longer than it may, and its worker was ended.
    TimedOut(Duration),
    /// It was called off, because of another task's failure or on request.
    Cancelled,
    /// It was never run, because no worker could be made ready.
    NoWorker(String),
    /// Its argument could not be sent, or its result could not be read.
    Codec(String),
}

impl TaskError {
    /// What the function said, if it lived to say something.
    #[must_use]
    pub fn report(&self) -> Option<&ErrorReport> {
        if let TaskCause::Failed(report) = &self.cause { Some(report) } else { None }
    }

    /// How the worker died, if it did.
    #[must_use]
    pub fn death(&self) -> Option<&Death> {
        if let TaskCause::Died(death) = &self.cause { Some(death) } else { None }
    }

    /// The error in one line, and below it the backtrace or the last of what the worker wrote to standard error.
    #[must_use]
    pub fn details(&self) -> String {
        let below = match &self.cause {
            TaskCause::Failed(report) => report.backtrace.as_str(),
            TaskCause::Died(death) => death.stderr_tail.as_str(),
            _ => "",
        };
        format!("{self}\n{below}").trim_end().to_owned()
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.function)?;
        if let Some(index) = self.index {
            write!(f, " of item {index}")?;
        }
        if let (Some(worker), false) = (&self.worker, matches!(self.cause, TaskCause::Died(_))) {
            write!(f, " in {worker}")?;
        }
        match &self.cause {
            TaskCause::Failed(report) => write!(f, " failed: {report}"),
            TaskCause::Died(death) => write!(f, " failed: {death}"),
            TaskCause::TimedOut(limit) => write!(f, " was ended after its time limit of {limit:?}"),
            TaskCause::Cancelled => f.write_str(" was cancelled"),
            TaskCause::NoWorker(why) => write!(f, " was not run: {why}"),
            TaskCause::Codec(why) => write!(f, " failed: {why}"),
        }
    }
}

impl std::error::Error for TaskError {}
