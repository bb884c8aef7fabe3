//! The ring: a bounded queue of whole byte strings in memory that two processes share.
//!
//! This file lays it out; `producer` fills it and `consumer` empties it. It knows nothing of records or channels.
//!
//! A frame is one word with a length and as many words as the bytes need. The producer writes the frame first and
//! then moves the head with one store, so a producer that is killed at any instruction leaves only whole frames,
//! and what it had queued stays readable as long as the consumer holds the memory.

mod consumer;
mod levels;
mod producer;

use std::io;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, SeqCst},
};

use gristmill_ipc::SharedMemory;

pub(crate) use consumer::{Corrupt, RingConsumer};
pub(crate) use levels::LONGEST_LEVELS;
pub(crate) use producer::{Pushed, RingProducer};

/// Words before the data. What the producer writes and what the consumer writes are on different cache lines.
const HEADER: usize = LEVELS_TEXT + LEVELS_WORDS;
/// How far the producer has written, in words since the beginning. Written by the producer alone.
const HEAD: usize = 0;
/// Frames that the producer has published.
const PUBLISHED: usize = 1;
/// Frames that the producer gave up because the ring was full.
const DROPPED: usize = 2;
/// How far the consumer has read, in words since the beginning. Written by the consumer alone.
const TAIL: usize = 8;
/// Frames that the consumer has read.
const TAKEN: usize = 9;
/// Set once by the consumer: nobody will read what comes from now on.
const CLOSED: usize = 10;
/// The state of the bell, see [`Bell`].
const BELL: usize = 16;
/// The process id of the producer.
const OWNER: usize = 17;
/// The generation of the levels, and the length of their text. Written by the listener's process.
const LEVELS: usize = 24;
const LEVELS_LEN: usize = 25;
/// Where that text is.
const LEVELS_TEXT: usize = 32;
const LEVELS_WORDS: usize = 128;

/// The least data that a ring is made with.
const MIN_WORDS: usize = 128;

/// The states of a bell. Exactly one message can be under way: the producer sends one when it turns `ASLEEP` into
/// `RUNG`, and only the consumer leaves `RUNG`, after it has received that message.
struct Bell;

impl Bell {
    const AWAKE: u64 = 0;
    const ASLEEP: u64 = 1;
    const RUNG: u64 = 2;
}

/// A ring, seen from outside: it can be sent to another process, and it can be counted.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Ring {
    memory: SharedMemory,
}

impl Ring {
    /// A ring whose frames take up to `bytes` bytes together.
    pub(crate) fn new(bytes: usize) -> io::Result<Self> {
        Ok(Self { memory: SharedMemory::new(Self::words(bytes))? })
    }

    /// Such a ring for a producer in this process: it cannot be sent.
    pub(crate) fn unshared(bytes: usize) -> Self {
        Self { memory: SharedMemory::unshared(Self::words(bytes)) }
    }

    fn words(bytes: usize) -> usize {
        HEADER + bytes.div_ceil(8).max(MIN_WORDS)
    }

    /// Makes `pid` the producer of this ring, once and for all.
    pub(crate) fn claim(&self, pid: u32) -> Result<(), u32> {
        let owner = self.word(OWNER).compare_exchange(0, u64::from(pid), SeqCst, SeqCst);
        owner.map(drop).map_err(|other| u32::try_from(other).unwrap_or(u32::MAX))
    }

    /// The producer's process id, 0 while there is none.
    pub(crate) fn owner(&self) -> u32 {
        u32::try_from(self.word(OWNER).load(Relaxed)).unwrap_or(0)
    }

    /// Frames in the ring that nobody has read. Approximate while both sides work.
    pub(crate) fn left(&self) -> u64 {
        let left = self.word(PUBLISHED).load(Relaxed).saturating_sub(self.word(TAKEN).load(Relaxed));
        left.min(self.capacity() as u64)
    }

    /// Frames that the producer could not place.
    pub(crate) fn dropped(&self) -> u64 {
        self.word(DROPPED).load(Relaxed)
    }

    /// Counts a frame that the producer gave up. Any of its threads may do so.
    pub(crate) fn count_dropped(&self) {
        self.word(DROPPED).fetch_add(1, Relaxed);
    }

    /// Whether nobody will read any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.word(CLOSED).load(Relaxed) != 0
    }

    /// Whether both are the same memory in this process.
    pub(crate) fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.memory.words(), other.memory.words())
    }

    /// Words for frames.
    fn capacity(&self) -> usize {
        self.memory.words().len() - HEADER
    }

    /// The most bytes that one frame may hold: a quarter of the ring.
    pub(crate) fn limit(&self) -> usize {
        (self.capacity() / 4 - 1) * 8
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        &self.memory.words()[at]
    }

    /// Whether memory that came from elsewhere is large enough to be a ring.
    pub(crate) fn is_sound(&self) -> bool {
        self.memory.words().len() >= HEADER + MIN_WORDS
    }
}

#[cfg(test)]
impl Ring {
    /// Writes to every word, as a process that has gone mad might.
    pub(crate) fn scribble(&self, word: impl Fn(usize) -> u64) {
        self.memory.words().iter().enumerate().for_each(|(at, place)| place.store(word(at), SeqCst));
    }
}

/// Words that a frame with `len` bytes takes.
fn frame_words(len: usize) -> u64 {
    1 + len.div_ceil(8) as u64
}

#[cfg(test)]
mod tests;
