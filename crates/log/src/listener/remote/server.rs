//! The listener's side: runs it, and does what the program asks.
//!
//! It installs no signal handlers; a process that is meant to outlive a Ctrl-C must see to that itself.

use std::io;
use std::thread;
use std::time::Duration;

use ipc_channel::IpcError;
use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use serde::{Deserialize, Serialize};
use tracing::Level;

use super::Request;
use crate::Record;
use crate::listener::{Listener, ListenerBuilder, ListenerHandle, StartError, StopReport, dispatch};

/// How often a listener whose program is gone looks whether anybody still logs.
const LOOK: Duration = Duration::from_millis(50);
/// How long it may then deliver what is queued.
const BOUND: Duration = Duration::from_secs(60);

/// A listener could not be run for another process.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// It could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Nobody waits for it.
    #[error("cannot reach the process at {address}")]
    Connect {
        /// The address that was given.
        address: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Runs a listener in this process for the one that waits at `address`, an [`Invitation`](crate::Invitation)'s.
///
/// It returns when that process asks it to stop. If that process ends without a word, the listener goes on for those
/// that still log, until the last of them has ended.
///
/// # Errors
/// When the listener cannot be started, or nobody waits at the address.
pub fn serve(address: &str, builder: ListenerBuilder) -> Result<StopReport, ServeError> {
    let listener = builder.start()?;
    let connect = |source| ServeError::Connect { address: address.to_owned(), source };
    let (requests, receiver) = ipc::channel().map_err(connect)?;
    gristmill_ipc::rendezvous::knock(address, requests).map_err(connect)?;
    Ok(obey(listener, &receiver))
}

fn obey(listener: Listener, requests: &IpcReceiver<Request>) -> StopReport {
    let handle = listener.handle();
    loop {
        match requests.recv() {
            Ok(Request::Stop { bound, reply }) => {
                let report = listener.stop(bound);
                answer(&reply, report.clone());
                return report;
            }
            Ok(request) => fulfil(&handle, request),
            Err(IpcError::Io(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(IpcError::SerializationError(error)) => {
                let text = format!("a request makes no sense: {error}");
                handle.submit(Record::new(Level::ERROR, dispatch::TARGET, text));
            }
            Err(IpcError::Disconnected | IpcError::Io(_)) => return outlive(listener),
        }
    }
}

fn fulfil(handle: &ListenerHandle, request: Request) {
    match request {
        Request::Endpoint { name, directives, reply } => {
            let endpoint = match directives {
                Some(directives) => handle.endpoint(&name, &directives),
                None => handle.endpoint_for(&name),
            };
            answer(&reply, endpoint.map_err(|error| error.to_string()));
        }
        Request::SetLevels { directives, reply } => {
            answer(&reply, handle.set_levels(&directives).map_err(|error| error.to_string()));
        }
        Request::SetHandlerLevels { name, directives, reply } => {
            let set = handle.set_handler_levels(&name, &directives);
            answer(&reply, set.map_err(|error| error.to_string()));
        }
        Request::Sync { bound, reply } => answer(&reply, handle.sync(bound)),
        Request::Reopen { bound, reply } => answer(&reply, handle.reopen(bound)),
        Request::Stop { .. } => {}
    }
}

fn answer<T: Serialize + for<'de> Deserialize<'de>>(reply: &IpcSender<T>, answer: T) {
    // Who has stopped waiting does not hear it.
    reply.send(answer).unwrap_or_default();
}

/// The program is gone: those of its processes that are left may still log.
fn outlive(listener: Listener) -> StopReport {
    while listener.shared.queues().len() > 1 {
        thread::park_timeout(LOOK);
    }
    listener.stop(BOUND)
}
