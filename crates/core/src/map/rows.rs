//! Pairs as rows in buckets: what both pair sinks end in.
//!
//! It does not combine.

use crate::datum::Datum;
use crate::fold::value::{self, encode_small};
use crate::fold::{BATCH, Batch, BatchKey};
use crate::result::Result;
use crate::rows::{BatchPlaces, Buckets, Placement};
use crate::run::RunWriter;

/// Rows are written out when they are so many bytes, however much memory there is: no output depends on when that is, and
/// memory that is used again is already mapped, zeroed and, in part, in the cache.
const ENOUGH: usize = 64 << 20;

/// Bytes of a row with a short key and a number.
const USUAL_ROW: usize = 32;
/// No more than so many bytes of a row are asked for before it is written.
const MOST_AHEAD: usize = 512;

/// Writes batches of pairs into the buckets where they belong.
pub(super) struct RowSink {
    placement: Placement,
    buckets: Buckets,
    limit: usize,
    code: Vec<u8>,
}

impl RowSink {
    /// A sink that is full when its buckets hold `limit` bytes, or enough.
    pub(super) fn new(placement: Placement, buckets: Buckets, limit: usize) -> Self {
        Self { placement, buckets, limit: limit.min(ENOUGH), code: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.buckets.held() > self.limit
    }

    /// The buckets of a batch, whose memory is on its way to the cache then: that of rows of about `len` bytes.
    #[inline(always)]
    fn place<V>(&self, batch: &Batch<V>, len: usize) -> Result<BatchPlaces> {
        let mut places = [0; BATCH];
        self.placement.place(batch.keys(), batch.marks(), &mut places)?;
        for place in &places[..batch.keys().len()] {
            self.buckets.prefetch(*place, len);
        }
        Ok(places)
    }

    /// Takes all pairs of a batch, which are of `split` and whose values end at places in `codes`.
    pub(super) fn put_encoded(&mut self, batch: &mut Batch<usize>, split: u32, codes: &[u8]) -> Result {
        let values = codes.len() / batch.keys().len().max(1);
        let places = self.place(batch, (USUAL_ROW + values).min(MOST_AHEAD))?;
        let (buckets, mut start) = (&mut self.buckets, 0);
        batch.take::<false>(|at, key, end| {
            let place = places[at.pair % BATCH];
            let code = &codes[std::mem::replace(&mut start, end)..end];
            match key {
                BatchKey::Short(image) => buckets.put(place, split, &image.bytes()[..image.len()], code),
                BatchKey::Long(key) => buckets.put(place, split, key, code),
            }
        })
    }

    /// Takes all pairs of a batch, which are of `split`.
    #[inline(always)]
    pub(super) fn put<V: Datum>(&mut self, batch: &mut Batch<V>, split: u32) -> Result {
        let places = self.place(batch, USUAL_ROW)?;
        let Self { buckets, code, .. } = self;
        let coded = buckets.split_code(split);
        batch.take::<false>(|at, key, value| {
            let place = places[at.pair % BATCH];
            match (key, encode_small(&value)) {
                (BatchKey::Short(image), Some(small)) => buckets.put_short(place, coded, image, small),
                (key, _) => {
                    code.clear();
                    value::encode_into(&value, code)?;
                    match key {
                        BatchKey::Short(image) => {
                            buckets.put(place, split, &image.bytes()[..image.len()], code)
                        }
                        BatchKey::Long(key) => buckets.put(place, split, key, code),
                    }
                }
            }
        })
    }

    /// Writes everything held, and is empty then.
    pub(super) fn spill(&mut self, run: &mut RunWriter, spill: u32) -> Result {
        self.buckets.spill(run, spill)
    }
}
