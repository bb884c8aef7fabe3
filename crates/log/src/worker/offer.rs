//! Hands an endpoint to a process that the program starts by itself, without a channel of the program's own.
//!
//! It starts no process. Programs with channels to their workers send the endpoint through those.

use std::io;
use std::time::Duration;

use gristmill_ipc::rendezvous::knock;
use gristmill_ipc::{Rendezvous, RendezvousError};
use ipc_channel::ipc::{self, IpcSender};

use super::Endpoint;
use crate::answer::{self, Missed};

/// How long a worker waits for its endpoint.
const LIMIT: Duration = Duration::from_secs(30);

/// An [`Endpoint`] that waits for its process.
///
/// ```no_run
/// use std::process::Command;
/// use std::time::Duration;
/// use gristmill_log::{Console, Listener, Offer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = Listener::builder().handler(Console::stderr()).start()?;
/// let offer = Offer::new(listener.handle().endpoint("Worker-1", "info")?)?;
/// let worker = Command::new("my-worker").arg(offer.address()).spawn()?;
/// offer.deliver(Duration::from_secs(10))?;
///
/// // The worker, early in its `main`:
/// let address = std::env::args().nth(1).ok_or("no address")?;
/// gristmill_log::install(gristmill_log::receive(&address)?)?;
/// # Ok(())
/// # }
/// ```
pub struct Offer {
    rendezvous: Rendezvous<IpcSender<Endpoint>>,
    endpoint: Endpoint,
}

/// An endpoint did not reach its process.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// The process did not come for it in time.
    #[error("{name} has not come for its log endpoint")]
    Absent {
        /// The process name that the endpoint was made for.
        name: String,
        /// What happened instead.
        source: RendezvousError,
    },
    /// The process came and was gone again.
    #[error("{name} is gone before it had its log endpoint")]
    Gone {
        /// The process name that the endpoint was made for.
        name: String,
    },
}

impl Offer {
    /// Opens a place where the process can fetch `endpoint`.
    ///
    /// # Errors
    /// When no socket can be made in the folder for temporary files.
    pub fn new(endpoint: Endpoint) -> io::Result<Self> {
        Ok(Self { rendezvous: Rendezvous::new()?, endpoint })
    }

    /// What the process is to give to [`receive`].
    #[must_use]
    pub fn address(&self) -> &str {
        self.rendezvous.name()
    }

    /// Waits for the process, for `limit` at most, and gives it the endpoint.
    ///
    /// # Errors
    /// When it does not come in time, or ends before it has the endpoint.
    pub fn deliver(self, limit: Duration) -> Result<(), OfferError> {
        let Self { rendezvous, endpoint } = self;
        let name = endpoint.name().to_owned();
        let answer =
            rendezvous.accept(limit).map_err(|source| OfferError::Absent { name: name.clone(), source })?;
        answer.send(endpoint).map_err(|_| OfferError::Gone { name })
    }
}

impl std::fmt::Debug for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offer")
            .field("address", &self.address())
            .field("name", &self.endpoint.name())
            .finish()
    }
}

/// Fetches the endpoint that waits at `address`; see [`Offer`].
///
/// # Errors
/// When nobody waits there, or gives nothing within half a minute.
pub fn receive(address: &str) -> io::Result<Endpoint> {
    let failed =
        |what: &dyn std::fmt::Display| io::Error::other(format!("no log endpoint at {address}: {what}"));
    let (sender, endpoint) = ipc::channel()?;
    knock(address, sender).map_err(|error| failed(&error))?;
    answer::wait(&endpoint, LIMIT).map_err(|missed| match missed {
        Missed::Late => failed(&"no answer in time"),
        Missed::Gone(error) => failed(&error),
    })
}
