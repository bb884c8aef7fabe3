//! A cursor over the image of a short key: what [`super::reader`] does, in registers, for what most such keys are made
//! of.
//!
//! What it does not read, or what is no key, is left to that one.

use crate::key::form::STRING_END;
use crate::key::{Image, first_zero};

/// Reads the image of an encoded key from its first byte to its last.
pub(super) struct ShortReader {
    /// What is left, zeros behind it.
    words: [u64; 3],
    /// How many bytes that is.
    left: usize,
}

impl ShortReader {
    #[inline(always)]
    pub(super) fn new(key: Image) -> Self {
        Self { words: key.words(), left: key.len() }
    }

    #[inline(always)]
    pub(super) fn is_at_end(&self) -> bool {
        self.left == 0
    }

    /// The next `bytes` bytes, up to eight, the first one highest; below them is what follows.
    #[inline(always)]
    pub(super) fn form(&mut self, bytes: usize) -> Option<u64> {
        let form = self.words[0].swap_bytes();
        self.skip(bytes)?;
        Some(form)
    }

    /// A terminated string without zeros inside.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Option<Image> {
        let len = first_zero(self.words);
        let string = Image::of_words(self.words, len)?;
        self.skip(len)?;
        let end = self.words[0] % (1 << (8 * STRING_END));
        self.skip(STRING_END)?;
        (end == 0).then_some(string)
    }

    /// Goes over `bytes` bytes, of which there may be fewer than that left.
    #[inline(always)]
    fn skip(&mut self, bytes: usize) -> Option<()> {
        self.left = self.left.checked_sub(bytes)?;
        let [a, b, c] = self.words;
        let [a, b, c] = match bytes / 8 {
            0 => [a, b, c],
            1 => [b, c, 0],
            _ => [c, 0, 0],
        };
        let bits = 8 * (bytes as u32 % 8);
        // A shift by 64 would be none: it is done in two steps.
        let join = |low: u64, high: u64| low >> bits | high << 1 << (63 - bits);
        self.words = [join(a, b), join(b, c), c >> bits];
        Some(())
    }
}
