//! `App`: the jobs of a program, its command line, its workers.
//!
//! Only this part of the library reads arguments, installs signal handlers, prints and decides exit statuses.
//! [`registry`] knows the jobs by name, [`cli`] the options that every job has, [`logging`] sets up the listener.

mod builder;
mod cli;
mod logging;
mod registry;
mod session;
mod sizes;

pub use builder::{App, NoArgs};
pub use session::Entered;
