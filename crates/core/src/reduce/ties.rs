//! Puts in order what has one rank: keys that begin alike, as all those of a numbered series do.
//!
//! It does not tell which keys are equal.

use super::order::{element, of_one_rank, place, rank};
use super::radix::{self, Beside};
use crate::key::{AnyKey, prefix};

/// So few are sorted as fast by comparing whole keys.
const FEW: usize = 32;
/// How often keys are told apart by eight bytes more. Then whole keys are compared, whatever they are.
const LEVELS: u32 = 4;

/// Room beside what is sorted, kept for the next.
#[derive(Default)]
pub(super) struct Room {
    beside: Beside,
    same: Vec<u128>,
}

/// Puts elements in order: by rank, then by the keys that `key` has for them, then by place.
pub(super) fn sort<'k>(elements: &mut Vec<u128>, room: &mut Room, key: impl Fn(u128) -> AnyKey<'k> + Copy) {
    radix::sort(elements, &mut room.beside);
    of_one_rank(elements).for_each(|equal| sort_equal(equal, room, key));
}

/// Puts elements of one rank in order: by key, then by place.
pub(super) fn sort_equal<'k>(equal: &mut [u128], room: &mut Room, key: impl Fn(u128) -> AnyKey<'k> + Copy) {
    if equal.len() > 1 {
        let before = rank(equal[0]);
        deepen(equal, room, key, LEVELS);
        equal.iter_mut().for_each(|one| *one = element(before, place(*one)));
    }
}

fn compare<'k>(equal: &mut [u128], key: impl Fn(u128) -> AnyKey<'k>) {
    equal.sort_unstable_by(|a, b| key(*a).compare(key(*b)).then_with(|| place(*a).cmp(&place(*b))));
}

/// Orders elements by the eight bytes behind what all their keys begin with, which become their rank, and so on.
///
/// A multikey sort by words (Bentley and Sedgewick, Fast algorithms for sorting and searching strings, 1997) that skips
/// what tells nothing apart.
fn deepen<'k>(equal: &mut [u128], room: &mut Room, key: impl Fn(u128) -> AnyKey<'k> + Copy, levels: u32) {
    if equal.len() <= FEW || levels == 0 {
        return compare(equal, key);
    }
    let Some(common) = common(equal, key) else {
        // The rows of one key, say: they have one rank, and mostly are in order.
        return equal.sort_unstable();
    };
    for one in &mut *equal {
        *one = element(key(*one).with_bytes(|key| prefix(&key[common..])), place(*one));
    }
    if radix::is_for(equal.len()) {
        room.same.clear();
        room.same.extend_from_slice(equal);
        radix::sort(&mut room.same, &mut room.beside);
        equal.copy_from_slice(&room.same);
    } else {
        equal.sort_unstable();
    }
    of_one_rank(equal).filter(|equal| equal.len() > 1).for_each(|equal| deepen(equal, room, key, levels - 1));
}

/// How many bytes the keys of all elements begin with; `None` if they are equal.
fn common<'k>(equal: &[u128], key: impl Fn(u128) -> AnyKey<'k>) -> Option<usize> {
    let (first, others) = equal.split_first()?;
    key(*first).with_bytes(|first| {
        let (mut common, mut longest) = (first.len(), first.len());
        for other in others {
            key(*other).with_bytes(|other| {
                common = common_start(&first[..common], other);
                longest = longest.max(other.len());
            });
        }
        (common < longest).then_some(common)
    })
}

/// How many bytes two keys begin with.
pub(super) fn common_start(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Keys that begin alike for long, some of which are equal, as far as where one ends and another goes on with
        /// zeros.
        #[test]
        fn keys_that_begin_alike_come_as_a_sort_would_have_them(
            begin in prop::collection::vec(0_u8..2, 0..40),
            middle in prop::collection::vec(prop::collection::vec(0_u8..3, 0..12), 1..4),
            ends in prop::collection::vec((0_usize..4, prop::collection::vec(0_u8..2, 0..20)), 2..3000),
        ) {
            let keys: Vec<Vec<u8>> = ends
                .iter()
                .map(|(n, end)| [&begin[..], &middle[n % middle.len()], end].concat())
                .collect();
            let elements = || keys.iter().enumerate().map(|(at, key)| element(prefix(key), at));
            let mut wanted: Vec<_> = elements().collect();
            wanted.sort_by_key(|one| (&keys[place(*one)], place(*one)));
            let (mut sorted, mut room) = (elements().rev().collect(), Room::default());
            sort(&mut sorted, &mut room, |one| AnyKey::Long(&keys[place(one)]));
            prop_assert_eq!(sorted, wanted);
        }
    }
}
