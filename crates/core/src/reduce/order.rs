//! What is sorted in place of things with keys: sixteen bytes for each, the first eight of what orders it and its place.
//!
//! It moves no keys.

/// What stands for something at `place` that is ordered by `rank` first.
#[inline(always)]
pub(super) fn element(rank: u64, place: usize) -> u128 {
    u128::from(rank) << 64 | place as u128
}

/// What stands for a row that begins at `at` and comes from `split`, so that rows of a rank are ordered by split first.
#[inline(always)]
pub(super) fn row(rank: u64, split: u32, at: u32) -> u128 {
    element(rank, (u64::from(split) << 32 | u64::from(at)) as usize)
}

/// Elements in order by rank, those of each rank together.
pub(super) fn of_one_rank(order: &mut [u128]) -> impl Iterator<Item = &mut [u128]> {
    order.chunk_by_mut(|a, b| rank(*a) == rank(*b))
}

#[inline(always)]
pub(super) fn rank(element: u128) -> u64 {
    (element >> 64) as u64
}

#[inline(always)]
pub(super) fn place(element: u128) -> usize {
    element as u64 as usize
}

/// The split of a row.
#[inline(always)]
pub(super) fn split(row: u128) -> u32 {
    (row >> 32) as u32
}

/// Where a row begins.
#[inline(always)]
pub(super) fn at(row: u128) -> usize {
    row as u32 as usize
}
