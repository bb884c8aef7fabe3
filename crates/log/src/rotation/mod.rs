//! Rotation: when a log file is set aside, under which name, and what becomes of old ones.
//!
//! The parts know paths, times and bytes. Records are the business of the handler that uses them.

mod backups;
mod clock;
mod compress;
mod dated;
mod numbered;
mod open;
mod plan;
mod schedule;
mod sink;
mod when;

pub(crate) use backups::Family;
pub use clock::{Clock, ManualClock, SystemClock};
pub(crate) use compress::{Compressor, recover};
pub(crate) use plan::{Plan, Rules};
pub use schedule::{Schedule, ScheduleError};
pub(crate) use sink::Sink;
pub use when::When;

use std::io;

/// An error of the same kind that also says what was tried.
pub(crate) fn explain(error: &io::Error, what: std::fmt::Arguments<'_>) -> io::Error {
    io::Error::new(error.kind(), format!("cannot {what}: {error}"))
}
