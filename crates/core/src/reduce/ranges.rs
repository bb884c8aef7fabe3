//! Slots divided by ranges of keys, so that what is sorted at a time, and then gone through in order, lies in the cache.
//!
//! It does not sort.

use crate::fold::Slot;

/// Ranges, at most: each is written to at a place of its own, and these are to stay in the cache.
const RANGES: usize = 64;
/// A range is worth its while from about so many slots on.
const LEAST: usize = 1 << 10;
/// Ranks in a sample, for each range.
const SAMPLE: usize = 16;

/// Slots by range. Each range comes, in order, before the next one; within a range they stand as they came.
pub(super) struct Ranges {
    /// The least rank of each range but the first.
    splitters: Vec<u64>,
    /// One more than splitters.
    slots: Vec<Vec<Slot>>,
    len: usize,
}

impl Ranges {
    /// A single range.
    pub(super) fn new() -> Self {
        Self { splitters: Vec::new(), slots: vec![Vec::new()], len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Slots that there is memory for.
    pub(super) fn capacity(&self) -> usize {
        self.slots.iter().map(Vec::capacity).sum()
    }

    /// While nothing is held: divides anew, by a sample of the ranks of about `expected` slots to come.
    ///
    /// `sample` is asked for no more than it needs.
    pub(super) fn divide<S: Iterator<Item = u64>>(
        &mut self,
        expected: usize,
        sample: impl FnOnce(usize) -> S,
    ) {
        let ranges = (expected / LEAST).clamp(1, RANGES);
        let mut ranks: Vec<_> = sample(ranges * SAMPLE).collect();
        ranks.sort_unstable();
        self.splitters = (1..ranges).filter_map(|i| ranks.get(i * ranks.len() / ranges).copied()).collect();
        self.splitters.dedup();
        self.slots.resize_with(self.splitters.len() + 1, Vec::new);
    }

    /// Adds a slot whose key has this rank.
    #[inline(always)]
    pub(super) fn put(&mut self, rank: u64, slot: Slot) {
        // Equal ranks come into one range: which of them is first is not decided here.
        let range = self.splitters.partition_point(|&splitter| splitter <= rank);
        self.slots[range].push(slot);
        self.len += 1;
    }

    /// The ranges, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[Slot]> {
        self.slots.iter().map(Vec::as_slice)
    }

    /// Forgets all slots, and keeps their memory for others.
    pub(super) fn clear(&mut self) {
        self.slots.iter_mut().for_each(Vec::clear);
        self.len = 0;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranges_are_in_order_and_nothing_is_lost(
            ranks in prop::collection::vec(prop_oneof![0_u64..50, any::<u64>()], 0..300),
            expected in 0..200_000_usize,
            first in 1..300_usize,
        ) {
            let mut ranges = Ranges::new();
            let sample = &ranks[..first.min(ranks.len())];
            ranges.divide(expected, |most| sample.iter().copied().take(most));
            for (i, &rank) in (0..).zip(&ranks) {
                ranges.put(rank, [rank, i, 1, 0]);
            }
            let mut wanted: Vec<_> = (0..).zip(&ranks).map(|(i, &rank)| (rank, i)).collect();
            wanted.sort_unstable();
            let sorted = ranges.iter().flat_map(|range| {
                let mut range: Vec<_> = range.iter().map(|slot| (slot[0], slot[1])).collect();
                range.sort_unstable();
                range
            });
            prop_assert_eq!(sorted.collect::<Vec<_>>(), wanted);
            prop_assert_eq!(ranges.len(), ranks.len());
        }
    }
}
