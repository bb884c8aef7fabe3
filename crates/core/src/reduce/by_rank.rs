//! Brings rows into the order of (rank, split, record), by counting where many have the same rank.
//!
//! It sees elements only, no keys.

use super::order::{element, place, rank, split};
use super::radix::{self, Beside};

/// Fewer rows are sorted as fast. More do not lie in the cache, where sorting is the better way, and what is needed
/// beside them, at most 28 bytes a row, does not count in the memory budget.
const ROWS: std::ops::Range<usize> = 256..1 << 18;
/// Ranks of so many rows each, on average, are worth the counting.
const REPEATED: usize = 4;
/// Longest way to a rank's slot: in a table that is half empty, only ranks made for it have a longer one.
const PROBES: usize = 64;

/// Counts of the ranks that occur, found by open addressing.
#[derive(Default)]
pub(super) struct ByRank {
    /// Which rank is where, as its number and one: 0 stands for a free slot.
    slots: Vec<u32>,
    /// By the ranks' numbers, which are given as they come.
    ranks: Vec<u64>,
    counts: Vec<u32>,
    /// The number of the rank of each row.
    numbers: Vec<u32>,
    beside: Beside,
}

impl ByRank {
    /// Puts rows in order, if those of each split stand in the order of its records.
    pub(super) fn sort(&mut self, rows: &mut Vec<u128>) {
        if !(ROWS.contains(&rows.len()) && self.sort_by_counting(rows)) {
            radix::sort(rows, &mut self.beside);
        }
    }

    /// `false`, and nothing done, if too few ranks occur more than once.
    fn sort_by_counting(&mut self, rows: &mut Vec<u128>) -> bool {
        // A worker takes splits in order, so that these are a few long stretches.
        let mut stretches: Vec<_> = rows.chunk_by(|a, b| split(*a) == split(*b)).collect();
        stretches.sort_by_key(|stretch| split(stretch[0]));
        let in_order = || stretches.iter().copied().flatten();
        if !self.count(rows.len(), in_order()) {
            return false;
        }
        let mut ranks: Vec<_> = self.ranks.iter().enumerate().map(|(n, rank)| element(*rank, n)).collect();
        ranks.sort_unstable();
        let mut start = 0;
        for ranked in ranks {
            let count = &mut self.counts[place(ranked)];
            start += std::mem::replace(count, start);
        }
        // From here on `counts` are the places of the next row of each rank.
        let sorted = &mut self.beside.sorted;
        sorted.resize(rows.len(), 0);
        for (row, number) in in_order().zip(&self.numbers) {
            let next = &mut self.counts[*number as usize];
            sorted[*next as usize] = *row;
            *next += 1;
        }
        std::mem::swap(rows, sorted);
        true
    }

    /// Numbers and counts the ranks of `len` rows; `false` if there are too many.
    fn count<'r>(&mut self, len: usize, rows: impl Iterator<Item = &'r u128>) -> bool {
        const LEAST: usize = 1 << 10;
        self.slots.clear();
        self.slots.resize(LEAST, 0);
        self.ranks.clear();
        self.counts.clear();
        self.numbers.clear();
        self.numbers.reserve(len);
        for row in rows {
            let Some(number) = self.number(rank(*row)) else { return false };
            if self.ranks.len() > len / REPEATED {
                return false;
            }
            self.counts[number as usize] += 1;
            self.numbers.push(number);
        }
        true
    }

    /// The number of a rank; `None` if it is not found soon.
    #[inline(always)]
    fn number(&mut self, rank: u64) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let at = home(rank, self.slots.len());
        for probe in 0..PROBES {
            let slot = &mut self.slots[(at + probe) & mask];
            if *slot == 0 {
                return self.add(rank, (at + probe) & mask);
            }
            if self.ranks[*slot as usize - 1] == rank {
                return Some(*slot - 1);
            }
        }
        None
    }

    fn add(&mut self, rank: u64, at: usize) -> Option<u32> {
        self.ranks.push(rank);
        self.counts.push(0);
        let number = self.ranks.len() as u32;
        self.slots[at] = number;
        if self.ranks.len() * 2 > self.slots.len() {
            self.grow()?;
        }
        Some(number - 1)
    }

    #[cold]
    fn grow(&mut self) -> Option<()> {
        let len = self.slots.len() * 4;
        self.slots.clear();
        self.slots.resize(len, 0);
        for (number, rank) in (1..).zip(&self.ranks) {
            let at = home(*rank, len);
            let free = (at..at + PROBES).map(|at| at & (len - 1)).find(|at| self.slots[*at] == 0)?;
            self.slots[free] = number;
        }
        Some(())
    }
}

/// Where a rank belongs in a table of so many slots, a power of two: Fibonacci hashing (Knuth, TAOCP 3, 6.4).
#[inline(always)]
fn home(rank: u64, slots: usize) -> usize {
    // Ranks of short keys end in zeros, and those of numbers begin with them: both halves are to count.
    let mixed = (rank ^ rank >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (64 - slots.trailing_zeros())) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::order::row;
    use super::*;

    proptest! {
        /// Several workers' rows, each in the order of splits, with few ranks or many, some of which are at one home.
        #[test]
        fn rows_come_as_a_sort_would_have_them(
            workers in prop::collection::vec((1_u32..5, 1_u32..6), 1..4),
            ranks in 1_u64..900,
            shift in 0_u32..64,
            len in 200_u32..3000,
            seed in any::<u64>(),
        ) {
            let (mut rows, mut random) = (Vec::new(), seed);
            for (first, step) in workers {
                for i in 0..len {
                    random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                    let (rank, split) = ((random >> 40) % ranks, first + i / 100 * step);
                    rows.push(row(rank << shift, split, rows.len() as u32));
                }
            }
            let mut wanted = rows.clone();
            wanted.sort_by_key(|row| (rank(*row), split(*row)));
            ByRank::default().sort(&mut rows);
            prop_assert_eq!(rows, wanted);
        }
    }

    #[test]
    fn many_of_a_rank_are_counted_and_others_sorted() {
        let rows =
            |ranks: usize| -> Vec<_> { (0..1000).map(|i| row((i % ranks) as u64, 0, i as u32)).collect() };
        assert!(ByRank::default().sort_by_counting(&mut rows(100)));
        assert!(!ByRank::default().sort_by_counting(&mut rows(700)));
        assert!(!ByRank::default().sort_by_counting(&mut rows(400)));
    }
}
