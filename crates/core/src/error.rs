//! Why a job did not run or did not end well.
//!
//! User code returns [`crate::BoxError`] instead; it arrives here inside a [`Failure`].

use std::fmt;

use crate::result::{BoxError, FileError, chain};
use crate::task::Failure;

/// The error of a whole job.
///
/// Its `Debug` form is its `Display` form: that is what a `main` that returns it prints.
pub struct Error(Box<Kind>, Option<String>);

enum Kind {
    Usage(String),
    Task(Box<Failure>),
    Cancelled(i32),
    Other(BoxError),
}

impl Error {
    /// The job was asked for in a way that cannot work: nothing was started and nothing was changed.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self(Box::new(Kind::Usage(message.into())), None)
    }

    pub(crate) fn task(failure: Failure) -> Self {
        Self(Box::new(Kind::Task(Box::new(failure))), None)
    }

    pub(crate) fn cancelled(signal: i32) -> Self {
        Self(Box::new(Kind::Cancelled(signal)), None)
    }

    /// Adds what can be done about it.
    pub(crate) fn advise(mut self, advice: String) -> Self {
        self.1 = Some(match self.1.take() {
            Some(before) => format!("{before}\n{advice}"),
            None => advice,
        });
        self
    }

    /// The last attempt that failed, if a task's failure ended the job.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &*self.0 {
            Kind::Task(failure) => Some(failure),
            _ => None,
        }
    }

    /// The signal that ended the job, if one did.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        match *self.0 {
            Kind::Cancelled(signal) => Some(signal),
            _ => None,
        }
    }

    /// Whether the job was refused before it began.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(*self.0, Kind::Usage(_))
    }

    /// The exit status that a job's program ends with: 2 for usage, 128 and the signal's number after a signal, else 1.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match *self.0 {
            Kind::Usage(_) => 2,
            Kind::Cancelled(signal) => u8::try_from(128 + signal).unwrap_or(1),
            Kind::Task(_) | Kind::Other(_) => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Usage(message) => f.write_str(message),
            Kind::Task(failure) => failure.fmt(f),
            Kind::Cancelled(signal) => write!(f, "stopped by {}", gristmill_pool::signal_name(*signal)),
            Kind::Other(error) => f.write_str(&chain(&**error)),
        }?;
        self.1.as_ref().map_or(Ok(()), |advice| write!(f, "\n{advice}"))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Kind::Other(error) => error.source(),
            _ => None,
        }
    }
}

impl From<BoxError> for Error {
    fn from(error: BoxError) -> Self {
        match error.downcast::<Self>() {
            Ok(error) => *error,
            Err(error) => Self(Box::new(Kind::Other(error)), None),
        }
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        Self(Box::new(Kind::Other(error.into())), None)
    }
}
