//! Placement by ranges of keys, which lie between keys of a sample.
//!
//! It does not take the sample.

use super::place::{BatchPlaces, Place};
use crate::fold::{Keys, Marks};
use crate::key::{AnyKey, prefix};
use crate::result::Result;

/// Bucket `i` holds the keys from splitter `i` on (the first: from the least key on) that are less than the next one.
///
/// All buckets are in order, and so are the partitions made of them.
#[derive(Debug)]
pub(crate) struct ByRange {
    /// One fewer than the buckets at most, in order.
    splitters: Vec<Vec<u8>>,
    /// What the splitters begin with, so that most keys are placed without a look at the whole of one.
    prefixes: Vec<u64>,
}

impl ByRange {
    /// Ranges that hold about the same number of the sampled `keys` each.
    pub(crate) fn new(mut keys: Vec<Vec<u8>>, buckets: u32) -> Self {
        keys.sort_unstable();
        let buckets = buckets as usize;
        let splitter = |i: usize| keys.get(i * keys.len() / buckets).cloned();
        Self::between((1..buckets).filter_map(splitter).collect())
    }

    /// Ranges between `splitters`, which are in order.
    pub(super) fn between(splitters: Vec<Vec<u8>>) -> Self {
        let prefixes = splitters.iter().map(|key| prefix(key)).collect();
        Self { splitters, prefixes }
    }

    pub(super) fn splitters(&self) -> &[Vec<u8>] {
        &self.splitters
    }

    #[inline(always)]
    fn bucket(&self, rank: u64, key: impl FnOnce() -> Vec<u8>) -> u32 {
        let first = self.prefixes.partition_point(|&splitter| splitter < rank);
        if self.prefixes.get(first) != Some(&rank) {
            return first as u32;
        }
        let key = key();
        let same = self.prefixes[first..].partition_point(|&splitter| splitter == rank);
        (first + self.splitters[first..first + same].partition_point(|splitter| *splitter <= key)) as u32
    }
}

impl Place for ByRange {
    fn place(&self, keys: Keys<'_>, _: &Marks, places: &mut BatchPlaces) -> Result {
        for (place, slot) in places.iter_mut().zip(keys.slots()) {
            *place = match keys.of(slot) {
                AnyKey::Short(image) => self.bucket(image.prefix(), || image.bytes()[..image.len()].to_vec()),
                AnyKey::Long(key) => self.bucket(prefix(key), || key.to_vec()),
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::Batch;
    use proptest::prelude::*;

    fn places(ranges: &ByRange, keys: &[Vec<u8>]) -> Vec<u32> {
        let mut found = Vec::new();
        for keys in keys.chunks(32) {
            let (mut batch, mut places) = (Batch::default(), [0; crate::fold::BATCH]);
            for key in keys {
                batch.push(key, ());
            }
            ranges.place(batch.keys(), batch.marks(), &mut places).expect("ranges take every key");
            found.extend_from_slice(&places[..keys.len()]);
        }
        found
    }

    proptest! {
        #[test]
        fn buckets_follow_the_order_of_keys(
            sample in prop::collection::vec(prop::collection::vec(0_u8..4, 0..14), 0..60),
            mut keys in prop::collection::vec(prop::collection::vec(0_u8..4, 0..40), 0..60),
            buckets in 1_u32..20,
        ) {
            keys.extend(sample.iter().cloned());
            keys.sort();
            let found = places(&ByRange::new(sample, buckets), &keys);
            prop_assert!(found.is_sorted());
            prop_assert!(found.iter().all(|&bucket| bucket < buckets));
            for (key, place) in keys.windows(2).zip(found.windows(2)) {
                prop_assert!(key[0] != key[1] || place[0] == place[1], "equal keys stay together");
            }
        }
    }

    #[test]
    fn a_good_sample_gives_even_buckets() {
        let keys: Vec<_> = (0..10_000_u32).map(|n| n.to_be_bytes().to_vec()).collect();
        let found = places(&ByRange::new(keys.clone(), 10), &keys);
        for bucket in 0..10 {
            assert_eq!(found.iter().filter(|&&place| place == bucket).count(), 1000);
        }
    }
}
