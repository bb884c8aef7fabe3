//! What the torture tells: figures when all is well, everything that is needed to repeat a failure otherwise.
//!
//! It runs nothing.

use std::fmt;
use std::io;
use std::time::Duration;

use super::output::Difference;

/// A torture that found nothing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TortureReport {
    /// Seed of the random choices.
    pub seed: u64,
    /// Runs that ended like the undisturbed one.
    pub runs: u32,
    /// Workers that were killed.
    pub killed_workers: u32,
    /// How often the program itself was killed.
    pub killed_programs: u32,
    /// How long it all took.
    pub elapsed: Duration,
}

impl fmt::Display for TortureReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, runs, killed_workers, killed_programs, elapsed } = self;
        write!(
            f,
            "{runs} runs with equal outputs in {:.1} s, {killed_workers} workers and {killed_programs} programs killed \
             (seed {seed})",
            elapsed.as_secs_f64()
        )
    }
}

/// Why a torture ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TortureError {
    /// It cannot be made with these settings.
    #[error("{0}")]
    Refused(String),
    /// The undisturbed run did not end well, so there is nothing to compare with.
    #[error("{0}")]
    Undisturbed(Box<TortureFailure>),
    /// Another run was not like the undisturbed one.
    #[error("{0}")]
    Failed(Box<TortureFailure>),
    /// Files or processes could not be handled.
    #[error("{what}: {source}")]
    System {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl TortureError {
    /// The first difference between two outputs, if that is the reason.
    #[must_use]
    pub fn difference(&self) -> Option<&Difference> {
        match self {
            Self::Undisturbed(failure) | Self::Failed(failure) => failure.difference.as_ref(),
            Self::Refused(_) | Self::System { .. } => None,
        }
    }
}

/// A run that was not as it should have been.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TortureFailure {
    /// Seed of the random choices.
    pub seed: u64,
    /// What the run was put through.
    pub conditions: String,
    /// What was wrong with it.
    pub problem: String,
    /// The first difference in the outputs, if that was wrong.
    pub difference: Option<Difference>,
    /// Lines for a shell that repeat it; lines that begin with `#` say what else was done, and when.
    pub commands: Vec<String>,
    /// The end of what the run has printed on standard error.
    pub log: String,
}

impl fmt::Display for TortureFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "torture: {}", self.problem)?;
        writeln!(f, "conditions: {}", self.conditions)?;
        writeln!(f, "to repeat it (seed {}):", self.seed)?;
        self.commands.iter().try_for_each(|command| writeln!(f, "  {command}"))?;
        let log = if self.log.trim().is_empty() { "(nothing)" } else { self.log.trim_end() };
        write!(f, "its standard error:\n  {}", log.replace('\n', "\n  "))
    }
}
