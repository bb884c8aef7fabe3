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
    sort_with(order, |equal| equal.sort_unstable_by(|a, b| tie(place(*a), place(*b))));
}

/// Puts elements in order by rank. Those of one rank, if there are several, are given to `ties` in the order of their
/// places.
pub(super) fn sort_with(order: &mut [u128], ties: impl FnMut(&mut [u128])) {
    order.sort_unstable();
    let ranks = order.chunk_by_mut(|a, b| rank(*a) == rank(*b));
    ranks.filter(|equal| equal.len() > 1).for_each(ties);
}

#[inline(always)]
pub(super) fn rank(element: u128) -> u64 {
    (element >> 64) as u64
}

#[inline(always)]
pub(super) fn place(element: u128) -> usize {
    element as u64 as usize
}
