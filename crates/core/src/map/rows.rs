//! Pairs as rows in buckets: what both pair sinks end in.
//!
//! It does not combine.

use gristmill_ipc::codec;

use crate::datum::Datum;
use crate::fold::value::{self, encode_small, is_word};
use crate::fold::{BATCH, Batch, Contents, Keys, Marks, Slot};
use crate::key::AnyKey;
use crate::result::{BoxError, Result};
use crate::rows::{BatchPlaces, Buckets, Placement};
use crate::run::RunWriter;

/// Rows are written out when they are so many bytes, however much memory there is: no output depends on when that is, and
/// memory that is used again is already mapped, zeroed and, in part, in the cache.
const ENOUGH: usize = 64 << 20;

/// Bytes of a row with a short key and a number.
const USUAL_ROW: usize = 32;
/// No more than so many bytes of a row are asked for before it is written.
const MOST_AHEAD: usize = 512;

/// Rows whose memory is asked for together: of more, some requests find no room in the processor's queue of misses.
const GROUP: usize = 8;

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

    /// The buckets of some keys.
    #[inline(always)]
    fn place(&self, keys: Keys<'_>, marks: &Marks) -> Result<BatchPlaces> {
        let mut places = [0; BATCH];
        self.placement.place(keys, marks, &mut places)?;
        Ok(places)
    }

    /// Takes all pairs of a batch, which are of `split` and whose values stand in `codes`, in the form of the value codec.
    pub(super) fn put_coded<V: Datum>(
        &mut self,
        batch: &mut Batch<usize>,
        split: u32,
        codes: &[u8],
    ) -> Result {
        let keys = batch.keys();
        let places = self.place(keys, batch.marks())?;
        let usual = (USUAL_ROW + codes.len() / keys.len().max(1)).min(MOST_AHEAD);
        let mut ahead = places[..keys.len()].iter();
        let mut prefetch = |buckets: &Buckets| {
            ahead.by_ref().take(GROUP).for_each(|place| buckets.prefetch(*place, usual));
        };
        prefetch(&self.buckets);
        let (keys, codes, _) = batch.take_codes(codes);
        let mut put = Ok(());
        for (i, (slot, code)) in keys.slots().iter().zip(codes).enumerate() {
            if i.is_multiple_of(GROUP) {
                prefetch(&self.buckets);
            }
            let done = row_code::<V>(code, &mut self.code)
                .and_then(|code| put_one(&mut self.buckets, places[i % BATCH], split, keys.of(slot), code));
            if let Err(error) = done {
                put = Err((i, error));
                break;
            }
        }
        batch.end(put)
    }

    /// Takes all pairs of a batch, which are of `split`.
    #[inline(always)]
    pub(super) fn put<V: Datum>(&mut self, batch: &mut Batch<V>, split: u32) -> Result {
        let places = self.place(batch.keys(), batch.marks())?;
        let (keys, values, _) = batch.take();
        let put = self.put_all(keys, values.map(Ok), &places, split);
        batch.end(put)
    }

    /// Takes what is in up to [`BATCH`] slots of a table.
    #[inline(always)]
    pub(super) fn put_slots<V: Datum>(&mut self, slots: &[Slot], contents: &mut Contents<'_, V>) -> Result {
        let keys = contents.keys(slots);
        let places = self.place(keys, &Marks::default())?;
        let values = slots.iter().map(|slot| contents.value(slot));
        self.put_all(keys, values, &places, 0).map_err(|(_, error)| error)
    }

    /// Adds a row for each key with its value; an error is that of the pair of the number before it.
    #[inline(always)]
    fn put_all<V: Datum>(
        &mut self,
        keys: Keys<'_>,
        values: impl Iterator<Item = Result<V>>,
        places: &BatchPlaces,
        split: u32,
    ) -> Result<(), (usize, BoxError)> {
        let Self { buckets, code, .. } = self;
        let coded = buckets.split_code(split);
        for (i, (slot, value)) in keys.slots().iter().zip(values).enumerate() {
            let (place, value) = (places[i % BATCH], value.map_err(|error| (i, error))?);
            let put = match (keys.of(slot), encode_small(&value)) {
                (AnyKey::Short(image), Some(small)) => buckets.put_short(place, coded, image, small),
                (key, _) => {
                    code.clear();
                    value::encode_into(&value, code).and_then(|()| put_one(buckets, place, split, key, code))
                }
            };
            put.map_err(|error| (i, error))?;
        }
        Ok(())
    }

    /// Writes everything held, and is empty then.
    pub(super) fn spill(&mut self, run: &mut RunWriter, spill: u32) -> Result {
        self.buckets.spill(run, spill)
    }
}

/// The form that rows hold a value in, given that of the value codec: they differ for integers.
#[inline(always)]
fn row_code<'c, V: Datum>(code: &'c [u8], scratch: &'c mut Vec<u8>) -> Result<&'c [u8]> {
    if !is_word::<V>() {
        return Ok(code);
    }
    scratch.clear();
    value::encode_into(&codec::decode::<V>(code)?, scratch)?;
    Ok(scratch)
}

fn put_one(buckets: &mut Buckets, place: u32, split: u32, key: AnyKey<'_>, code: &[u8]) -> Result {
    key.with_bytes(|key| buckets.put(place, split, key, code))
}
