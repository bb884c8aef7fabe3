//! XXH3 of short input, from the specification (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), with the words of its
//! default secret that these lengths use, and seed 0.
//!
//! It takes words that are at hand; reading them from a key is [`super::image`]'s.

/// The product's halves, one upon the other.
#[inline(always)]
pub(super) fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[inline(always)]
pub(super) fn of_4_to_8(first: u32, last: u32, len: u64) -> u64 {
    const SECRET: u64 = 0x1cad_21f7_2c81_017c ^ 0xdb97_9083_e96d_d4de;
    const PRIME: u64 = 0x9fb2_1c65_1e98_df25;
    let mut hash = (u64::from(last) + (u64::from(first) << 32)) ^ SECRET;
    hash ^= hash.rotate_left(49) ^ hash.rotate_left(24);
    hash = hash.wrapping_mul(PRIME);
    hash ^= (hash >> 35).wrapping_add(len);
    hash = hash.wrapping_mul(PRIME);
    hash ^ hash >> 28
}

#[inline(always)]
pub(super) fn of_9_to_16(first: u64, last: u64, len: u64) -> u64 {
    const SECRET_LOW: u64 = 0x1f67_b3b7_a4a4_4072 ^ 0x78e5_c0cc_4ee6_79cb;
    const SECRET_HIGH: u64 = 0x2172_ffcc_7dd0_5a82 ^ 0x8e24_43f7_7446_08b8;
    let low = first ^ SECRET_LOW;
    let high = last ^ SECRET_HIGH;
    let sum = len.wrapping_add(low.swap_bytes()).wrapping_add(high).wrapping_add(fold(low, high));
    let hash = (sum ^ sum >> 37).wrapping_mul(0x1656_6791_9e37_79f9);
    hash ^ hash >> 32
}

#[inline(always)]
pub(super) fn of_17_to_23([low, high]: [u64; 2], tail: [u64; 2], len: u64) -> u64 {
    const SECRET: [u64; 4] =
        [0xbe4b_a423_396c_feb8, 0x1cad_21f7_2c81_017c, 0xdb97_9083_e96d_d4de, 0x1f67_b3b7_a4a4_4072];
    let hash = len
        .wrapping_mul(0x9e37_79b1_85eb_ca87)
        .wrapping_add(fold(low ^ SECRET[0], high ^ SECRET[1]))
        .wrapping_add(fold(tail[0] ^ SECRET[2], tail[1] ^ SECRET[3]));
    let hash = (hash ^ hash >> 37).wrapping_mul(0x1656_6791_9e37_79f9);
    hash ^ hash >> 32
}
