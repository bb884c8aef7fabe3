//! A cursor over encoded bytes that knows the scalars, markers and strings of the encoding.
//!
//! It knows nothing of serde.

use std::borrow::Cow;

use memchr::memchr;

use crate::key::error::Kind;
use crate::key::form::{ABSENT, LONG_VARIANT, PRESENT, Scalar, ZERO_INSIDE};
use crate::key::{KeyError, zero_bytes};

/// Reads an encoded key from its first byte to its last.
pub(super) struct Reader<'de> {
    encoded: &'de [u8],
    offset: usize,
}

impl<'de> Reader<'de> {
    #[inline]
    pub(super) fn new(encoded: &'de [u8]) -> Self {
        Self { encoded, offset: 0 }
    }

    /// How many bytes have been read.
    #[inline]
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// What has been read since `start`, an earlier [`Reader::offset`].
    #[inline]
    pub(super) fn since(&self, start: usize) -> &'de [u8] {
        &self.encoded[start..self.offset]
    }

    /// Checks that nothing is left.
    #[inline]
    pub(super) fn finish(&self) -> Result<(), KeyError> {
        match self.offset == self.encoded.len() {
            true => Ok(()),
            false => Err(self.malformed(self.offset, "bytes left over")),
        }
    }

    /// An error about the byte at `offset`.
    #[cold]
    pub(super) fn malformed(&self, offset: usize, what: &'static str) -> KeyError {
        Kind::Malformed { offset, what }.into()
    }

    /// Everything that is left.
    #[inline]
    pub(super) fn rest(&mut self) -> &'de [u8] {
        let rest = &self.encoded[self.offset..];
        self.offset = self.encoded.len();
        rest
    }

    /// The next `bytes` bytes.
    #[inline]
    pub(super) fn take(&mut self, bytes: usize) -> Result<&'de [u8], KeyError> {
        match self.encoded[self.offset..].get(..bytes) {
            Some(taken) => {
                self.offset += bytes;
                Ok(taken)
            }
            None => Err(Kind::EndsAt(self.encoded.len()).into()),
        }
    }

    #[inline]
    pub(super) fn scalar<T: Scalar<N>, const N: usize>(&mut self) -> Result<T, KeyError> {
        match self.encoded[self.offset..].first_chunk::<N>() {
            Some(form) => {
                self.offset += N;
                Ok(T::from_form(*form))
            }
            None => Err(Kind::EndsAt(self.encoded.len()).into()),
        }
    }

    /// The marker before an optional value, an element or an entry, or in place of a further one.
    #[inline]
    pub(super) fn is_present(&mut self) -> Result<bool, KeyError> {
        match self.scalar::<u8, 1>()? {
            ABSENT => Ok(false),
            PRESENT => Ok(true),
            _ => Err(self.malformed(self.offset - 1, "neither 00 nor 01")),
        }
    }

    #[inline]
    pub(super) fn char(&mut self) -> Result<char, KeyError> {
        let start = self.offset;
        let scalar = self.scalar::<u32, 4>()?;
        char::from_u32(scalar).ok_or_else(|| self.malformed(start, "no character"))
    }

    /// The index of an enum variant.
    #[inline]
    pub(super) fn variant(&mut self) -> Result<u32, KeyError> {
        let start = self.offset;
        let short = self.scalar::<u8, 1>()?;
        if short < LONG_VARIANT {
            return Ok(u32::from(short));
        }
        match self.scalar::<u32, 4>()? {
            long if long >= u32::from(LONG_VARIANT) => Ok(long),
            _ => Err(self.malformed(start, "long form of a short variant index")),
        }
    }

    /// A terminated string: borrowed unless it holds a zero byte.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Result<Cow<'de, [u8]>, KeyError> {
        let (head, zero_inside) = self.string_piece()?;
        if zero_inside { self.string_with_zeros(head).map(Cow::Owned) } else { Ok(Cow::Borrowed(head)) }
    }

    /// Goes on with a string whose first piece ends with a zero byte.
    #[inline(never)]
    fn string_with_zeros(&mut self, head: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut string = head.to_vec();
        loop {
            string.push(0);
            let (piece, zero_inside) = self.string_piece()?;
            string.extend_from_slice(piece);
            if !zero_inside {
                return Ok(string);
            }
        }
    }

    /// Reads up to and over the next zero byte, and tells whether it belongs to the string.
    #[inline(always)]
    fn string_piece(&mut self) -> Result<(&'de [u8], bool), KeyError> {
        let rest = &self.encoded[self.offset..];
        let zero = first_zero(rest);
        let (Some(zero), Some(mark)) = (zero, zero.and_then(|zero| rest.get(zero + 1))) else {
            return Err(Kind::EndsAt(self.encoded.len()).into());
        };
        let zero_inside = *mark == ZERO_INSIDE;
        if !zero_inside && *mark != 0 {
            return Err(self.malformed(self.offset + zero + 1, "neither 00 nor FF after a zero in a string"));
        }
        self.offset += zero + 2;
        Ok((&rest[..zero], zero_inside))
    }
}

/// Where the first zero byte is: within the usual length of a key without a call.
#[inline(always)]
fn first_zero(bytes: &[u8]) -> Option<usize> {
    for start in [0, 8, 16] {
        // The last word begins before its turn, at bytes that are no zeros.
        let start = start.min(bytes.len().saturating_sub(8));
        let Some(word) = bytes[start..].first_chunk() else { break };
        let zeros = zero_bytes(u64::from_le_bytes(*word));
        if zeros != 0 {
            return Some(start + zeros.trailing_zeros() as usize / 8);
        }
    }
    memchr(0, bytes)
}
