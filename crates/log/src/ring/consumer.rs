//! The reading end of a ring.
//!
//! The other end is another process, perhaps a broken one: whatever it left in the memory, reading neither panics
//! nor goes on for ever. What the bytes of a frame mean is not decided here.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::fence;

use super::{BELL, Bell, CLOSED, HEAD, HEADER, Ring, TAIL, TAKEN, frame_words};

/// The content of a ring makes no sense: nothing more can be read from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Corrupt {
    /// The head is behind the tail, or further ahead than the ring is long.
    #[error("its head is at word {head} while its tail is at word {tail}")]
    Head { head: u64, tail: u64 },
    /// A frame reaches over the head, or is longer than frames may be.
    #[error("a frame at word {at} claims {len} bytes")]
    Length { at: u64, len: u64 },
}

/// The only consumer of a ring. Its own position is never read back from the shared memory.
#[derive(Debug)]
pub(crate) struct RingConsumer {
    ring: Ring,
    tail: u64,
    taken: u64,
}

impl RingConsumer {
    pub(crate) fn new(ring: Ring) -> Self {
        Self { ring, tail: 0, taken: 0 }
    }

    pub(crate) fn ring(&self) -> &Ring {
        &self.ring
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ring.word(HEAD).load(Acquire) == self.tail
    }

    /// Moves the oldest frame into `out`, which it replaces. `false` when there is none.
    pub(crate) fn pop(&mut self, out: &mut Vec<u8>) -> Result<bool, Corrupt> {
        let available = self.available()?;
        if available == 0 {
            return Ok(false);
        }
        let capacity = self.ring.capacity() as u64;
        let claimed = self.ring.word(HEADER + (self.tail % capacity) as usize).load(Relaxed);
        let len = self.checked(claimed, available)?;
        self.read(len, out);
        self.taken += 1;
        self.tail += frame_words(len);
        self.ring.word(TAKEN).store(self.taken, Relaxed);
        self.ring.word(TAIL).store(self.tail, Release);
        Ok(true)
    }

    fn available(&self) -> Result<u64, Corrupt> {
        let head = self.ring.word(HEAD).load(Acquire);
        let available = head.wrapping_sub(self.tail);
        if available > self.ring.capacity() as u64 {
            return Err(Corrupt::Head { head, tail: self.tail });
        }
        Ok(available)
    }

    fn checked(&self, claimed: u64, available: u64) -> Result<usize, Corrupt> {
        usize::try_from(claimed)
            .ok()
            .filter(|len| *len <= self.ring.limit() && frame_words(*len) <= available)
            .ok_or(Corrupt::Length { at: self.tail, len: claimed })
    }

    fn read(&self, len: usize, out: &mut Vec<u8>) {
        out.clear();
        let start = ((self.tail + 1) % self.ring.capacity() as u64) as usize;
        let before_end = (self.ring.capacity() - start) * 8;
        self.ring.memory.load_bytes(HEADER + start, len.min(before_end), out);
        self.ring.memory.load_bytes(HEADER, len.saturating_sub(before_end), out);
    }

    /// Announces that the consumer will wait for the bell. It must look at the ring once more afterwards.
    pub(crate) fn fall_asleep(&self) {
        // If the bell has rung, its message is under way and will end the wait.
        let _before = self.ring.word(BELL).compare_exchange(Bell::AWAKE, Bell::ASLEEP, SeqCst, Relaxed);
        fence(SeqCst);
    }

    /// Takes the announcement back, so that the producer does not ring for nothing.
    pub(crate) fn wake_up(&self) {
        let _before = self.ring.word(BELL).compare_exchange(Bell::ASLEEP, Bell::AWAKE, SeqCst, Relaxed);
    }

    /// The bell's message has arrived: the producer may ring again.
    pub(crate) fn bell_received(&self) {
        self.ring.word(BELL).store(Bell::AWAKE, SeqCst);
    }

    /// Tells the producer that nobody will read what comes from now on.
    pub(crate) fn close(&self) {
        self.ring.word(CLOSED).store(1, SeqCst);
    }
}
