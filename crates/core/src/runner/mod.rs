//! What happens inside a worker: orders in, notes out.
//!
//! The [`runner`](TaskRunner) knows the job, its tasks and where output goes, and nothing of processes: every executor
//! drives the same runner. [`panics`] catches panics with their place.

mod backtrace;
mod panics;
#[expect(clippy::module_inception, reason = "the runner itself, beside what it uses")]
mod runner;

pub(crate) use panics::{catch, catch_part, note_panics};
pub(crate) use runner::{Note, TaskRunner};
