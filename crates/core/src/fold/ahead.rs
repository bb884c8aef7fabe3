//! Folding one batch behind: memory for the pairs of a new batch is asked for while those of the batch before are folded.
//!
//! For tables beyond the cache: the waits overlap with the folding, and with whatever is done until the next batch is
//! full. It does not decide when a table grows.

use super::batch::{BATCH, Batch, BatchKey};
use super::table::Table;
use crate::api::Combiner;
use crate::flight::Flight;
use crate::result::Result;

/// The batch that was taken and not folded yet.
pub(crate) struct Ahead<V> {
    waiting: Batch<V>,
    hashes: [u64; BATCH],
}

impl<V: 'static> Ahead<V> {
    pub(crate) fn new(flight: Flight) -> Self {
        Self { waiting: Batch::noting(flight), hashes: [0; BATCH] }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes `batch` and folds the one before it, for both of which `table` must have room.
    #[inline(always)]
    pub(crate) fn fold<C: Combiner<V>>(
        &mut self,
        table: &mut Table<V>,
        batch: &mut Batch<V>,
        combiner: &C,
    ) -> Result {
        let mut next = [0; BATCH];
        let taken = batch.keys().len().min(BATCH);
        let mut table = table.probe();
        let ahead = self.waiting.keys().len().min(taken);
        {
            let (mut coming, hashes) = (batch.keys().iter().zip(&mut next), &self.hashes);
            let fold = |i: usize, key: BatchKey<'_>, value: V| {
                if let Some((key, hash)) = coming.next() {
                    *hash = table.expect(key);
                }
                table.fold_one(key, hashes[i % BATCH], value, combiner)
            };
            if C::CANNOT_DIE { self.waiting.take::<false>(fold) } else { self.waiting.take::<true>(fold) }?;
        }
        // To skip all of them would take as long as to look at them.
        if ahead < taken {
            for (key, hash) in batch.keys().iter().zip(&mut next).skip(ahead) {
                *hash = table.expect(key);
            }
        }
        std::mem::swap(batch, &mut self.waiting);
        batch.go_on_from(&self.waiting);
        self.hashes = next;
        Ok(())
    }

    /// Folds what waits.
    pub(crate) fn settle<C: Combiner<V>>(&mut self, table: &mut Table<V>, combiner: &C) -> Result {
        let (hashes, mut table) = (&self.hashes, table.probe());
        let fold =
            |i: usize, key: BatchKey<'_>, value| table.fold_one(key, hashes[i % BATCH], value, combiner);
        if C::CANNOT_DIE { self.waiting.take::<false>(fold) } else { self.waiting.take::<true>(fold) }
    }
}
