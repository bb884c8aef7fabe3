//! The program's side of a listener that is a process of its own.
//!
//! Every call waits for the answer for a limited time: the other process may be stopped, or gone.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gristmill_ipc::{Rendezvous, RendezvousError};
use ipc_channel::ipc::{self, IpcSender};
use serde::{Deserialize, Serialize};

use super::Request;
use crate::answer::{self, Missed};
use crate::{Endpoint, StopReport};

/// How long an answer that takes no time may take.
const PROMPT: Duration = Duration::from_secs(10);

/// A listener in another process did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// It did not come in time, or broke off.
    #[error("the log listener's process has not come")]
    Absent(#[from] RendezvousError),
    /// It has ended.
    #[error("the log listener's process has ended")]
    Gone,
    /// It did not answer in time.
    #[error("the log listener's process does not answer")]
    Silent,
    /// It refused.
    #[error("the log listener's process refused: {0}")]
    Refused(String),
    /// There are no more channels.
    #[error("cannot make a channel to the log listener's process")]
    Channel(#[source] io::Error),
}

/// Waits for a listener's process that is about to be started.
///
/// ```no_run
/// use std::process::Command;
/// use std::time::Duration;
/// use gristmill_log::Invitation;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let invitation = Invitation::new()?;
/// // A program that calls `gristmill_log::serve` with that argument.
/// let mut process = Command::new("my-log-listener").arg(invitation.address()).spawn()?;
/// let listener = invitation.accept(Duration::from_secs(10))?;
/// let endpoint = listener.endpoint("Worker-1", "info")?;
/// let report = listener.stop(Duration::from_secs(10))?;
/// process.wait()?;
/// # Ok(())
/// # }
/// ```
pub struct Invitation {
    rendezvous: Rendezvous<IpcSender<Request>>,
}

impl Invitation {
    /// Opens a place where the process can find this one.
    ///
    /// # Errors
    /// When no socket can be made in the folder for temporary files.
    pub fn new() -> io::Result<Self> {
        Ok(Self { rendezvous: Rendezvous::new()? })
    }

    /// What [`serve`](crate::serve) is to be given in the other process.
    #[must_use]
    pub fn address(&self) -> &str {
        self.rendezvous.name()
    }

    /// Waits for the process, for `limit` at most.
    ///
    /// # Errors
    /// When it does not come in time.
    pub fn accept(self, limit: Duration) -> Result<RemoteListener, RemoteError> {
        Ok(RemoteListener { requests: Mutex::new(self.rendezvous.accept(limit)?) })
    }
}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invitation").field("address", &self.address()).finish()
    }
}

/// A listener in another process.
///
/// When this is dropped without a [`stop`](RemoteListener::stop), that process goes on until the last process that
/// logs to it has ended.
#[derive(Debug)]
pub struct RemoteListener {
    requests: Mutex<IpcSender<Request>>,
}

impl RemoteListener {
    /// Makes a place on the queue, as [`ListenerHandle::endpoint`](crate::ListenerHandle::endpoint) does.
    ///
    /// # Errors
    /// When the directives are invalid, or the process does not answer.
    pub fn endpoint(&self, name: &str, directives: &str) -> Result<Endpoint, RemoteError> {
        self.ask_for_endpoint(name, Some(directives))
    }

    /// Makes one with the levels that were given to the listener.
    ///
    /// # Errors
    /// When the process does not answer.
    pub fn endpoint_for(&self, name: &str) -> Result<Endpoint, RemoteError> {
        self.ask_for_endpoint(name, None)
    }

    fn ask_for_endpoint(&self, name: &str, directives: Option<&str>) -> Result<Endpoint, RemoteError> {
        let (name, directives) = (name.to_owned(), directives.map(str::to_owned));
        let answer = self.ask(PROMPT, |reply| Request::Endpoint { name, directives, reply })?;
        answer.map_err(RemoteError::Refused)
    }

    /// Changes what all processes enqueue; see [`ListenerHandle::set_levels`](crate::ListenerHandle::set_levels).
    ///
    /// # Errors
    /// When the directives are invalid, or the process does not answer.
    pub fn set_levels(&self, directives: &str) -> Result<(), RemoteError> {
        let directives = directives.to_owned();
        let answer = self.ask(PROMPT, |reply| Request::SetLevels { directives, reply })?;
        answer.map_err(RemoteError::Refused)
    }

    /// Changes what a handler takes; see
    /// [`ListenerHandle::set_handler_levels`](crate::ListenerHandle::set_handler_levels).
    ///
    /// # Errors
    /// When the directives are invalid, there is no such handler, or the process does not answer.
    pub fn set_handler_levels(&self, name: &str, directives: &str) -> Result<(), RemoteError> {
        let (name, directives) = (name.to_owned(), directives.to_owned());
        let answer = self.ask(PROMPT, |reply| Request::SetHandlerLevels { name, directives, reply })?;
        answer.map_err(RemoteError::Refused)
    }

    /// Waits until what is queued now has been handed to the handlers, and returns whether that was so in time.
    ///
    /// # Errors
    /// When the process does not answer.
    pub fn sync(&self, bound: Duration) -> Result<bool, RemoteError> {
        self.ask(bound.saturating_add(PROMPT), |reply| Request::Sync { bound, reply })
    }

    /// Lets the handlers open their files anew, and returns whether they have in time.
    ///
    /// # Errors
    /// When the process does not answer.
    pub fn reopen(&self, bound: Duration) -> Result<bool, RemoteError> {
        self.ask(bound.saturating_add(PROMPT), |reply| Request::Reopen { bound, reply })
    }

    /// Delivers what is queued, for as long as `bound` allows, and ends the listener. The process then ends by itself.
    ///
    /// # Errors
    /// When the process does not answer.
    pub fn stop(self, bound: Duration) -> Result<StopReport, RemoteError> {
        self.ask(bound.saturating_add(PROMPT), |reply| Request::Stop { bound, reply })
    }

    fn ask<T>(&self, limit: Duration, request: impl FnOnce(IpcSender<T>) -> Request) -> Result<T, RemoteError>
    where
        T: Serialize + for<'de> Deserialize<'de>,
    {
        let (reply, answer) = ipc::channel().map_err(RemoteError::Channel)?;
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.send(request(reply)).map_err(|_| RemoteError::Gone)?;
        drop(requests);
        answer::wait(&answer, limit).map_err(|missed| match missed {
            Missed::Late => RemoteError::Silent,
            Missed::Gone(_) => RemoteError::Gone,
        })
    }
}
