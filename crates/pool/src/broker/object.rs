//! All kinds of shared objects behind one face.
//!
//! What each kind does is in a file of its own.

use gristmill_log::ListenerHandle;

use super::Outbox;
use super::list::List;
use super::logs::Logs;
use super::message::{Abandonment, Client, Op, Reply, Ticket};
use super::permits::Permits;
use super::queue::QueueState;
use super::signal::Signal;
use super::table::Table;

/// One shared object.
#[derive(Debug)]
pub(crate) enum Object {
    Queue(QueueState),
    Signal(Signal),
    Permits(Permits),
    Table(Table),
    List(List),
    Logs(Logs),
}

impl Object {
    pub(crate) fn queue(capacity: Option<usize>) -> Self {
        Self::Queue(QueueState::new(capacity))
    }

    pub(crate) fn signal() -> Self {
        Self::Signal(Signal::default())
    }

    /// A lock, which a thread cannot have twice.
    pub(crate) fn lock() -> Self {
        Self::Permits(Permits::lock())
    }

    pub(crate) fn semaphore(permits: usize) -> Self {
        Self::Permits(Permits::semaphore(permits))
    }

    pub(crate) fn table() -> Self {
        Self::Table(Table::default())
    }

    pub(crate) fn list() -> Self {
        Self::List(List::default())
    }

    pub(crate) fn logs(listener: ListenerHandle, filter: String) -> Self {
        Self::Logs(Logs::new(listener, filter))
    }

    pub(super) fn request(&mut self, ticket: Ticket, op: Op, outbox: &mut Outbox) {
        match self {
            Self::Queue(queue) => queue.request(ticket, op, outbox),
            Self::Signal(signal) => signal.request(ticket, &op, outbox),
            Self::Permits(permits) => permits.request(ticket, &op, outbox),
            Self::Table(table) => outbox.push((ticket, table.request(op))),
            Self::List(list) => outbox.push((ticket, list.request(op))),
            Self::Logs(logs) => logs.request(ticket, op, outbox),
        }
    }

    /// Somebody does not want to wait any longer. If he still waits, he is told so.
    pub(super) fn cancel(&mut self, ticket: Ticket, outbox: &mut Outbox) {
        match self {
            Self::Queue(queue) => queue.cancel(ticket, outbox),
            Self::Signal(signal) => signal.cancel(ticket, outbox),
            Self::Permits(permits) => permits.cancel(ticket, outbox),
            Self::Table(_) | Self::List(_) | Self::Logs(_) => {}
        }
    }

    pub(super) fn ended(&mut self, client: Client, end: &Abandonment, outbox: &mut Outbox) {
        match self {
            Self::Queue(queue) => queue.ended(client, end, outbox),
            Self::Signal(signal) => signal.ended(client),
            Self::Permits(permits) => permits.ended(client, end, outbox),
            Self::Table(_) | Self::List(_) | Self::Logs(_) => {}
        }
    }

    /// What all who still wait are told when the object goes.
    pub(super) fn dismiss(self, outbox: &mut Outbox) {
        let waiting = match self {
            Self::Queue(queue) => queue.into_waiting(),
            Self::Signal(signal) => signal.into_waiting(),
            Self::Permits(permits) => permits.into_waiting(),
            Self::Table(_) | Self::List(_) | Self::Logs(_) => Vec::new(),
        };
        outbox.extend(waiting.into_iter().map(|ticket| (ticket, Reply::Gone)));
    }
}

/// The answer to an operation that an object does not know.
pub(super) fn unknown(op: &Op) -> Reply {
    Reply::Failed(format!("the shared object cannot do {op:?}"))
}
