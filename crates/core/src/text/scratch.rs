//! The memory that finding words and fields needs, kept from one block to the next.
//!
//! What is written there is decided by [words](mod@super::words) and [key_values](mod@super::key_values).

use std::fmt;

use super::edges::{Edges, PIECE};
use super::word::Word;

/// How many bytes may at least be read behind a [`Word`] of this module.
pub const PADDING: usize = 64;

/// A reusable buffer for [`lower_words`](super::lower_words), [`words`](super::words()) and
/// [`key_values`](super::key_values()): one per thread is enough, however many blocks there are.
///
/// It takes some 24 KiB, and as much more as the longest word has bytes. Nothing is allocated before the first block.
#[derive(Clone, Default)]
pub struct Scratch {
    parts: Option<Box<Parts>>,
}

/// The parts, which are borrowed independently of each other.
#[derive(Clone, Default)]
pub(super) struct Parts {
    pub(super) edges: Edges,
    pub(super) line_ends: Edges,
    pub(super) text: Room,
}

impl Scratch {
    #[inline]
    pub(super) fn parts(&mut self) -> &mut Parts {
        self.parts.get_or_insert_default()
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").finish_non_exhaustive()
    }
}

/// Bytes of which every word is followed by [`PADDING`] more.
#[derive(Clone, Default)]
pub(super) struct Room {
    bytes: Vec<u8>,
}

impl Room {
    /// Keeps the first `held` bytes and makes room behind them for a piece of text and the padding.
    #[inline]
    pub(super) fn for_piece(&mut self, held: usize) -> &mut [u8] {
        let wanted = held + PIECE + PADDING;
        if self.bytes.len() < wanted {
            self.grow(wanted);
        }
        &mut self.bytes
    }

    /// A copy of a word that stands too near to the end of its block.
    #[cold]
    pub(super) fn padded(&mut self, word: &[u8]) -> Word<'_> {
        self.grow(word.len() + PADDING);
        self.bytes[..word.len()].copy_from_slice(word);
        Word::within(&self.bytes, word.len())
    }

    // A word of many pieces asks for a little more each time: that must not copy it each time.
    #[cold]
    fn grow(&mut self, wanted: usize) {
        if self.bytes.len() < wanted {
            self.bytes.resize(wanted.next_multiple_of(PIECE).max(self.bytes.len() * 2), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_padded_whatever_was_there_before() {
        let mut room = Room::default();
        let long = vec![b'x'; 3 * PIECE];
        for word in [&b"a"[..], &long, b"", b"bc"] {
            let padded = room.padded(word);
            assert_eq!(padded.bytes(), word);
            assert!(padded.tail().len() >= word.len() + PADDING);
        }
    }

    #[test]
    fn making_room_keeps_what_is_held() {
        let mut room = Room::default();
        room.for_piece(0)[..3].copy_from_slice(b"abc");
        assert!(room.for_piece(PIECE).len() >= 2 * PIECE + PADDING);
        assert_eq!(&room.for_piece(3)[..3], b"abc");
    }
}
