//! What a job is made of: a mapper, what comes after it, and its settings.
//!
//! [`Job`] is what a user builds. [`Stages`] is the same job with its types hidden, as workers run it. Nothing here
//! runs anything.

mod back;
mod builder;
mod erased;
mod partitioning;
mod sides;

pub use builder::Job;
pub use erased::{AnyJob, DynJob};
pub use sides::{Combine, Combining, Fold, Group, MapOnly, Shuffled};

pub(crate) use erased::{Stages, Types};
