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
    tie: impl FnMut(usize, usize) -> Ordering,
) {
    order.clear();
    order.extend(ranks.zip(0..).map(|(rank, place)| element(rank, place)));
    order.sort_unstable();
    break_ties(order, tie);
}

/// Sorts elements that are nearly in order by insertion: what is far from its place makes it sort from scratch.
pub(super) fn sort_nearly(order: &mut [u128], tie: impl FnMut(usize, usize) -> Ordering) {
    let mut moves = 16 * order.len();
    for i in 1..order.len() {
        let (element, mut at) = (order[i], i);
        while at > 0 && order[at - 1] > element {
            order[at] = order[at - 1];
            at -= 1;
        }
        order[at] = element;
        moves = moves.saturating_sub(i - at);
        if moves == 0 {
            order.sort_unstable();
            break;
        }
    }
    break_ties(order, tie);
}

fn break_ties(order: &mut [u128], mut tie: impl FnMut(usize, usize) -> Ordering) {
    for equal in order.chunk_by_mut(|a, b| a >> 64 == b >> 64) {
        if equal.len() > 1 {
            equal.sort_unstable_by(|a, b| tie(place(*a), place(*b)));
        }
    }
}

/// What stands in an order for the thing at `place`.
#[inline(always)]
pub(super) fn element(rank: u64, place: usize) -> u128 {
    u128::from(rank) << 64 | place as u128
}

/// What place an element of a sorted order stands for.
#[inline(always)]
pub(super) fn place(element: u128) -> usize {
    element as u64 as usize
}
