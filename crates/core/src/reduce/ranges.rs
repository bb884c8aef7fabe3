//! Slots divided by ranges of keys, so that what is sorted at a time, and then gone through in order, lies in the cache.
//!
//! It does not sort.

use crate::fold::Slot;
use crate::os;

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
    /// As many as there are ranges: one more than splitters.
    ranges: Vec<Range>,
    /// Room for the slots of all ranges, one behind the other: a vector that grows is copied into fresh memory again and
    /// again, and large blocks have huge pages.
    block: Vec<Slot>,
    /// Slots that each range has room for in the block.
    room: usize,
    len: usize,
}

#[derive(Default)]
struct Range {
    /// Slots in the block.
    filled: usize,
    /// All slots, once they are more than the range has room for in the block.
    outgrown: Vec<Slot>,
}

impl Ranges {
    /// A single range.
    pub(super) fn new() -> Self {
        Self { splitters: Vec::new(), ranges: vec![Range::default()], block: Vec::new(), room: 0, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Slots that there is memory for.
    pub(super) fn capacity(&self) -> usize {
        self.block.len() + self.ranges.iter().map(|range| range.outgrown.capacity()).sum::<usize>()
    }

    /// While nothing is held: divides anew, by a sample of the ranks of about `expected` slots to come. No block is made
    /// for more than `most` slots.
    ///
    /// `sample` is asked for no more than it needs.
    pub(super) fn divide<S: Iterator<Item = u64>>(
        &mut self,
        expected: usize,
        most: usize,
        sample: impl FnOnce(usize) -> S,
    ) {
        let ranges = (expected / LEAST).clamp(1, RANGES);
        let mut ranks: Vec<_> = sample(ranges * SAMPLE).collect();
        ranks.sort_unstable();
        self.splitters = (1..ranges).filter_map(|i| ranks.get(i * ranks.len() / ranges).copied()).collect();
        self.splitters.dedup();
        self.ranges.resize_with(self.splitters.len() + 1, Range::default);
        self.make_block(expected, most);
    }

    fn make_block(&mut self, expected: usize, most: usize) {
        // Ranges are as different as a sample of that size makes them.
        let room = expected / self.ranges.len() * 3 / 2;
        let slots = room * self.ranges.len();
        self.room = if slots <= most { room } else { 0 };
        if self.room > 0 && self.block.len() < slots {
            self.block = Vec::new();
            self.block = os::zeroed(slots);
        }
    }

    /// Adds a slot whose key has this rank.
    #[inline(always)]
    pub(super) fn put(&mut self, rank: u64, slot: Slot) {
        // Equal ranks come into one range: which of them is first is not decided here.
        let at = self.splitters.partition_point(|&splitter| splitter <= rank);
        let range = &mut self.ranges[at];
        self.len += 1;
        if range.filled < self.room {
            self.block[at * self.room + range.filled] = slot;
            range.filled += 1;
            return;
        }
        if range.outgrown.len() < range.filled {
            range.outgrown.extend_from_slice(&self.block[at * self.room..][..range.filled]);
        }
        range.outgrown.push(slot);
    }

    /// The ranges, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[Slot]> {
        (0..).zip(&self.ranges).map(|(at, range): (usize, _)| match range.outgrown.as_slice() {
            [] => &self.block[at * self.room..][..range.filled],
            outgrown => outgrown,
        })
    }

    /// Forgets all slots, and keeps their memory for others.
    pub(super) fn clear(&mut self) {
        for range in &mut self.ranges {
            range.filled = 0;
            range.outgrown.clear();
        }
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
            ranks in prop::collection::vec(prop_oneof![0_u64..50, any::<u64>()], 0..5000),
            rounds in prop::collection::vec((0..10_000_usize, prop_oneof![Just(0), Just(usize::MAX)]), 1..3),
            first in 1..300_usize,
        ) {
            let mut ranges = Ranges::new();
            let sample = &ranks[..first.min(ranks.len())];
            let mut wanted: Vec<_> = (0..).zip(&ranks).map(|(i, &rank)| (rank, i)).collect();
            wanted.sort_unstable();
            for (expected, most) in rounds {
                ranges.clear();
                ranges.divide(expected, most, |most| sample.iter().copied().take(most));
                for (i, &rank) in (0..).zip(&ranks) {
                    ranges.put(rank, [rank, i, 1, 0]);
                }
                let sorted = ranges.iter().flat_map(|range| {
                    let mut range: Vec<_> = range.iter().map(|slot| (slot[0], slot[1])).collect();
                    range.sort_unstable();
                    range
                });
                prop_assert!(sorted.eq(wanted.iter().copied()));
                prop_assert_eq!(ranges.len(), ranks.len());
            }
        }
    }
}
