//! What happens inside a worker: orders in, notes out.
//!
//! The [`runner`] knows the job, its tasks and where output goes, and nothing of processes: every executor drives the
//! same runner. [`failure`] says what went wrong with an attempt, [`panics`] catches panics with their place.

mod env;
mod failure;
mod panics;
mod runner;

pub(crate) use env::{Order, Stopped, TaskEnv, TaskId};
pub use failure::{Failure, FailureKind};
pub(crate) use panics::note_panics;
pub(crate) use runner::{Note, TaskRunner};
