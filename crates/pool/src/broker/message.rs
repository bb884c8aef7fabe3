//! What can be asked of the broker, by whom, and what it answers.
//!
//! Plain data: who may go on, and when, is up to the objects.

use serde::{Deserialize, Serialize};

use crate::toolkit::wire::Bytes;

/// A process that uses shared objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    Parent,
    Worker { crew: u64, slot: usize, incarnation: u32 },
}

/// A thread of such a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) client: Client,
    pub(crate) thread: u64,
}

impl Caller {
    pub(crate) fn of_parent(thread: u64) -> Self {
        Self { client: Client::Parent, thread }
    }
}

/// One request. Its number is unique among those of its process; 0 wants no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) caller: Caller,
    pub(crate) number: u64,
}

/// Somebody ended while something was his.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Abandonment {
    /// The name of the worker.
    pub(crate) worker: String,
    /// How it ended.
    pub(crate) cause: String,
    /// Whether it ended by itself, with status 0.
    pub(crate) clean: bool,
    /// The numbers of its requests for items that it had no answer to; only the broker needs to know.
    #[serde(skip)]
    pub(crate) unanswered: Vec<u64>,
}

/// An item that was taken from a queue by somebody who died over it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Loss {
    pub(crate) item: Bytes,
    pub(crate) worker: String,
    pub(crate) cause: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Op {
    // Queues.
    Put(Bytes),
    /// An end marker, for one consumer.
    PutEnd,
    /// Takes an item; it counts as dealt with at the caller's next such request or the end of its task.
    Get,
    /// Borrows an item until it is settled.
    Lease,
    /// Ends a lease; with `true` the item goes back to the front.
    Settle(u64, bool),
    /// All that this process took is dealt with, whichever queue it came from.
    SettleAll,
    Close,
    Len,
    Drain,
    Losses,
    // Log queues.
    /// A place on the listener's queue for the process of that name.
    Endpoint(String),
    // Events.
    Set,
    Clear,
    IsSet,
    Wait,
    // Locks, semaphores, conditions.
    Acquire,
    Release(u64),
    Available,
    /// Lets go of the permit of that number and waits to be notified.
    Sleep(u64),
    Notify(u64),
    // Managed values.
    Table(TableOp),
    List(ListOp),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TableOp {
    Get(Bytes),
    Put(Bytes, Bytes),
    /// Puts the last, or removes the entry, if what is there still equals the second.
    Swap(Bytes, Option<Bytes>, Option<Bytes>),
    Remove(Bytes),
    Len,
    Entries,
    Clear,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ListOp {
    Push(Bytes),
    Pop,
    Get(u64),
    Set(u64, Bytes),
    /// Sets the last if what is there still equals the second.
    Swap(u64, Bytes, Bytes),
    Insert(u64, Bytes),
    RemoveAt(u64),
    /// Removes the first that equals this.
    Remove(Bytes),
    Len,
    All,
    Clear,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    Done,
    TimedOut,
    /// An item, the number under which it is to be settled, and how often it was handed out before.
    Item {
        hand: u64,
        item: Bytes,
        earlier: u32,
    },
    /// An end marker, or the queue was closed and is empty.
    End,
    /// The queue takes nothing any more.
    Closed,
    Flag(bool),
    Count(u64),
    Items(Vec<Bytes>),
    Losses(Vec<Loss>),
    /// The permit of that number; who had it before, if that one died. The flag tells of a sleep that timed out.
    Granted {
        permit: u64,
        abandoned: Option<Abandonment>,
        late: bool,
    },
    /// The thread has the lock already.
    Reentrant,
    Value(Option<Bytes>),
    Entries(Vec<(Bytes, Bytes)>),
    /// Something else was there: this.
    Conflict(Option<Bytes>),
    /// Where the endpoint can be fetched.
    Rendezvous(String),
    /// The object is gone.
    Gone,
    /// The object does not know the operation, or the caller may not do it.
    Failed(String),
}
