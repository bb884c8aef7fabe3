//! A set of words that is filled and cleared again and again, once for each document.
//!
//! It takes no text apart.

use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

use super::Word;
use crate::key::Image;
use crate::os::Slots;

/// The distinct words of a document.
///
/// ```
/// use gristmill::text::{Scratch, WordSet, words};
///
/// let (mut seen, mut distinct) = (WordSet::default(), 0);
/// words(b"a rose is a rose", &mut Scratch::default(), |word| {
///     distinct += u32::from(seen.insert(word));
///     Ok::<_, std::convert::Infallible>(())
/// })?;
/// assert_eq!(distinct, 3);
/// seen.clear();
/// # Ok::<_, std::convert::Infallible>(())
/// ```
#[derive(Clone, Default)]
pub struct WordSet {
    /// Open addressing with linear probing: the word's image, or what stands for it, and since when it is there.
    slots: Slots,
    len: usize,
    long: Vec<u8>,
    /// Slots of another generation are free: clearing costs nothing.
    generation: u64,
}

/// Marks a word that has no image: hash, place and length stand in its slot.
const LONG: u64 = 0xff << 56;

impl WordSet {
    /// Adds a word; `true` if it was not there yet.
    #[inline(always)]
    pub fn insert(&mut self, word: Word<'_>) -> bool {
        if (self.len + 1) * 10 > self.slots.len() * 6 {
            self.grow();
        }
        match Image::of_tail(word.tail(), word.len()) {
            Some(image) => self.insert_image(image),
            None => self.insert_long(word.bytes()),
        }
    }

    /// Removes all words.
    pub fn clear(&mut self) {
        self.generation += 1;
        self.len = 0;
        self.long.clear();
    }

    /// How many words there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline(always)]
    fn insert_image(&mut self, image: Image) -> bool {
        let mask = self.slots.len() - 1;
        let mut at = image.table_hash(0) as usize & mask;
        let Image([a, b, c]) = image;
        loop {
            let slot = &mut self.slots[at];
            if slot[3] != self.generation {
                *slot = [a, b, c, self.generation];
                self.len += 1;
                return true;
            }
            if (slot[0] ^ a) | (slot[1] ^ b) | (slot[2] ^ c) == 0 {
                return false;
            }
            at = (at + 1) & mask;
        }
    }

    #[inline(never)]
    fn insert_long(&mut self, word: &[u8]) -> bool {
        let (mask, hash, tag) = (self.slots.len() - 1, xxh3_64(word), LONG | word.len() as u64);
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot[3] != self.generation {
                self.slots[at] = [hash, self.long.len() as u64, tag, self.generation];
                self.long.extend_from_slice(word);
                self.len += 1;
                return true;
            }
            if slot[0] == hash && slot[2] == tag && self.long[slot[1] as usize..].starts_with(word) {
                return false;
            }
            at = (at + 1) & mask;
        }
    }

    #[cold]
    fn grow(&mut self) {
        const LEAST: usize = 1 << 10;
        // No slot is of generation 0 but those that were never used.
        self.generation = self.generation.max(1);
        let larger = Slots::zeroed((2 * self.slots.len()).max(LEAST));
        let before = std::mem::replace(&mut self.slots, larger);
        let mask = self.slots.len() - 1;
        for slot in before.iter().filter(|slot| slot[3] == self.generation) {
            let [a, b, c, _] = *slot;
            let hash = if c >= LONG { a } else { Image([a, b, c]).table_hash(0) };
            let mut at = hash as usize & mask;
            while self.slots[at][3] == self.generation {
                at = (at + 1) & mask;
            }
            self.slots[at] = *slot;
        }
    }
}

impl fmt::Debug for WordSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WordSet").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_set(documents in prop::collection::vec(prop::collection::vec((0_u16..3000, 0_usize..40), 0..3000), 1..4)) {
            let mut set = WordSet::default();
            for document in documents {
                let mut naive = HashSet::new();
                for (n, len) in document {
                    let word = format!("{n:0len$}");
                    prop_assert_eq!(set.insert(Word::new(word.as_bytes())), naive.insert(word));
                    prop_assert_eq!(set.len(), naive.len());
                }
                set.clear();
                prop_assert!(set.is_empty());
            }
        }
    }
}
