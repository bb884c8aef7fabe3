//! Brings things with keys into order by sorting sixteen bytes for each: the first eight of what orders it, and its place.
//!
//! It moves no keys.

use std::cmp::Ordering;

/// The places `0..count` in order: by `rank`, and by `tie` where ranks are equal.
///
/// `order` is reused memory.
pub(super) fn sort(
    order: &mut Vec<u128>,
    ranks: impl Iterator<Item = u64>,
    mut tie: impl FnMut(usize, usize) -> Ordering,
) {
    order.clear();
    order.extend(ranks.zip(0_u64..).map(|(rank, place)| u128::from(rank) << 64 | u128::from(place)));
    order.sort_unstable();
    for equal in order.chunk_by_mut(|a, b| a >> 64 == b >> 64) {
        if equal.len() > 1 {
            equal.sort_unstable_by(|a, b| tie(place(*a), place(*b)));
        }
    }
}

/// What place an element of a sorted order stands for.
#[inline(always)]
pub(super) fn place(element: u128) -> usize {
    element as u64 as usize
}
