//! A log listener that workers can get endpoints of, as an object that can be passed to them.
//!
//! An endpoint has memory and descriptors in it, which the worker's channel does not carry, so it is fetched at a
//! rendezvous. What is logged never comes this way.

use std::fmt;
use std::thread;
use std::time::Duration;

use gristmill_ipc::Rendezvous;
use gristmill_ipc::rendezvous::{self, ReplySender};
use gristmill_log::{Endpoint, ListenerHandle};
use serde::{Deserialize, Serialize};

use super::message::{Op, Reply, Ticket};
use super::object::unknown;
use super::{Broker, CallError, Outbox};

/// How long the fetching may take.
const LIMIT: Duration = Duration::from_secs(10);

#[derive(Serialize, Deserialize)]
struct Fetch {
    reply: ReplySender<Result<Endpoint, String>>,
}

pub(crate) struct Logs {
    listener: ListenerHandle,
    filter: String,
}

impl Logs {
    pub(super) fn new(listener: ListenerHandle, filter: String) -> Self {
        Self { listener, filter }
    }

    /// The answer comes from a thread of its own, which then waits for the worker.
    pub(super) fn request(&self, ticket: Ticket, op: Op, outbox: &mut Outbox) {
        let name = match op {
            Op::Endpoint(name) => name,
            other => return outbox.push((ticket, unknown(&other))),
        };
        let endpoint = self.listener.endpoint(&name, &self.filter).map_err(|error| error.to_string());
        let serving = move || serve(ticket, endpoint);
        if let Err(error) = thread::Builder::new().name("log endpoint".into()).spawn(serving) {
            outbox.push((ticket, Reply::Failed(format!("cannot start a thread: {error}"))));
        }
    }
}

fn serve(ticket: Ticket, endpoint: Result<Endpoint, String>) {
    let rendezvous = match Rendezvous::<Fetch>::new() {
        Ok(rendezvous) => rendezvous,
        Err(error) => {
            return Broker::here().deliver(vec![(ticket, Reply::Failed(error.to_string()))]);
        }
    };
    Broker::here().deliver(vec![(ticket, Reply::Rendezvous(rendezvous.name().to_owned()))]);
    match rendezvous.accept(LIMIT) {
        // A worker that is gone needs no endpoint.
        Ok(fetch) => drop(fetch.reply.send(endpoint)),
        Err(error) => tracing::warn!("a log endpoint was asked for and not fetched: {error}"),
    }
}

/// In the worker: goes to the rendezvous and comes back with the endpoint.
pub(crate) fn fetch_endpoint(place: &str) -> Result<Endpoint, CallError> {
    let refused = |error: String| CallError::Refused(format!("cannot fetch a log endpoint: {error}"));
    let (reply, answer) = rendezvous::reply_channel().map_err(|error| refused(error.to_string()))?;
    rendezvous::knock(place, Fetch { reply }).map_err(|error| refused(error.to_string()))?;
    answer.recv_timeout(LIMIT).map_err(|error| refused(error.to_string()))?.map_err(refused)
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logs").field("filter", &self.filter).finish_non_exhaustive()
    }
}
