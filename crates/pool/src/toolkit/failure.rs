//! What a function in a worker returns when it fails, and what is left of that when it reaches the parent.
//!
//! It records the error where it is raised; how it is shown beside the task and the worker is `error`'s part.

use std::backtrace::Backtrace;
use std::error::Error;
use std::fmt;
use std::panic::Location;

use serde::{Deserialize, Serialize};

/// A backtrace longer than this loses its outer frames.
const LONGEST_BACKTRACE: usize = 16 * 1024;

/// An error on its way out of a worker function, with the place where `?` was applied to it and the backtrace.
///
/// Any error becomes one by `?`, so a function only has to return [`Result<T>`](crate::Result). It is no
/// [`Error`] itself, which is what makes that conversion possible.
pub struct Failure {
    error: Box<dyn Error + Send + Sync>,
    location: &'static Location<'static>,
    backtrace: Backtrace,
}

impl Failure {
    /// A failure that consists of a text.
    #[track_caller]
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self::of(text.into().into())
    }

    #[track_caller]
    fn of(error: Box<dyn Error + Send + Sync>) -> Self {
        Self { error, location: Location::caller(), backtrace: Backtrace::force_capture() }
    }

    /// Turns it into what can travel.
    pub(crate) fn report(&self) -> ErrorReport {
        ErrorReport {
            kind: ErrorKind::Returned,
            chain: chain(&*self.error),
            location: Some(self.location.to_string()),
            backtrace: shortened(&self.backtrace),
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::of(Box::new(error))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", chain(&*self.error).join(": "), self.location)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.error, f)
    }
}

/// How a function failed without ending its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ErrorKind {
    /// It returned an error.
    Returned,
    /// It panicked.
    Panicked,
    /// Its argument could not be read, or its result could not be sent.
    Codec,
}

/// An error from another process, as far as it can travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ErrorReport {
    /// How the function failed.
    pub kind: ErrorKind,
    /// What happened, and below it what caused that, down to the first cause.
    pub chain: Vec<String>,
    /// Where: file, line and column.
    pub location: Option<String>,
    /// The backtrace, outer frames cut off where it is very long.
    pub backtrace: String,
}

impl ErrorReport {
    pub(crate) fn codec(error: impl fmt::Display) -> Self {
        let chain = vec![error.to_string()];
        Self { kind: ErrorKind::Codec, chain, location: None, backtrace: String::new() }
    }

    pub(crate) fn panicked(message: String, location: Option<String>, backtrace: &Backtrace) -> Self {
        let backtrace = shortened(backtrace);
        Self { kind: ErrorKind::Panicked, chain: vec![message], location, backtrace }
    }
}

impl fmt::Display for ErrorReport {
    /// One line: the chain and the place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind == ErrorKind::Panicked {
            f.write_str("panicked: ")?;
        }
        f.write_str(&self.chain.join(": "))?;
        match &self.location {
            Some(location) => write!(f, " ({location})"),
            None => Ok(()),
        }
    }
}

fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut next = Some(error);
    let causes = std::iter::from_fn(|| {
        let error = next?;
        next = error.source();
        Some(error.to_string())
    });
    causes.collect()
}

fn shortened(backtrace: &Backtrace) -> String {
    let mut text = backtrace.to_string();
    let end = text.floor_char_boundary(LONGEST_BACKTRACE);
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the pump has stopped")]
    struct Pump(#[source] std::num::ParseIntError);

    fn fails() -> Result<u32, Failure> {
        Err(Pump("x".parse::<u32>().expect_err("no number")))?
    }

    #[test]
    fn a_question_mark_keeps_chain_place_and_backtrace() {
        let report = fails().expect_err("it fails").report();
        assert_eq!(report.chain, ["the pump has stopped", "invalid digit found in string"]);
        assert!(report.location.as_deref().is_some_and(|at| at.contains("failure.rs:")), "{report}");
        assert!(report.backtrace.contains("fails"), "{}", report.backtrace);
    }

    #[test]
    fn a_text_is_a_failure_too() {
        let report = Failure::new("no luck").report();
        assert_eq!((report.kind, report.chain), (ErrorKind::Returned, vec!["no luck".to_owned()]));
    }
}
