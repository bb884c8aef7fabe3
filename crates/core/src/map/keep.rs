//! The pair sink of a job without a combiner: every pair is kept.
//!
//! It does not order pairs: reduce does.

use super::rows::RowSink;
use crate::collect::PairSink;
use crate::datum::Datum;
use crate::fold::Batch;
use crate::result::Result;
use crate::rows::{Buckets, Placement};
use crate::run::RunWriter;

/// Rows with the split that they come from, in the order in which they were emitted.
pub(crate) struct KeepSink {
    rows: RowSink,
    split: u32,
}

impl KeepSink {
    /// A sink that holds about `limit` bytes.
    pub(crate) fn new(placement: Placement, buckets: Buckets, limit: usize) -> Self {
        Self { rows: RowSink::new(placement, buckets, limit), split: 0 }
    }
}

impl<V: Datum> PairSink<V> for KeepSink {
    fn begin(&mut self, split: u32) -> Result {
        self.split = split;
        Ok(())
    }

    fn push(&mut self, batch: &mut Batch<V>) -> Result<bool> {
        self.rows.put(batch, self.split)?;
        Ok(self.rows.is_full())
    }

    fn push_coded(&mut self, batch: &mut Batch<usize>, codes: &[u8]) -> Result<bool> {
        self.rows.put_coded::<V>(batch, self.split, codes)?;
        Ok(self.rows.is_full())
    }

    fn discard(&mut self) {}

    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn spill(&mut self, run: &mut RunWriter, spill: u32) -> Result {
        self.rows.spill(run, spill)
    }
}
