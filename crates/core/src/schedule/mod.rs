//! The scheduler: the one place where a task's state changes.
//!
//! ```text
//! executor ── events ──► Scheduler ── orders ──► executor
//!                         │ map tasks: pending → running → mapped → done
//!                         └ reduce tasks: pending → running → done
//! ```
//!
//! Readers, timers, signals and the supervisor of processes only send it events. It does not know what a worker is:
//! an executor may run it as a process, a thread or a function call.

mod aside;
mod commits;
mod dispatch;
mod losses;
mod scheduler;
mod slots;
mod strikes;
mod tasks;
mod verify;
mod watch;

#[cfg(test)]
mod tests;

pub(crate) use commits::Commits;
pub(crate) use scheduler::{Finish, Limits, Scheduler};
