//! `App`: the jobs of a program, its command line, its workers.
//!
//! Only this part of the library reads arguments, installs signal handlers, prints and decides exit statuses.
//! [`registry`] knows the jobs by name, [`cli`] the options that every job has, [`command`] runs what the command line
//! asks for, [`torture`] reads what a run is to suffer, [`log_args`] those of the log, [`logging`] sets up the
//! listener, [`session`] enters a worker or runs a job, [`tune`] finds good options for one.

mod builder;
mod cli;
mod command;
mod log_args;
mod logging;
mod registry;
mod session;
mod show;
mod sizes;
mod torture;
mod tune;

pub use builder::{App, NoArgs};
pub use session::Entered;
