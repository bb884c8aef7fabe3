//! A listener as a process of its own: it outlives the crash of the program whose processes log through it.
//!
//! `client` is the program's side, `server` the listener's; this file has what they say to each other. Who starts the
//! process, and how, is up to the program.

mod client;
mod server;

use std::time::Duration;

use ipc_channel::ipc::IpcSender;
use serde::{Deserialize, Serialize};

pub use client::{Invitation, RemoteError, RemoteListener};
pub use server::{ServeError, serve};

use super::StopReport;
use crate::Endpoint;

/// What the program asks of the listener. Errors come back as text.
#[derive(Debug, Serialize, Deserialize)]
enum Request {
    /// A place on the queue; without directives it gets the listener's own levels.
    Endpoint { name: String, directives: Option<String>, reply: IpcSender<Result<Endpoint, String>> },
    /// Change the levels of all processes.
    SetLevels { directives: String, reply: IpcSender<Result<(), String>> },
    /// Change the levels of a handler.
    SetHandlerLevels { name: String, directives: String, reply: IpcSender<Result<(), String>> },
    /// Hand over what is queued.
    Sync { bound: Duration, reply: IpcSender<bool> },
    /// Open the files anew.
    Reopen { bound: Duration, reply: IpcSender<bool> },
    /// Deliver what is queued, and end.
    Stop { bound: Duration, reply: IpcSender<StopReport> },
}
