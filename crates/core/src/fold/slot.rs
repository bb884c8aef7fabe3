//! Where slots of a combine table belong, and what they refer to.
//!
//! It does not search or fold.

use std::cmp::Ordering;

use super::keys::{Keys, Slot, is_long, key_of};
use super::value::from_word;
use crate::key::{self, AnyKey, Image, long_table_hash};
use crate::result::Result;

/// What decides where in a table a key belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Places {
    /// A hash of its own, with a seed.
    Mixed(u64),
    /// The hash of keys, whose order the slots nearly have then. The table holds keys of one bucket among so many that
    /// divide the hashes evenly.
    ByHash(u32),
}

impl Places {
    /// Those of a table that is filled from another with the seed 0. This one differs in the upper bits, too: those of a
    /// product hardly change with the lowest bit of a factor.
    pub(crate) const AGAIN: Self = Self::Mixed(0xa076_1d64_78bd_642f);

    #[inline(always)]
    pub(super) fn of(self, key: AnyKey<'_>) -> u64 {
        match (self, key) {
            (Self::Mixed(seed), AnyKey::Short(image)) => image.table_hash(seed),
            (Self::Mixed(seed), AnyKey::Long(key)) => long_table_hash(key, seed),
            (Self::ByHash(buckets), AnyKey::Short(image)) => key::within_bucket(image.hash(), buckets),
            (Self::ByHash(buckets), AnyKey::Long(key)) => key::within_bucket(key::hash(key), buckets),
        }
    }
}

/// The hash by which a slot was placed.
#[inline(always)]
pub(super) fn slot_hash(slot: &Slot, places: Places) -> u64 {
    let [a, b, c, _] = *slot;
    if is_long(slot) { a } else { places.of(AnyKey::Short(Image([a, b, c]))) }
}

/// What slots refer to, and how many there are.
pub(super) struct Kept<V> {
    pub(super) len: usize,
    /// Keys without an image.
    pub(super) arena: Vec<u8>,
    pub(super) values: Vec<Option<V>>,
    /// Bytes that values report to hold on the heap.
    pub(super) heap: usize,
}

impl<V> Kept<V> {
    pub(super) fn contents(&mut self) -> Contents<'_, V> {
        Contents { arena: &self.arena, values: &mut self.values }
    }
}

/// What slots refer to.
pub(crate) struct Contents<'t, V> {
    arena: &'t [u8],
    values: &'t mut Vec<Option<V>>,
}

impl<'t, V: 'static> Contents<'t, V> {
    /// The keys of slots.
    #[inline(always)]
    pub(crate) fn keys<'s>(&self, slots: &'s [Slot]) -> Keys<'s>
    where
        't: 's,
    {
        Keys::new(slots, self.arena)
    }

    /// How the keys of two slots are ordered.
    pub(crate) fn compare(&self, a: &Slot, b: &Slot) -> Ordering {
        self.key(a).compare(self.key(b))
    }

    /// The key of a slot.
    #[inline(always)]
    pub(crate) fn key(&self, slot: &Slot) -> AnyKey<'t> {
        key_of(slot, self.arena)
    }

    /// Takes the value of a slot; each can be taken once.
    #[inline(always)]
    pub(crate) fn value(&mut self, slot: &Slot) -> Result<V> {
        let word = slot[3];
        match from_word(word) {
            Some(value) => Ok(value),
            None => self
                .values
                .get_mut(word as usize)
                .and_then(Option::take)
                .ok_or_else(|| "a value was lost".into()),
        }
    }
}
