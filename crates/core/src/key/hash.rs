//! The hash of an encoded key and the partition it leads to, both fixed for good.
//!
//! A grouping table must not use this hash as it is: within a partition the upper bits hardly vary.

use xxhash_rust::xxh3::xxh3_64;

/// XXH3-64 with seed 0 over the encoded key: the same on every machine and in every release.
#[inline]
pub(crate) fn hash(encoded: &[u8]) -> u64 {
    xxh3_64(encoded)
}

/// The partition of a key with this hash, among `partitions` (at least one).
///
/// Multiply and shift: partition `p` holds one contiguous range of hashes, so (hash, key) order across partitions
/// is the order of the partitions.
#[inline]
pub(crate) fn partition_of(hash: u64, partitions: u32) -> u32 {
    ((u128::from(hash) * u128::from(partitions)) >> 64) as u32
}

/// What is left of a hash when it is known that its key is in the partition (or bucket) it leads to among `partitions`.
///
/// It varies in all bits, and orders the keys there as the hash does.
#[inline]
pub(crate) fn within_bucket(hash: u64, partitions: u32) -> u64 {
    hash.wrapping_mul(u64::from(partitions))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn partitions_cover_the_whole_range_of_hashes() {
        for partitions in [1, 2, 3, 1000, u32::MAX] {
            assert_eq!(partition_of(0, partitions), 0);
            assert_eq!(partition_of(u64::MAX, partitions), partitions - 1);
        }
    }

    /// Each length here takes another way through XXH3; the values come from another implementation.
    #[test]
    fn hashes_of_all_lengths_stay_as_they_are() {
        let bytes: Vec<u8> = (0..5000).map(|at| (at % 251) as u8).collect();
        for (len, expected) in [
            (0, 0x2d06_8005_38d3_94c2),
            (1, 0xc44b_dff4_074e_ecdb),
            (3, 0x5f42_99fc_161c_9cbb),
            (4, 0x60da_b036_a582_11f2),
            (8, 0x3a1c_2d7c_85af_88f8),
            (9, 0xe961_2598_145b_b9dc),
            (16, 0x8355_e3a6_f617_70db),
            (17, 0x9ef3_41a9_9de3_7328),
            (128, 0x85c6_174c_7ff4_c46b),
            (129, 0xec76_42b4_31ba_3e5a),
            (240, 0x375a_384d_957f_e865),
            (241, 0x02e8_cd95_421c_6d02),
            (1024, 0xe5d7_8baf_a45b_2aa5),
            (1025, 0xe95c_4228_8f28_186e),
            (5000, 0xb418_500f_c423_20ee),
        ] {
            assert_eq!(hash(&bytes[..len]), expected, "hash of {len} bytes");
        }
    }

    proptest! {
        #[test]
        fn partitions_ascend_with_the_hash(a: u64, b: u64, partitions in 1u32..) {
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(partition_of(low, partitions) <= partition_of(high, partitions));
            prop_assert!(partition_of(high, partitions) < partitions);
        }
    }
}
