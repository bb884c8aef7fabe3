//! The broker: the one place in the parent where queues, locks and other shared objects of all its processes live.
//!
//! Workers reach it over the channel that each has to the parent, so no process can break anything that another one
//! needs by dying at the wrong instruction. It starts and watches no processes; it is told of their ends.
//!
//! ```text
//!  worker process                      │  parent process
//! ─────────────────────────────────────┼─────────────────────────────────────────────────────
//!  Queue::get ─► Line::call ─ request ─┼─► link thread ─► Broker ─► State ─► the object
//!       ▲                              │                     │
//!       └────────── answer ◄───────────┼──── Crew::send ◄────┤ (to whoever may go on now)
//!                                      │                     └──► a thread of the parent itself
//! ```

mod list;
mod logs;
mod message;
mod object;
mod permits;
mod queue;
mod reach;
mod signal;
mod state;
mod table;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, Mutex, Weak};
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};

pub(crate) use logs::fetch_endpoint;
pub(crate) use message::{Abandonment, Caller, Client, ListOp, Op, Reply, TableOp, Ticket};
pub(crate) use object::Object;
pub use reach::CallError;
pub(crate) use reach::{Guard, Handle};
use state::State;

use crate::crew::Crew;
use crate::lock;
use crate::toolkit::line::thread_number;
use crate::toolkit::serve::encoded;
use crate::toolkit::wire::ToWorker;

static HERE: LazyLock<Broker> = LazyLock::new(Broker::default);

/// Answers, and whom each is for.
pub(crate) type Outbox = Vec<(Ticket, Reply)>;

/// This process's broker.
#[derive(Default)]
pub(crate) struct Broker {
    state: Mutex<State>,
    guards: Mutex<HashMap<u64, Weak<Guard>>>,
    /// Threads of this process that wait for an answer.
    local: Mutex<HashMap<u64, Sender<Reply>>>,
    crews: Mutex<HashMap<u64, Weak<Crew>>>,
    next: AtomicU64,
}

impl Broker {
    pub(crate) fn here() -> &'static Self {
        &HERE
    }

    fn next_number(&self) -> u64 {
        self.next.fetch_add(1, Relaxed) + 1
    }

    /// Makes an object that lives as long as its guard.
    pub(crate) fn add(&self, object: Object) -> Arc<Guard> {
        let id = self.next_number();
        lock(&self.state).add(id, object);
        let guard = Arc::new(Guard { id });
        lock(&self.guards).insert(id, Arc::downgrade(&guard));
        guard
    }

    /// The guard of an object that is still there.
    pub(crate) fn guard(&self, id: u64) -> Option<Arc<Guard>> {
        lock(&self.guards).get(&id)?.upgrade()
    }

    pub(crate) fn remove(&self, id: u64) {
        lock(&self.guards).remove(&id);
        let mut outbox = Outbox::new();
        lock(&self.state).remove(id, &mut outbox);
        self.deliver(outbox);
    }

    /// Learns how to reach the workers of a crew; returns the crew's number.
    pub(crate) fn register(&self) -> u64 {
        self.next_number()
    }

    pub(crate) fn connect(&self, crew: u64, reach: &Arc<Crew>) {
        lock(&self.crews).insert(crew, Arc::downgrade(reach));
    }

    pub(crate) fn disconnect(&self, crew: u64) {
        lock(&self.crews).remove(&crew);
    }

    pub(crate) fn request(&self, ticket: Ticket, object: u64, op: Op) {
        let mut outbox = Outbox::new();
        lock(&self.state).request(ticket, object, op, &mut outbox);
        self.deliver(outbox);
    }

    pub(crate) fn cancel(&self, ticket: Ticket, object: u64) {
        let mut outbox = Outbox::new();
        lock(&self.state).cancel(ticket, object, &mut outbox);
        self.deliver(outbox);
    }

    /// A worker is gone: what it held is released, what it had taken is given back or counted as lost.
    pub(crate) fn ended(&self, client: Client, end: &Abandonment) {
        let mut outbox = Outbox::new();
        lock(&self.state).ended(client, end, &mut outbox);
        self.deliver(outbox);
    }

    /// Asks on behalf of a thread of this process and waits, for `limit` at most if there is one.
    pub(crate) fn call(&self, object: u64, op: Op, limit: Option<Duration>) -> Result<Reply, CallError> {
        let (sender, answer) = bounded(1);
        let number = self.next_number();
        lock(&self.local).insert(number, sender);
        let ticket = Ticket { caller: Caller::of_parent(thread_number()), number };
        self.request(ticket, object, op);
        let reply = match limit {
            None => answer.recv(),
            Some(limit) => answer.recv_timeout(limit).or_else(|_| {
                self.cancel(ticket, object);
                answer.recv()
            }),
        };
        reply.map_err(|_| CallError::ShuttingDown)
    }

    /// Says something on behalf of a thread of this process that needs no answer.
    pub(crate) fn tell(&self, object: u64, op: Op) {
        let ticket = Ticket { caller: Caller::of_parent(thread_number()), number: 0 };
        self.request(ticket, object, op);
    }

    /// Without any lock held: a send can wait.
    pub(super) fn deliver(&self, outbox: Outbox) {
        for (ticket, reply) in outbox {
            if ticket.number == 0 {
                continue;
            }
            match ticket.caller.client {
                Client::Parent => self.answer_local(ticket.number, reply),
                Client::Worker { crew, slot, .. } => self.answer_worker(crew, slot, ticket.number, reply),
            }
        }
    }

    fn answer_local(&self, number: u64, reply: Reply) {
        if let Some(waiter) = lock(&self.local).remove(&number) {
            // There is room for one.
            waiter.send(reply).unwrap_or_default();
        }
    }

    /// A worker that is gone needs no answer, and its successor ignores the number.
    fn answer_worker(&self, crew: u64, slot: usize, number: u64, reply: Reply) {
        let Some(crew) = lock(&self.crews).get(&crew).and_then(Weak::upgrade) else { return };
        match crew.send(slot, &encoded(&ToWorker::Reply(number, reply))) {
            Ok(()) | Err(gristmill_ipc::SendError::Disconnected) => {}
            Err(error) => {
                tracing::error!("an answer cannot be sent to a worker: {error}");
                let failed = Reply::Failed(format!("the answer could not be sent: {error}"));
                // If not even this can be sent, the worker is about to end.
                crew.send(slot, &encoded(&ToWorker::Reply(number, failed))).unwrap_or_default();
            }
        }
    }
}
