//! What parent and worker say to each other on the crew's channels.
//!
//! Plain data; operations on shared objects are in the broker's `message`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::broker::{Op, Reply};
use crate::toolkit::failure::ErrorReport;

/// Bytes that are encoded as one piece.
pub(crate) type Bytes = serde_bytes::ByteBuf;

/// What a worker is for; its welcome.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Role {
    /// It runs one function and ends.
    Process,
    /// It runs what comes until the channel is closed, with a call before and one after.
    Pool { init: Option<Call>, exit: Option<Call> },
}

/// One function with its argument.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Call {
    pub(crate) function: String,
    pub(crate) argument: Bytes,
}

/// One function with several arguments, run one after the other.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Chunk {
    pub(crate) number: u64,
    pub(crate) function: String,
    /// The index of the first item; those of the others follow.
    pub(crate) first: u64,
    /// See `parcel`.
    pub(crate) arguments: Bytes,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToWorker {
    Run(Chunk),
    /// No more orders come. The channel stays open: the exit hook may need it.
    Finish,
    /// The answer to the request of that number.
    Reply(u64, Reply),
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromWorker {
    /// The worker can run functions now; how long its preparation took.
    Ready(Duration),
    /// Its preparation failed, and it ends.
    Unready(ErrorReport),
    /// An item is done.
    Done(Done),
    /// Several have succeeded; see `results`.
    Results(Results),
    /// Something for the broker. Number 0 wants no answer.
    Request { number: u64, thread: u64, object: u64, op: Op },
    /// The request of that number need not wait any longer.
    Cancel { number: u64, thread: u64, object: u64 },
}

/// One item of a chunk is done.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) chunk: u64,
    pub(crate) index: u64,
    pub(crate) outcome: Result<Bytes, ErrorReport>,
    /// How long it took.
    pub(crate) work: Duration,
}

/// Items of a chunk that succeeded, one after the other.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) chunk: u64,
    /// The index of the first item; those of the others follow.
    pub(crate) first: u64,
    /// See `results`.
    pub(crate) entries: Bytes,
}

/// Words of the shared page.
pub(crate) mod page {
    /// The number of the chunk that is being run.
    pub(crate) const CHUNK: usize = 0;
    /// One more than the position in the chunk of the item that is being run; 0 between items.
    pub(crate) const RUNNING: usize = 1;
    /// How many words of results follow that were not sent.
    pub(crate) const RESULTS_USED: usize = 2;
    /// The index of the first of them.
    pub(crate) const RESULTS_FIRST: usize = 3;
    /// The numbers of the requests for items whose answers nobody has taken yet; 0 where there is none.
    pub(crate) const UNANSWERED: usize = 4;
    /// How many there can be; those beyond count as answered.
    pub(crate) const MOST_UNANSWERED: usize = 28;
    /// Where the results begin.
    pub(crate) const RESULTS: usize = UNANSWERED + MOST_UNANSWERED;
    /// How many there can be.
    pub(crate) const RESULT_WORDS: usize = 4096;
    /// How many there are in all.
    pub(crate) const WORDS: usize = RESULTS + RESULT_WORDS;
}
