//! A word inside a block of text, together with the bytes behind it.
//!
//! Finding words is the work of [words](mod@super::words) and [key_values](mod@super::key_values).

use std::fmt;
use std::ops::Deref;
use std::str::Utf8Error;

use bstr::BStr;
use serde::{Serialize, Serializer};

use crate::key::as_text_within;

/// A word of a block: bytes that also know how much of the block behind them may be read.
///
/// A key of a few bytes is hashed and compared fastest in registers. To load it there without a branch on its length,
/// some bytes behind it must be readable; a plain slice cannot promise that, a word from [`lower_words`], [`words`] or
/// [`key_values`] can: at least [`PADDING`] bytes follow it. What they hold is of no meaning.
///
/// It serialises as a byte string, and dereferences to one.
///
/// ```
/// use gristmill::text::Word;
///
/// let word = Word::new(b"grist");
/// assert_eq!(word.bytes(), b"grist");
/// assert!(word.starts_with(b"gri"));
/// assert_eq!(format!("{word:?}"), "\"grist\"");
/// ```
///
/// [`lower_words`]: super::lower_words
/// [`words`]: super::words()
/// [`key_values`]: super::key_values()
/// [`PADDING`]: super::PADDING
#[derive(Clone, Copy)]
pub struct Word<'a> {
    tail: &'a [u8],
    len: usize,
}

impl<'a> Word<'a> {
    /// The word that is these bytes, with nothing readable behind them.
    #[inline]
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { tail: bytes, len: bytes.len() }
    }

    /// The first `len` bytes of `tail`.
    #[inline(always)]
    pub(crate) const fn within(tail: &'a [u8], len: usize) -> Self {
        debug_assert!(len <= tail.len());
        Self { tail, len }
    }

    /// The bytes of the word.
    #[inline(always)]
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        &self.tail()[..self.len]
    }

    /// The word as text: quicker than the standard library, if it is short and ASCII.
    ///
    /// # Errors
    /// When it is not UTF-8.
    #[inline(always)]
    pub fn to_str(&self) -> Result<&'a str, Utf8Error> {
        as_text_within(self.tail, self.len)
    }

    /// The number of bytes.
    #[inline(always)]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[inline(always)]
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The word and everything readable behind it.
    #[inline(always)]
    pub(crate) const fn tail(&self) -> &'a [u8] {
        self.tail
    }
}

impl Deref for Word<'_> {
    type Target = [u8];

    #[inline(always)]
    fn deref(&self) -> &[u8] {
        self.bytes()
    }
}

impl AsRef<[u8]> for Word<'_> {
    #[inline(always)]
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

impl fmt::Debug for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(BStr::new(self.bytes()), f)
    }
}

impl Serialize for Word<'_> {
    #[inline(always)]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_behind_a_word_is_not_part_of_it() {
        let word = Word::within(b"corn mill", 4);
        assert_eq!((word.bytes(), word.len(), word.is_empty()), (&b"corn"[..], 4, false));
        assert_eq!(word.tail(), b"corn mill");
        assert_eq!(word.as_ref(), &*word);
        assert_eq!(format!("{word:?}"), "\"corn\"");
        assert_eq!((word.to_str(), Word::within(b"M\xfchle", 5).to_str().is_err()), (Ok("corn"), true));
        assert!(Word::new(b"").is_empty());
    }

    #[test]
    fn a_word_serialises_as_its_bytes() {
        let word = Word::within(b"corn mill", 4);
        let as_json = serde_json::to_string(&word).expect("bytes can be written");
        assert_eq!(as_json, serde_json::to_string(b"corn").expect("so can an array of them"));
    }
}
