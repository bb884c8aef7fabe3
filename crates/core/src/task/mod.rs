//! Tasks as values: their names, orders, surroundings and failures.
//!
//! Nothing here runs a task; `runner` does.

mod blame;
mod env;
mod failure;

pub(crate) use blame::{BadRecords, Blame, Blames};
pub(crate) use env::{Care, Order, Spot, Stopped, TaskEnv, TaskId};
pub(crate) use failure::DeathFacts;
pub use failure::{Failure, FailureKind};
