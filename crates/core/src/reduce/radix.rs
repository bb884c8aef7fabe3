//! Sorts elements: by the highest bits of their ranks with a radix sort, and what is equal there by comparison.
//!
//! It sees elements only, no keys.

use super::order::rank;

/// Fewer elements are sorted as fast by comparison. More do not lie in the cache, and the room beside them, 32 bytes for
/// each, does not count in the memory budget.
const ELEMENTS: std::ops::Range<usize> = 1 << 10..1 << 17;
/// Bits of a digit: its counts are to stay in the nearest cache.
const DIGIT: u32 = 11;
/// Digits of a code, which tell most ranks apart: 44 bits are five letters and a half, where the first of eight is nearly
/// the same in all.
const DIGITS: usize = 4;
/// Bits of a code that say which element it is of.
const INDEX: u32 = u64::BITS - DIGITS as u32 * DIGIT;

/// Room beside what is sorted, kept for the next.
#[derive(Default)]
pub(super) struct Beside {
    codes: Vec<u64>,
    others: Vec<u64>,
    pub(super) sorted: Vec<u128>,
}

/// Whether so many elements are sorted faster here than by comparison.
pub(super) fn is_for(len: usize) -> bool {
    ELEMENTS.contains(&len)
}

/// Puts elements in order.
///
/// A radix sort from the least significant digit on (Knuth, TAOCP 3, 5.2.5), of codes of eight bytes: the highest bits
/// in which ranks can differ, and which element it is. To compare is slower by half and more, for want of a branch that
/// can be foreseen.
pub(super) fn sort(elements: &mut Vec<u128>, beside: &mut Beside) {
    if !is_for(elements.len()) {
        elements.sort_unstable();
        return;
    }
    let Beside { codes, others, sorted } = beside;
    let mut counts = [[0; 1 << DIGIT]; DIGITS];
    encode(elements, codes, &mut counts);
    others.resize(codes.len(), 0);
    for (pass, counts) in counts.iter_mut().enumerate() {
        scatter(codes, others, counts, pass);
        std::mem::swap(codes, others);
    }
    let element = |code: &u64| elements[(code & ((1 << INDEX) - 1)) as usize];
    sorted.clear();
    sorted.extend(codes.iter().map(element));
    std::mem::swap(elements, sorted);
    let mut left = elements.as_mut_slice();
    for equal in codes.chunk_by(|a, b| a >> INDEX == b >> INDEX) {
        let (of_code, others) = left.split_at_mut(equal.len());
        if equal.len() > 1 {
            of_code.sort_unstable();
        }
        left = others;
    }
}

/// Makes a code of each element, and counts the digits of all.
fn encode(elements: &[u128], codes: &mut Vec<u64>, counts: &mut [[u32; 1 << DIGIT]; DIGITS]) {
    let ranks = || elements.iter().map(|element| rank(*element));
    let (least, most) = ranks().fold((u64::MAX, 0), |(least, most), rank| (least.min(rank), most.max(rank)));
    let bits = u64::BITS - (most - least).leading_zeros();
    let unseen = bits.saturating_sub(u64::BITS - INDEX);
    codes.clear();
    codes.extend((0..).zip(ranks()).map(|(index, rank)| {
        let code = (rank - least) >> unseen << INDEX | index;
        for (pass, counts) in counts.iter_mut().enumerate() {
            counts[digit(code, pass)] += 1;
        }
        code
    }));
}

/// Brings codes into the order of their digits of this pass, and leaves equal ones as they are.
fn scatter(from: &[u64], to: &mut [u64], counts: &mut [u32; 1 << DIGIT], pass: usize) {
    let mut start = 0;
    for count in &mut *counts {
        start += std::mem::replace(count, start);
    }
    // From here on `counts` are the places of the next code of each digit.
    for code in from {
        let next = &mut counts[digit(*code, pass)];
        to[*next as usize] = *code;
        *next += 1;
    }
}

#[inline(always)]
fn digit(code: u64, pass: usize) -> usize {
    (code >> (INDEX + pass as u32 * DIGIT)) as usize % (1 << DIGIT)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::order::element;
    use super::*;

    proptest! {
        /// Ranks of which few bits differ, or all, and which may be equal.
        #[test]
        fn elements_come_as_a_sort_would_have_them(
            mask in prop_oneof![any::<u64>(), Just(u64::MAX), Just(0x0f0f_0f0f), 0_u64..300],
            same in any::<u64>(),
            seeds in prop::collection::vec(any::<u64>(), 1000..4000),
        ) {
            let element = |(place, seed)| element(seed & mask | same & !mask, place);
            let mut elements: Vec<_> = seeds.into_iter().enumerate().map(element).collect();
            let mut wanted = elements.clone();
            wanted.sort_unstable();
            let mut beside = Beside { codes: vec![7; 2000], others: vec![7; 2000], sorted: vec![7; 2000] };
            sort(&mut elements, &mut beside);
            prop_assert_eq!(elements, wanted);
        }
    }

    #[test]
    fn ranks_as_far_apart_as_can_be_are_in_order_too() {
        let elements =
            |n: u64| (0..n).map(move |i| element(if i % 2 == 0 { u64::MAX - i } else { i }, i as usize));
        let (mut sorted, mut wanted) = (elements(5000).collect(), elements(5000).collect::<Vec<_>>());
        sort(&mut sorted, &mut Beside::default());
        wanted.sort_unstable();
        assert_eq!(sorted, wanted);
    }
}
