//! Results on their way to the parent: quick ones go together, and none is lost with its worker.
//!
//! They are collected in the shared page, where the parent finds them if the worker dies. It does not judge results.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gristmill_ipc::SharedMemory;

use crate::lock;
use crate::toolkit::line::Line;
use crate::toolkit::wire::{self, Bytes, FromWorker, page};

/// No result waits longer for others.
const PATIENCE: Duration = Duration::from_millis(1);

/// Longer results travel alone.
const LONG: usize = 8 * 1024;

/// When so many words are together they are sent.
const ENOUGH: usize = page::RESULT_WORDS * 3 / 4;

const WORD: usize = size_of::<u64>();

/// So many bits of an entry's first word are for the nanoseconds that it took; those above are for its length.
const NANOS_BITS: u32 = 48;

/// Results that are not sent yet. Each is a word with length and time, and then its bytes filled up to whole words.
#[derive(Debug)]
pub(crate) struct Results<'a> {
    line: &'a Line,
    waiting: Mutex<Waiting>,
    filled: Condvar,
}

/// What an item has given.
#[derive(Debug)]
pub(crate) struct Success<'a> {
    pub(crate) chunk: u64,
    pub(crate) index: u64,
    pub(crate) bytes: &'a [u8],
    pub(crate) work: Duration,
}

#[derive(Debug, Default)]
struct Waiting {
    chunk: u64,
    first: u64,
    /// Words in the page.
    used: usize,
    since: Option<Instant>,
}

impl<'a> Results<'a> {
    pub(crate) fn new(line: &'a Line) -> Self {
        Self { line, waiting: Mutex::default(), filled: Condvar::new() }
    }

    /// Whether a result is short enough to wait for others.
    pub(crate) fn takes(len: usize, work: Duration) -> bool {
        len < LONG && work.as_nanos() >> NANOS_BITS == 0
    }

    /// Takes a result in, behind that of the item before. With the last of its chunk all are sent at once, and for it
    /// nobody needs to be woken. Whether something was sent.
    pub(crate) fn add(&self, result: &Success<'_>, now: Instant, is_last: bool) -> bool {
        let mut waiting = lock(&self.waiting);
        let words = 1 + result.bytes.len().div_ceil(WORD);
        let mut sent = waiting.used + words > page::RESULT_WORDS && self.send(&mut waiting);
        // After a long task the wait would be for nothing.
        let is_due = is_last || result.work >= PATIENCE;
        if waiting.used == 0 {
            (waiting.chunk, waiting.first, waiting.since) = (result.chunk, result.index, Some(now));
            self.line.page().words()[page::RESULTS_FIRST].store(result.index, Relaxed);
            if !is_due {
                self.filled.notify_one();
            }
        }
        self.store(&mut waiting, result, words);
        let is_late = waiting.since.is_none_or(|since| now - since >= PATIENCE);
        if waiting.used >= ENOUGH || is_late || is_due {
            sent = self.send(&mut waiting);
        }
        sent
    }

    fn store(&self, waiting: &mut Waiting, result: &Success<'_>, words: usize) {
        let (page, at) = (self.line.page(), page::RESULTS + waiting.used);
        page.words()[at].store(head(result.bytes.len(), result.work), Relaxed);
        page.store_bytes(at + 1, result.bytes);
        waiting.used += words;
        page.words()[page::RESULTS_USED].store(waiting.used as u64, Release);
    }

    pub(crate) fn flush(&self) {
        self.send(&mut lock(&self.waiting));
    }

    /// If the worker dies between the two steps, the parent sees the results twice and ignores them once.
    fn send(&self, waiting: &mut MutexGuard<'_, Waiting>) -> bool {
        if waiting.used == 0 {
            return false;
        }
        let (page, len) = (self.line.page(), waiting.used * WORD);
        let mut entries = Vec::with_capacity(len);
        page.load_bytes(page::RESULTS, len, &mut entries);
        let results =
            wire::Results { chunk: waiting.chunk, first: waiting.first, entries: Bytes::from(entries) };
        self.line.send(&FromWorker::Results(results));
        waiting.used = 0;
        page.words()[page::RESULTS_USED].store(0, Release);
        true
    }

    /// Sends what has waited long enough while the next item runs; the whole life of a thread.
    pub(crate) fn keep_moving(&self) {
        let mut waiting = lock(&self.waiting);
        loop {
            waiting = self
                .filled
                .wait_while(waiting, |waiting| waiting.used == 0)
                .unwrap_or_else(PoisonError::into_inner);
            let age = waiting.since.map_or(PATIENCE, |since| since.elapsed());
            if age >= PATIENCE {
                self.send(&mut waiting);
                continue;
            }
            let left = self.filled.wait_timeout(waiting, PATIENCE - age);
            waiting = left.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn head(len: usize, work: Duration) -> u64 {
    (len as u64) << NANOS_BITS | work.as_nanos() as u64
}

/// Takes the first result off: its time, its bytes and what follows. `None` at the end, or where there is no whole one.
pub(crate) fn split_first(entries: &[u8]) -> Option<(Duration, &[u8], &[u8])> {
    let (word, rest) = entries.split_first_chunk::<WORD>()?;
    let word = u64::from_le_bytes(*word);
    let (len, nanos) = ((word >> NANOS_BITS) as usize, word & ((1 << NANOS_BITS) - 1));
    let (padded, rest) = rest.split_at_checked(len.next_multiple_of(WORD))?;
    Some((Duration::from_nanos(nanos), &padded[..len], rest))
}

/// The results that a dead worker had not sent.
pub(crate) fn unsent(page: &SharedMemory) -> Option<wire::Results> {
    let word = |at: usize| page.words().get(at).map_or(0, |word| word.load(Acquire));
    let used = usize::try_from(word(page::RESULTS_USED)).unwrap_or(0).min(page::RESULT_WORDS);
    let mut entries = Vec::with_capacity(used * WORD);
    page.load_bytes(page::RESULTS, used * WORD, &mut entries);
    let (chunk, first) = (word(page::CHUNK), word(page::RESULTS_FIRST));
    (used > 0).then(|| wire::Results { chunk, first, entries: Bytes::from(entries) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(page: &SharedMemory, at: usize, len: usize) -> usize {
        page.words()[page::RESULTS + at].store(head(len, Duration::from_micros(len as u64)), Relaxed);
        page.store_bytes(page::RESULTS + at + 1, &vec![7; len]);
        at + 1 + len.div_ceil(WORD)
    }

    fn lengths(mut entries: &[u8]) -> Vec<usize> {
        std::iter::from_fn(|| {
            let (work, bytes, rest) = split_first(entries)?;
            assert_eq!(work, Duration::from_micros(bytes.len() as u64));
            entries = rest;
            Some(bytes.len())
        })
        .collect()
    }

    #[test]
    fn the_page_tells_what_was_not_sent_and_damage_ends_it() {
        let page = SharedMemory::new(page::WORDS).expect("a page");
        assert!(unsent(&page).is_none());
        let used = (0..20).fold(0, |at, len| store(&page, at, len));
        page.words()[page::CHUNK].store(4, Release);
        page.words()[page::RESULTS_FIRST].store(9, Release);
        page.words()[page::RESULTS_USED].store(used as u64, Release);
        let found = unsent(&page).expect("results");
        assert_eq!((found.chunk, found.first), (4, 9));
        assert_eq!(lengths(&found.entries), (0..20).collect::<Vec<_>>());
        assert_eq!(lengths(&found.entries[..found.entries.len() - 1]), (0..19).collect::<Vec<_>>());
        assert!(split_first(&u64::MAX.to_le_bytes()).is_none());
    }

    #[test]
    fn only_short_results_wait() {
        assert!(Results::takes(LONG - 1, Duration::from_secs(3600)));
        assert!(!Results::takes(LONG, Duration::ZERO) && !Results::takes(0, Duration::from_secs(400_000)));
    }
}
