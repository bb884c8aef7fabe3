//! Brings things with keys into order by sorting sixteen bytes for each: the first eight of what orders it, and its place.
//!
//! It moves no keys.

use std::cmp::Ordering;

/// What stands for something at `place` that is ordered by `rank` first.
#[inline(always)]
pub(super) fn element(rank: u64, place: usize) -> u128 {
    u128::from(rank) << 64 | place as u128
}

/// Puts elements in order: by rank, and by `tie` of their places where ranks are equal.
pub(super) fn sort(order: &mut [u128], mut tie: impl FnMut(usize, usize) -> Ordering) {
    order.sort_unstable();
    for equal in order.chunk_by_mut(|a, b| rank(*a) == rank(*b)) {
        if equal.len() > 1 {
            equal.sort_unstable_by(|a, b| tie(place(*a), place(*b)));
        }
    }
}

#[inline(always)]
pub(super) fn rank(element: u128) -> u64 {
    (element >> 64) as u64
}

#[inline(always)]
pub(super) fn place(element: u128) -> usize {
    element as u64 as usize
}
