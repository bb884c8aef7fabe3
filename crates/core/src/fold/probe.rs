//! Finds the slot of a key and folds its value there.
//!
//! The slots are at hand as a slice, so that no probe has to find out where they are. It does not make room.

use super::batch::Batch;
use super::homes::Homes;
use super::keys::{Keys, LONG, Slot};
use super::slot::{Kept, Places};
use super::value::{from_word, is_word, to_word};
use crate::api::Combiner;
use crate::key::{AnyKey, Image};
use crate::os;
use crate::result::Result;

/// A table with its slots in reach.
pub(crate) struct Probe<'t, V> {
    pub(super) slots: &'t mut [Slot],
    pub(super) shift: u32,
    pub(super) places: Places,
    pub(super) kept: &'t mut Kept<V>,
}

impl<V: 'static> Probe<'_, V> {
    /// Folds all pairs of `batch`, for which there must be room, and tells it where those to come belong.
    #[inline(always)]
    pub(crate) fn fold<C: Combiner<V>>(&mut self, batch: &mut Batch<V>, combiner: &C) -> Result {
        batch.know_hashes(|key| self.expect(key));
        let (keys, values, marks) = batch.take();
        let (mut slots, mut noted) = (keys.slots().iter(), 0);
        let mut folded = Ok(());
        for value in values {
            let Some(slot) = slots.next() else { break };
            // Not counted: that would be one register more in a loop that has none left.
            let number = || keys.len() - slots.as_slice().len() - 1;
            if !C::CANNOT_DIE {
                marks.note_next(number(), &mut noted);
            }
            if let Err(error) = self.fold_one(slot, keys, value, combiner) {
                folded = Err((number(), error));
                break;
            }
        }
        if !C::CANNOT_DIE && folded.is_ok() {
            marks.note_current();
        }
        batch.end(folded)?;
        batch.expect_in(Homes::of(self.slots, self.shift, self.places));
        Ok(())
    }

    /// Asks for the memory where a key belongs; returns the hash that [`Probe::fold_one`] wants.
    #[inline(always)]
    fn expect(&self, key: AnyKey<'_>) -> u64 {
        let hash = self.places.of(key);
        os::prefetch(self.slots, (hash >> self.shift) as usize);
        hash
    }

    /// Folds one pair, for which there must be room.
    #[inline(always)]
    fn fold_one<C: Combiner<V>>(&mut self, slot: &Slot, keys: Keys<'_>, value: V, combiner: &C) -> Result {
        match keys.of(slot) {
            AnyKey::Short(image) => self.fold_short(image, slot[3], value, combiner),
            AnyKey::Long(key) => self.fold_long(key, slot[3], value, combiner),
        }
    }

    #[inline(always)]
    fn fold_short<C: Combiner<V>>(&mut self, image: Image, hash: u64, value: V, combiner: &C) -> Result {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize & mask;
        let Image([a, b, c]) = image;
        loop {
            let slot = &mut self.slots[at];
            if (slot[0] ^ a) | (slot[1] ^ b) | (slot[2] ^ c) == 0 {
                return self.kept.combine(&mut slot[3], value, combiner);
            }
            if slot[2] == 0 {
                *slot = [a, b, c, self.kept.insert(value, combiner)];
                return Ok(());
            }
            at = (at + 1) & mask;
        }
    }

    #[inline(never)]
    fn fold_long<C: Combiner<V>>(&mut self, key: &[u8], hash: u64, value: V, combiner: &C) -> Result {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize & mask;
        let tag = LONG | key.len() as u64;
        loop {
            let slot = &mut self.slots[at];
            if slot[0] == hash && slot[2] == tag && self.kept.arena[slot[1] as usize..].starts_with(key) {
                return self.kept.combine(&mut slot[3], value, combiner);
            }
            if slot[2] == 0 {
                let place = self.kept.arena.len() as u64;
                self.kept.arena.extend_from_slice(key);
                *slot = [hash, place, tag, self.kept.insert(value, combiner)];
                return Ok(());
            }
            at = (at + 1) & mask;
        }
    }
}

impl<V: 'static> Kept<V> {
    /// Folds `value` into the one that a slot's last word stands for.
    #[inline(always)]
    fn combine<C: Combiner<V>>(&mut self, word: &mut u64, value: V, combiner: &C) -> Result {
        if let Some(mut acc) = from_word::<V>(*word) {
            combiner.combine(&mut acc, value)?;
            *word = to_word(&acc);
            return Ok(());
        }
        let Some(Some(acc)) = self.values.get_mut(*word as usize) else {
            return Err("a value was lost when its combiner panicked".into());
        };
        let before = combiner.heap(acc);
        combiner.combine(acc, value)?;
        self.heap = (self.heap + combiner.heap(acc)).saturating_sub(before);
        Ok(())
    }

    /// Takes in the value of a new key; returns the last word of its slot.
    #[inline(always)]
    fn insert<C: Combiner<V>>(&mut self, value: V, combiner: &C) -> u64 {
        self.len += 1;
        if is_word::<V>() {
            return to_word(&value);
        }
        self.heap += combiner.heap(&value);
        self.values.push(Some(value));
        self.values.len() as u64 - 1
    }
}
