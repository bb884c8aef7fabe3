//! Results on their way to the parent: quick ones go together, and none is lost with its worker.
//!
//! What is not sent yet is also in the shared page, where the parent finds it if the worker dies. It does not judge
//! results.

use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use gristmill_ipc::{SharedMemory, decode};

use crate::lock;
use crate::toolkit::line::Line;
use crate::toolkit::serve::encoded;
use crate::toolkit::wire::{Bytes, Done, FromWorker, page};

/// No result waits longer for others.
const PATIENCE: Duration = Duration::from_millis(1);

/// When so much is together it is sent.
const ENOUGH: usize = 8 * 1024;

const WORD: usize = size_of::<u64>();

/// Results that are not sent yet, each behind its length and filled up to whole words.
#[derive(Debug)]
pub(crate) struct Results<'a> {
    line: &'a Line,
    buffer: Mutex<Vec<u8>>,
    filled: Condvar,
}

impl<'a> Results<'a> {
    pub(crate) fn new(line: &'a Line) -> Self {
        Self { line, buffer: Mutex::default(), filled: Condvar::new() }
    }

    /// Takes a result in. A failure is sent at once.
    pub(crate) fn add(&self, done: &Done) {
        let mut buffer = lock(&self.buffer);
        let entry = entry(&encoded(done));
        if buffer.len() + entry.len() > page::RESULT_WORDS * WORD {
            self.send(&mut buffer);
        }
        let was_empty = buffer.is_empty();
        let page = self.line.page();
        page.store_bytes(page::RESULTS + buffer.len() / WORD, &entry);
        buffer.extend(entry);
        page.words()[page::RESULTS_USED].store((buffer.len() / WORD) as u64, Release);
        if done.outcome.is_err() || buffer.len() > ENOUGH {
            self.send(&mut buffer);
        } else if was_empty {
            self.filled.notify_one();
        }
    }

    /// Whether a result is short enough to wait for others.
    pub(crate) fn takes(len: usize) -> bool {
        len < ENOUGH
    }

    pub(crate) fn flush(&self) {
        self.send(&mut lock(&self.buffer));
    }

    /// If the worker dies between the two steps, the parent sees the results twice and ignores them once.
    fn send(&self, buffer: &mut Vec<u8>) {
        if !buffer.is_empty() {
            self.line.send(&FromWorker::Results(Bytes::from(std::mem::take(buffer))));
            self.line.page().words()[page::RESULTS_USED].store(0, Release);
        }
    }

    /// Sends what has waited long enough; the whole life of a thread.
    pub(crate) fn keep_moving(&self) {
        let mut buffer = lock(&self.buffer);
        loop {
            let waiting = self.filled.wait_while(buffer, |buffer| buffer.is_empty());
            drop(waiting.unwrap_or_else(PoisonError::into_inner));
            // Meanwhile the worker may send them itself.
            let buffered = lock(&self.buffer);
            drop(self.filled.wait_timeout(buffered, PATIENCE));
            buffer = lock(&self.buffer);
            self.send(&mut buffer);
        }
    }
}

fn entry(bytes: &[u8]) -> Vec<u8> {
    let mut entry = Vec::with_capacity(WORD + bytes.len().next_multiple_of(WORD));
    entry.extend((bytes.len() as u64).to_le_bytes());
    entry.extend_from_slice(bytes);
    entry.resize(entry.len().next_multiple_of(WORD), 0);
    entry
}

/// The results in a message. What cannot be understood ends them.
pub(crate) fn parse(mut bytes: &[u8]) -> Vec<Done> {
    let mut results = Vec::new();
    while let Some((len, rest)) = bytes.split_first_chunk::<WORD>() {
        let len = usize::try_from(u64::from_le_bytes(*len)).unwrap_or(usize::MAX);
        let Some(done) = rest.get(..len).and_then(|entry| decode(entry).ok()) else { break };
        results.push(done);
        bytes = rest.get(len.next_multiple_of(WORD)..).unwrap_or_default();
    }
    results
}

/// The results that a dead worker had not sent.
pub(crate) fn unsent(page: &SharedMemory) -> Vec<Done> {
    let words = page.words();
    let used = words.get(page::RESULTS_USED).map_or(0, |used| used.load(Acquire));
    let used = usize::try_from(used).unwrap_or(0).min(page::RESULT_WORDS);
    let mut bytes = Vec::with_capacity(used * WORD);
    page.load_bytes(page::RESULTS, used * WORD, &mut bytes);
    parse(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(index: u64, len: usize) -> Done {
        let outcome = Ok(Bytes::from(vec![7; len]));
        Done { chunk: 1, index, outcome, work: Duration::from_micros(index) }
    }

    #[test]
    fn entries_are_found_again_and_damage_ends_them() {
        let mut bytes: Vec<u8> = (0..20).flat_map(|n| entry(&encoded(&done(n, n as usize)))).collect();
        let indices = |bytes: &[u8]| parse(bytes).iter().map(|done| done.index).collect::<Vec<_>>();
        assert_eq!(indices(&bytes), (0..20).collect::<Vec<_>>());
        bytes.truncate(bytes.len() - 9);
        assert_eq!(indices(&bytes), (0..19).collect::<Vec<_>>());
        bytes.extend(u64::MAX.to_le_bytes());
        assert_eq!(indices(&bytes).len(), 19);
        assert!(parse(&[]).is_empty());
    }

    #[test]
    fn the_page_tells_what_was_not_sent() {
        let page = SharedMemory::new(page::WORDS).expect("a page");
        assert!(unsent(&page).is_empty());
        let bytes = [entry(&encoded(&done(3, 5))), entry(&encoded(&done(4, 0)))].concat();
        page.store_bytes(page::RESULTS, &bytes);
        page.words()[page::RESULTS_USED].store((bytes.len() / WORD) as u64, Release);
        assert_eq!(unsent(&page).iter().map(|done| done.index).collect::<Vec<_>>(), [3, 4]);
    }
}
