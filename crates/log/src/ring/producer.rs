//! The writing end of a ring.
//!
//! It never waits: when there is no room it says so, and the endpoint decides what to do.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::fence;

use super::{BELL, Bell, HEAD, HEADER, PUBLISHED, Ring, TAIL, TAKEN, frame_words};

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    /// It is in the ring, and the consumer is awake or on its way.
    Yes,
    /// It is in the ring, and the caller must send the bell's message.
    RingBell,
    /// There is no room at the moment.
    Full,
    /// It is larger than any frame may be, or the consumer has left.
    Never,
}

/// The only producer of a ring.
#[derive(Debug)]
pub(crate) struct RingProducer {
    ring: Ring,
    head: u64,
    published: u64,
    /// Frames that may be in the ring at a time.
    most: u64,
}

impl RingProducer {
    /// The caller has claimed the ring: nobody else writes to it.
    pub(crate) fn new(ring: Ring, most: u64) -> Self {
        Self { ring, head: 0, published: 0, most }
    }

    pub(crate) fn limit(&self) -> usize {
        self.ring.limit()
    }

    /// Appends a frame if there is room for it.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Pushed {
        if bytes.len() > self.ring.limit() || self.ring.is_closed() {
            return Pushed::Never;
        }
        if frame_words(bytes.len()) > self.room() || self.count() >= self.most {
            return Pushed::Full;
        }
        self.write(bytes);
        self.publish(frame_words(bytes.len()));
        if self.must_ring() { Pushed::RingBell } else { Pushed::Yes }
    }

    /// Frames that have not been read.
    fn count(&self) -> u64 {
        self.published.saturating_sub(self.ring.word(TAKEN).load(Relaxed))
    }

    fn room(&self) -> u64 {
        let used = self.head.wrapping_sub(self.ring.word(TAIL).load(Acquire));
        (self.ring.capacity() as u64).saturating_sub(used)
    }

    fn write(&self, bytes: &[u8]) {
        let capacity = self.ring.capacity() as u64;
        let memory = &self.ring.memory;
        let length_at = (self.head % capacity) as usize;
        memory.words()[HEADER + length_at].store(bytes.len() as u64, Relaxed);
        let start = ((self.head + 1) % capacity) as usize;
        let before_end = (self.ring.capacity() - start) * 8;
        let (first, rest) = bytes.split_at(before_end.min(bytes.len()));
        memory.store_bytes(HEADER + start, first);
        memory.store_bytes(HEADER, rest);
    }

    fn publish(&mut self, words: u64) {
        self.published += 1;
        self.head += words;
        self.ring.word(PUBLISHED).store(self.published, Relaxed);
        self.ring.word(HEAD).store(self.head, Release);
    }

    /// The consumer announces its sleep and then looks at the head; we move the head and then look at its
    /// announcement. With a fence between on both sides one of the two sees the other.
    fn must_ring(&self) -> bool {
        fence(SeqCst);
        let bell = self.ring.word(BELL);
        bell.load(Relaxed) == Bell::ASLEEP
            && bell.compare_exchange(Bell::ASLEEP, Bell::RUNG, SeqCst, Relaxed).is_ok()
    }
}
