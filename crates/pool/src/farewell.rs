//! How a worker tells a channel that was closed on purpose from one whose parent died.
//!
//! Both look the same on the channel, so the parent leaves a note in the last word of the shared page first. It cannot
//! be a message: closing must never wait for room in a channel.

use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};

use gristmill_ipc::SharedMemory;

const CLOSED: u64 = u64::from_le_bytes(*b"farewell");

/// Makes a page of `words` words for the caller and one more for the note.
pub(crate) fn page(words: usize) -> io::Result<SharedMemory> {
    SharedMemory::new(words + 1)
}

/// In the parent, before it closes the control channel.
pub(crate) fn announce(page: &SharedMemory) {
    if let Some(note) = note(page) {
        note.store(CLOSED, Release);
    }
}

/// In the worker, after the control channel ended.
pub(crate) fn was_announced(page: &SharedMemory) -> bool {
    note(page).is_some_and(|note| note.load(Acquire) == CLOSED)
}

fn note(page: &SharedMemory) -> Option<&AtomicU64> {
    page.words().last()
}
