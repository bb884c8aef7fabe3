//! Which of a worker's requests for queue items are open, in the shared page, where the parent finds them if it dies.
//!
//! An item that was on its way to a dead worker is not lost: nobody has seen it. Other requests need no such note.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use gristmill_ipc::SharedMemory;

use crate::toolkit::wire::page;

/// The note of one request, removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Note<'a> {
    page: &'a SharedMemory,
    place: Option<usize>,
}

impl<'a> Note<'a> {
    pub(crate) fn make(page: &'a SharedMemory, number: u64) -> Self {
        let is_ours = |at: &usize| page.words()[*at].compare_exchange(0, number, Release, Relaxed).is_ok();
        Self { page, place: places().find(is_ours) }
    }
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.page.words()[place].store(0, Release);
        }
    }
}

fn places() -> std::ops::Range<usize> {
    page::UNANSWERED..page::UNANSWERED + page::MOST_UNANSWERED
}

/// The open requests of a worker that is dead.
pub(crate) fn read(page: &SharedMemory) -> Vec<u64> {
    let words = page.words().get(places()).unwrap_or_default();
    words.iter().map(|word| word.load(Acquire)).filter(|number| *number != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_requests_are_noted_as_long_as_there_is_room() {
        let page = SharedMemory::new(page::WORDS).expect("a page");
        let first = Note::make(&page, 7);
        let notes: Vec<_> = (8..100).map(|number| Note::make(&page, number)).collect();
        assert_eq!(read(&page).len(), page::MOST_UNANSWERED);
        drop(notes);
        assert_eq!(read(&page), [7]);
        drop(first);
        assert!(read(&page).is_empty());
    }
}
