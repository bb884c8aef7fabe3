//! Tasks as values: their names, orders, surroundings and failures.
//!
//! Nothing here runs a task; `runner` does.

mod env;
mod failure;

pub(crate) use env::{Order, Stopped, TaskEnv, TaskId};
pub use failure::{Failure, FailureKind};
