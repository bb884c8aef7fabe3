//! The flight recorder: one shared page per worker in which it notes what it is doing.
//!
//! The coordinator reads the page for progress and time limits, and after a death to say what the worker was at.
//! The layout is known here alone; the pool only allocates the page. Nothing here waits or logs.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use gristmill_ipc::SharedMemory;

use crate::input::Span;

const BEAT: usize = 0;
const STAGE: usize = 1;
const TASK: usize = 2;
const ATTEMPT: usize = 3;
const FILE: usize = 4;
const OFFSET: usize = 5;
const LEN: usize = 6;
const BYTES: usize = 7;
const STOP: usize = 8;
const KEY_LEN: usize = 9;
const KEY: usize = 10;
const KEY_BYTES: usize = 64;
const WORDS_LEN: usize = 24;
const WORDS: usize = 25;
const WORDS_BYTES: usize = 16 << 10;

/// Words in the page.
pub(crate) const PAGE_WORDS: usize = WORDS + WORDS_BYTES / 8;

/// What a worker was doing when the page was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Stage {
    Idle,
    Setup,
    Map,
    Cleanup,
    Commit,
    Reduce,
    Output,
}

impl Stage {
    const ALL: [Self; 7] =
        [Self::Idle, Self::Setup, Self::Map, Self::Cleanup, Self::Commit, Self::Reduce, Self::Output];

    fn from_word(word: u64) -> Self {
        Self::ALL.into_iter().find(|&stage| stage as u64 == word).unwrap_or(Self::Idle)
    }

    /// The stage in words that read well after "in".
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Idle => "no task",
            Self::Setup => "setup",
            Self::Map => "map",
            Self::Cleanup => "cleanup",
            Self::Commit => "commit",
            Self::Reduce => "reduce",
            Self::Output => "output",
        }
    }
}

/// A page for a worker in this process.
pub(crate) fn new_page() -> crate::result::Result<Flight> {
    Ok(Flight::new(SharedMemory::new(PAGE_WORDS)?))
}

/// The worker's hand on its page.
#[derive(Debug, Clone)]
pub(crate) struct Flight {
    page: SharedMemory,
}

impl Flight {
    pub(crate) fn new(page: SharedMemory) -> Self {
        Self { page }
    }

    fn put(&self, at: usize, word: u64) {
        self.page.words()[at].store(word, Relaxed);
    }

    fn get(&self, at: usize) -> u64 {
        self.page.words()[at].load(Relaxed)
    }

    /// Says that work goes on. Only one thread of a worker does so, hence no atomic addition.
    #[inline]
    pub(crate) fn beat(&self) {
        self.put(BEAT, self.get(BEAT).wrapping_add(1));
    }

    /// Notes the start of a task attempt.
    pub(crate) fn begin(&self, task: u32, attempt: u32) {
        self.put(TASK, u64::from(task));
        self.put(ATTEMPT, u64::from(attempt));
        self.put(KEY_LEN, 0);
        self.put(LEN, 0);
        self.put(BYTES, 0);
        self.put(FILE, u64::MAX);
        // A panic that user code caught in an attempt before explains nothing about this one.
        self.last_words("");
        self.stage(Stage::Setup);
    }

    /// Ordinal of the task that was begun last.
    pub(crate) fn task(&self) -> u32 {
        self.get(TASK) as u32
    }

    pub(crate) fn stage(&self, stage: Stage) {
        self.put(STAGE, stage as u64);
        self.beat();
    }

    /// Notes which file the records to come are from.
    pub(crate) fn file(&self, ordinal: u32) {
        self.put(FILE, u64::from(ordinal));
    }

    /// Notes the record that user code is about to see.
    #[inline]
    pub(crate) fn record(&self, at: Span) {
        self.put(OFFSET, at.offset);
        self.put(LEN, at.len);
        self.put(BYTES, self.get(BYTES) + at.len);
        self.beat();
    }

    /// Notes a record that was seen before: user code is about to see something of it again.
    #[inline]
    pub(crate) fn record_again(&self, at: Span) {
        self.put(OFFSET, at.offset);
        self.put(LEN, at.len);
    }

    /// Takes back what [`Flight::record`] has added: the same bytes are noted again, record by record.
    #[inline]
    pub(crate) fn untake(&self, at: Span) {
        self.put(BYTES, self.get(BYTES) - at.len);
    }

    /// Notes the key that a reducer is about to see.
    pub(crate) fn key(&self, key: &[u8]) {
        let kept = &key[..key.len().min(KEY_BYTES)];
        self.page.store_bytes(KEY, kept);
        self.put(KEY_LEN, key.len() as u64);
        self.beat();
    }

    /// Leaves a text behind for the case that the process is about to end, a panic's message above all.
    pub(crate) fn last_words(&self, text: &str) {
        let kept = &text.as_bytes()[..text.len().min(WORDS_BYTES)];
        self.page.store_bytes(WORDS, kept);
        self.page.words()[WORDS_LEN].store(kept.len() as u64, Release);
    }

    /// Whether the coordinator asked for the running task to be given up.
    #[inline]
    pub(crate) fn stop_requested(&self) -> bool {
        self.get(STOP) != 0
    }

    /// Asks the worker to give up its running task at the next record.
    pub(crate) fn request_stop(&self) {
        self.put(STOP, 1);
    }

    /// A number that changes whenever work goes on.
    pub(crate) fn heartbeat(&self) -> u64 {
        self.get(BEAT)
    }

    /// Bytes of records seen in the running attempt.
    pub(crate) fn sight_bytes(&self) -> u64 {
        self.get(BYTES)
    }

    /// What the page says now.
    pub(crate) fn sight(&self) -> Sighting {
        let stage = Stage::from_word(self.get(STAGE));
        let file = u32::try_from(self.get(FILE)).ok();
        let record = (file.is_some() && self.get(LEN) > 0)
            .then(|| Span { offset: self.get(OFFSET), len: self.get(LEN) });
        let key_len = self.get(KEY_LEN) as usize;
        let key = (key_len > 0).then(|| self.bytes(KEY, key_len.min(KEY_BYTES)));
        let words_len = self.page.words()[WORDS_LEN].load(Acquire) as usize;
        let last_words = String::from_utf8_lossy(&self.bytes(WORDS, words_len.min(WORDS_BYTES))).into_owned();
        Sighting { stage, file, record, key, key_len, bytes: self.get(BYTES), last_words }
    }

    fn bytes(&self, at: usize, len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.page.load_bytes(at, len, &mut bytes);
        bytes
    }
}

/// What was read from a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) stage: Stage,
    /// Ordinal of the input file.
    pub(crate) file: Option<u32>,
    pub(crate) record: Option<Span>,
    /// The first bytes of the encoded key, and its whole length.
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) key_len: usize,
    /// Bytes of records seen in the running attempt.
    pub(crate) bytes: u64,
    pub(crate) last_words: String,
}

impl Sighting {
    /// What is known without a page.
    pub(crate) fn nothing() -> Self {
        Self {
            stage: Stage::Idle,
            file: None,
            record: None,
            key: None,
            key_len: 0,
            bytes: 0,
            last_words: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sighting_tells_what_was_noted_last() {
        let flight = Flight::new(SharedMemory::new(PAGE_WORDS).expect("a page"));
        assert_eq!(flight.sight().record, None);
        flight.begin(3, 1);
        flight.file(7);
        flight.stage(Stage::Map);
        flight.record(Span { offset: 10, len: 5 });
        flight.record(Span { offset: 15, len: 6 });
        flight.key(&[b'k'; 100]);
        flight.last_words("farewell");
        let seen = flight.sight();
        assert_eq!((seen.stage, seen.file, seen.bytes), (Stage::Map, Some(7), 11));
        assert_eq!(seen.record, Some(Span { offset: 15, len: 6 }));
        assert_eq!(seen.key.map(|key| key.len()), Some(KEY_BYTES));
        assert_eq!((seen.key_len, seen.last_words.as_str()), (100, "farewell"));
        flight.begin(4, 1);
        assert_eq!(flight.sight().last_words, "");
    }

    #[test]
    fn every_note_is_a_heartbeat() {
        let flight = Flight::new(SharedMemory::new(PAGE_WORDS).expect("a page"));
        let before = flight.heartbeat();
        flight.record(Span { offset: 0, len: 1 });
        assert_ne!(flight.heartbeat(), before);
    }
}
