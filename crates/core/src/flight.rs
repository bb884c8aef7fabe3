//! The flight recorder: one shared page per worker in which it notes what it is doing.
//!
//! The coordinator reads the page for progress and time limits, and after a death to say what the worker was at.
//! The layout is known here alone; the pool only allocates the page. Nothing here waits or logs.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use gristmill_ipc::{SharedMemory, store_bytes};

use crate::input::Span;
use crate::task::Spot;

// What changes with every record lies in one line of the cache.
const BEAT: usize = 0;
const STAGE: usize = 1;
const TASK: usize = 2;
const RECORDS: usize = 3;
const FILE: usize = 4;
const OFFSET: usize = 5;
const LEN: usize = 6;
const BYTES: usize = 7;
const STOP: usize = 8;
const KEY_LEN: usize = 9;
const KEY: usize = 10;
const KEY_BYTES: usize = 64;
const ATTEMPT: usize = 18;
const GROUP: usize = 19;
const WORDS_LEN: usize = 24;
const WORDS: usize = 25;
const WORDS_BYTES: usize = 16 << 10;

/// What the length of a block is marked with: a block is no record.
const BLOCK: u64 = 1 << 63;

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
        let beat = &self.page.words()[BEAT];
        beat.store(beat.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// Notes the start of a task attempt.
    pub(crate) fn begin(&self, task: u32, attempt: u32) {
        self.put(TASK, u64::from(task));
        self.put(ATTEMPT, u64::from(attempt));
        self.put(KEY_LEN, 0);
        self.put(LEN, 0);
        self.put(BYTES, 0);
        self.put(RECORDS, 0);
        self.put(GROUP, 0);
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

    /// As [`Flight::stage`]; returns the stage before, for one that comes in the middle of another.
    pub(crate) fn enter(&self, stage: Stage) -> Stage {
        let before = Stage::from_word(self.get(STAGE));
        self.stage(stage);
        before
    }

    /// Notes which file the records to come are from.
    pub(crate) fn file(&self, ordinal: u32) {
        self.put(FILE, u64::from(ordinal));
    }

    /// Notes the record that user code is about to see.
    #[inline]
    pub(crate) fn record(&self, at: Span) {
        // One look at the length of the page for all of them.
        let Some(words) = self.page.words().first_chunk::<{ BYTES + 1 }>() else { return };
        let add = |at: usize, more: u64| words[at].store(words[at].load(Relaxed).wrapping_add(more), Relaxed);
        words[OFFSET].store(at.offset, Relaxed);
        // A record may be empty; no record at all is zero.
        words[LEN].store(at.len + 1, Relaxed);
        add(BYTES, at.len);
        add(RECORDS, 1);
    }

    /// Notes the block of records that user code is about to see: whatever happens, none of them is named.
    #[inline]
    pub(crate) fn block(&self, at: Span) {
        self.record_again(Self::block_mark(at));
        self.put(BYTES, self.get(BYTES) + at.len);
        self.beat();
    }

    /// What [`Flight::record_again`] is to be told of a block.
    #[inline]
    pub(crate) fn block_mark(at: Span) -> Span {
        Span { offset: at.offset, len: at.len | BLOCK }
    }

    /// Notes that user code sees no record at present.
    pub(crate) fn no_record(&self) {
        self.put(LEN, 0);
    }

    /// Notes a record that was seen before: user code is about to see something of it again.
    #[inline]
    pub(crate) fn record_again(&self, at: Span) {
        self.put(OFFSET, at.offset);
        self.put(LEN, at.len + 1);
    }

    /// Takes back what [`Flight::record`] has added: the same bytes are noted again, record by record.
    #[inline]
    pub(crate) fn untake(&self, at: Span) {
        self.put(BYTES, self.get(BYTES) - at.len);
    }

    /// Notes the group that user code is about to see: its ordinal in its partition, and its key.
    #[inline]
    pub(crate) fn group(&self, ordinal: u64, key: &[u8]) {
        // One look at the length of the page for all of them.
        let Some(words) = self.page.words().first_chunk::<{ GROUP + 1 }>() else { return };
        store_bytes(&words[KEY..], &key[..key.len().min(KEY_BYTES)]);
        words[KEY_LEN].store(key.len() as u64, Relaxed);
        words[GROUP].store(ordinal + 1, Relaxed);
        words[BEAT].store(words[BEAT].load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// Notes that user code sees no group at present.
    pub(crate) fn no_group(&self) {
        self.put(GROUP, 0);
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
        // A record counts in its own word: two for each would cost twice as much. The factor is odd, so that no few
        // beats make up for records that are counted from zero again.
        self.get(BEAT).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(self.get(RECORDS))
    }

    /// Ordinal of the file that records are from.
    pub(crate) fn sight_file(&self) -> Option<u32> {
        u32::try_from(self.get(FILE)).ok()
    }

    /// Bytes of records seen in the running attempt.
    pub(crate) fn sight_bytes(&self) -> u64 {
        self.get(BYTES)
    }

    /// What the page says now.
    pub(crate) fn sight(&self) -> Sighting {
        let stage = Stage::from_word(self.get(STAGE));
        let file = u32::try_from(self.get(FILE)).ok();
        let (len, is_block) = (self.get(LEN) & !BLOCK, self.get(LEN) & BLOCK != 0);
        let record = (file.is_some() && len > 0).then(|| Span { offset: self.get(OFFSET), len: len - 1 });
        let group = self.get(GROUP).checked_sub(1);
        let key_len = self.get(KEY_LEN) as usize;
        let key = group.map(|_| self.bytes(KEY, key_len.min(KEY_BYTES)));
        let words_len = self.page.words()[WORDS_LEN].load(Acquire) as usize;
        let last_words = String::from_utf8_lossy(&self.bytes(WORDS, words_len.min(WORDS_BYTES))).into_owned();
        let (task, bytes, records) = (self.task(), self.get(BYTES), self.get(RECORDS));
        Sighting { task, stage, file, record, is_block, group, key, key_len, bytes, records, last_words }
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
    /// Ordinal of the task that was begun last.
    pub(crate) task: u32,
    pub(crate) stage: Stage,
    /// Ordinal of the input file.
    pub(crate) file: Option<u32>,
    pub(crate) record: Option<Span>,
    /// Whether that is a block of records.
    pub(crate) is_block: bool,
    /// Ordinal of the group in its partition.
    pub(crate) group: Option<u64>,
    /// The first bytes of the encoded key, and its whole length.
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) key_len: usize,
    /// Bytes of records seen in the running attempt.
    pub(crate) bytes: u64,
    /// Records that were seen one by one.
    pub(crate) records: u64,
    pub(crate) last_words: String,
}

impl Sighting {
    /// What is known without a page.
    pub(crate) fn nothing() -> Self {
        Self {
            task: 0,
            stage: Stage::Idle,
            file: None,
            record: None,
            is_block: false,
            group: None,
            key: None,
            key_len: 0,
            bytes: 0,
            records: 0,
            last_words: String::new(),
        }
    }

    /// The record or group that user code was at, if it was at one.
    pub(crate) fn spot(&self) -> Option<Spot> {
        match self.stage {
            Stage::Map if !self.is_block => {
                let (file, Span { offset, len }) = (self.file?, self.record?);
                Some(Spot::Record { file, offset, len })
            }
            Stage::Reduce => Some(Spot::Group { partition: self.task, ordinal: self.group? }),
            _ => None,
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
        flight.group(3, &[b'k'; 100]);
        flight.last_words("farewell");
        let seen = flight.sight();
        assert_eq!((seen.stage, seen.file, seen.bytes, seen.records), (Stage::Map, Some(7), 11, 2));
        assert_eq!(seen.spot(), Some(Spot::Record { file: 7, offset: 15, len: 6 }));
        assert_eq!(seen.record, Some(Span { offset: 15, len: 6 }));
        assert_eq!(seen.key.map(|key| key.len()), Some(KEY_BYTES));
        assert_eq!((seen.key_len, seen.group, seen.last_words.as_str()), (100, Some(3), "farewell"));
        flight.stage(Stage::Reduce);
        assert_eq!(flight.sight().spot(), Some(Spot::Group { partition: 3, ordinal: 3 }));
        flight.begin(4, 1);
        assert_eq!(flight.sight().last_words, "");
    }

    #[test]
    fn every_note_is_a_heartbeat() {
        let flight = Flight::new(SharedMemory::new(PAGE_WORDS).expect("a page"));
        let before = flight.heartbeat();
        flight.record(Span { offset: 0, len: 1 });
        let one = flight.heartbeat();
        flight.begin(0, 2);
        assert!(one != before && flight.heartbeat() != one && flight.heartbeat() != before);
    }

    #[test]
    fn a_block_is_no_spot_and_an_empty_record_is_one() {
        let flight = new_page().expect("a page");
        flight.begin(0, 1);
        flight.file(0);
        flight.stage(Stage::Map);
        let at = Span { offset: 10, len: 500 };
        flight.block(at);
        let seen = flight.sight();
        assert_eq!((seen.record, seen.spot(), seen.bytes, seen.records), (Some(at), None, 500, 0));
        flight.record(Span { offset: 20, len: 0 });
        assert_eq!(flight.sight().spot(), Some(Spot::Record { file: 0, offset: 20, len: 0 }));
        flight.record_again(Flight::block_mark(at));
        assert_eq!((flight.sight().record, flight.sight().spot()), (Some(at), None));
        flight.no_record();
        assert_eq!((flight.sight().record, flight.sight().spot()), (None, None));
    }
}
