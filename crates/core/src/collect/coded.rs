//! Pairs whose values are encoded as they are emitted, and wait to be taken together.
//!
//! It does not know what becomes of them.

use gristmill_ipc::{CodecError, codec};
use serde::Serialize;

use crate::flight::Flight;
use crate::fold::Batch;
use crate::input::Span;
use crate::key::AnyKey;

/// Bytes of values after which there are enough pairs.
const ENOUGH: usize = 64 << 10;

/// A batch of pairs, the values beside it.
pub(super) struct Coded {
    /// Keys, and where in `codes` each value ends.
    pub(super) batch: Batch<usize>,
    /// Values in the form of the value codec, one behind the other.
    pub(super) codes: Vec<u8>,
    /// Behind the last value may be half a one, if encoding it panicked and user code went on.
    end: usize,
    /// Whether there was a pair ever: most mappers emit none in this way, and no record need be noted.
    used: bool,
}

impl Coded {
    /// Pairs that note their records.
    pub(super) fn noting(flight: Flight) -> Self {
        Self { batch: Batch::noting(flight), codes: Vec::new(), end: 0, used: false }
    }

    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Says that the pairs to come are of this record.
    #[inline(always)]
    pub(super) fn mark(&mut self, record: Span) {
        if self.used {
            self.batch.mark(record);
        }
    }

    /// Adds a pair; true if there are enough. The first one is of the record that `other` knows.
    ///
    /// # Errors
    /// When the value refuses to be encoded: then nothing was added.
    #[inline(always)]
    pub(super) fn push<V, W>(
        &mut self,
        key: AnyKey<'_>,
        value: &W,
        other: &Batch<V>,
    ) -> Result<bool, CodecError>
    where
        W: Serialize + ?Sized,
    {
        if !self.used {
            self.used = true;
            other.last_mark().into_iter().for_each(|record| self.batch.mark(record));
        }
        self.codes.truncate(self.end);
        codec::encode_into(value, &mut self.codes)?;
        self.end = self.codes.len();
        Ok(self.batch.push_any(key, self.end) || self.end > ENOUGH)
    }

    /// Drops the values of a batch that was taken.
    pub(super) fn clear_codes(&mut self) {
        self.codes.clear();
        // One long value is no reason to keep as much memory for all others.
        self.codes.shrink_to(2 * ENOUGH);
        self.end = 0;
    }

    /// Drops every pair.
    pub(super) fn clear(&mut self) {
        self.batch.clear();
        self.clear_codes();
    }
}
