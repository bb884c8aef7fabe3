//! The pair sink of a job without a combiner: every pair is kept.
//!
//! It does not order pairs: reduce does.

use gristmill_ipc::codec;

use super::rows::RowSink;
use crate::collect::PairSink;
use crate::datum::Datum;
use crate::flight::Flight;
use crate::fold::Batch;
use crate::fold::value::{self, is_word};
use crate::input::Span;
use crate::result::Result;
use crate::rows::{Buckets, Placement};
use crate::run::RunWriter;

/// Rows with the split that they come from, in the order in which they were emitted.
pub(crate) struct KeepSink {
    rows: RowSink,
    split: u32,
    /// Pairs that came encoded: the ends of their codes.
    encoded: Batch<usize>,
    codes: Vec<u8>,
    codes_end: usize,
}

impl KeepSink {
    /// A sink that holds about `limit` bytes.
    pub(crate) fn new(placement: Placement, buckets: Buckets, limit: usize, flight: Flight) -> Self {
        let (rows, encoded) = (RowSink::new(placement, buckets, limit), Batch::noting(flight));
        Self { rows, split: 0, encoded, codes: Vec::new(), codes_end: 0 }
    }
}

impl KeepSink {
    fn put_encoded(&mut self) -> Result {
        self.rows.put_encoded(&mut self.encoded, self.split, &self.codes)?;
        self.codes.clear();
        self.codes_end = 0;
        Ok(())
    }
}

impl<V: Datum> PairSink<V> for KeepSink {
    fn begin(&mut self, split: u32) -> Result {
        // The attempt before was settled.
        self.split = split;
        Ok(())
    }

    fn push(&mut self, batch: &mut Batch<V>) -> Result<bool> {
        if !self.encoded.is_empty() {
            self.put_encoded()?;
        }
        self.rows.put(batch, self.split)?;
        Ok(self.rows.is_full())
    }

    fn settle(&mut self) -> Result {
        self.put_encoded()
    }

    fn discard(&mut self) {
        self.encoded.clear();
        self.codes.clear();
        self.codes_end = 0;
    }

    fn mark(&mut self, record: Span) {
        self.encoded.mark(record);
    }

    fn code(&mut self) -> &mut Vec<u8> {
        // Behind the last pair may be half a value, if encoding it panicked and user code went on.
        self.codes.truncate(self.codes_end);
        &mut self.codes
    }

    fn push_encoded(&mut self, key: &[u8]) -> Result<bool> {
        const LONG: usize = 64 << 10;
        if is_word::<V>() {
            let value: V = codec::decode(&self.codes[self.codes_end..])?;
            self.codes.truncate(self.codes_end);
            value::encode_into(&value, &mut self.codes)?;
        }
        self.codes_end = self.codes.len();
        if self.encoded.push(key, self.codes.len()) || self.codes.len() > LONG {
            self.put_encoded()?;
        }
        Ok(self.rows.is_full())
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.encoded.is_empty()
    }

    fn spill(&mut self, run: &mut RunWriter, spill: u32) -> Result {
        self.put_encoded()?;
        self.rows.spill(run, spill)
    }
}
