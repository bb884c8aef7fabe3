//! The combine table: one slot per key, values folded as they come.
//!
//! Open addressing with linear probing over slots of four words: the key's image, and the value or where it is. Keys
//! without an image lie in an arena. It does not decide how large it may grow, and it keeps no order.

use std::cmp::Ordering;

use super::batch::{BATCH, Batch, BatchKey};
use super::value::{from_word, is_word, to_word};
use crate::api::Combiner;
use crate::key::{self, Image, long_table_hash};
use crate::os;
use crate::result::Result;
use crate::text::Word;

/// Three words of key, one of value. All zeros: free.
///
/// A short key stands there as its [`Image`]. A long one as its hash, its place in the arena and its length, marked in
/// the top byte. A value that is no integer is the index of one.
pub(crate) type Slot = [u64; 4];

const LONG: u64 = 0xff << 56;
const LEAST_SLOTS: usize = 1 << 10;
/// Below this many slots a table grows fourfold: it is cheap, and spares moving the slots twice.
const SMALL: usize = 1 << 12;

/// Keys and their folded values.
pub(crate) struct Table<V> {
    slots: os::Slots,
    /// How far a hash is shifted to become the index of a slot.
    shift: u32,
    len: usize,
    arena: Vec<u8>,
    values: Vec<Option<V>>,
    /// Bytes that values report to hold on the heap.
    heap: usize,
    places: Places,
}

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
    #[inline(always)]
    fn of(self, key: BatchKey<'_>) -> u64 {
        match (self, key) {
            (Self::Mixed(seed), BatchKey::Short(image)) => image.table_hash(seed),
            (Self::Mixed(seed), BatchKey::Long(key)) => long_table_hash(key, seed),
            (Self::ByHash(buckets), BatchKey::Short(image)) => key::within_bucket(image.hash(), buckets),
            (Self::ByHash(buckets), BatchKey::Long(key)) => key::within_bucket(key::hash(key), buckets),
        }
    }
}

/// Whether the key of a slot lies in the arena.
#[inline(always)]
pub(crate) fn is_long(slot: &Slot) -> bool {
    slot[2] >= LONG
}

impl<V: 'static> Table<V> {
    pub(crate) fn new(places: Places) -> Self {
        Self {
            slots: os::Slots::default(),
            shift: 63,
            len: 0,
            arena: Vec::new(),
            values: Vec::new(),
            heap: 0,
            places,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes held, for the memory budget.
    pub(crate) fn held(&self) -> usize {
        size_of_val(&self.slots[..])
            + self.arena.capacity()
            + self.values.capacity() * size_of::<Option<V>>()
            + self.heap
    }

    /// Whether two whole batches of new keys fit without growing.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        (self.len + 2 * BATCH) * 10 <= self.slots.len() * 7
    }

    /// Bytes of the smallest table that holds anything.
    pub(crate) fn least(&self) -> usize {
        2 * LEAST_SLOTS * size_of::<Slot>()
    }

    /// Bytes that [`Table::grow`] would hold for a moment beyond what is held now.
    pub(crate) fn growth(&self) -> usize {
        self.next_size() * size_of::<Slot>()
    }

    fn next_size(&self) -> usize {
        let factor = if self.slots.len() < SMALL { 4 } else { 2 };
        (self.slots.len() * factor).max(LEAST_SLOTS)
    }

    /// Moves every key to a larger table.
    pub(crate) fn grow(&mut self) {
        let larger = os::Slots::zeroed(self.next_size());
        let before = std::mem::replace(&mut self.slots, larger);
        self.shift = 64 - self.slots.len().trailing_zeros();
        let mask = self.slots.len() - 1;
        for slot in before.iter().filter(|slot| slot[2] != 0) {
            let mut at = (slot_hash(slot, self.places) >> self.shift) as usize;
            while self.slots[at & mask][2] != 0 {
                at += 1;
            }
            self.slots[at & mask] = *slot;
        }
    }

    /// Folds all pairs of `batch`, for which there must be room.
    #[inline(always)]
    pub(crate) fn fold<C: Combiner<V>>(&mut self, batch: &mut Batch<V>, combiner: &C) -> Result {
        let mut hashes = [0; BATCH];
        for (hash, key) in hashes.iter_mut().zip(batch.keys().iter()) {
            *hash = self.expect(key);
        }
        let fold =
            |i: usize, key: BatchKey<'_>, value| self.fold_one(key, hashes[i % BATCH], value, combiner);
        if C::CANNOT_DIE { batch.take::<false>(fold) } else { batch.take::<true>(fold) }
    }

    /// Asks for the memory where a key belongs; returns the hash that [`Table::fold_one`] wants.
    #[inline(always)]
    pub(crate) fn expect(&self, key: BatchKey<'_>) -> u64 {
        let hash = self.places.of(key);
        os::prefetch(&self.slots, (hash >> self.shift) as usize);
        hash
    }

    /// Folds one pair, for which there must be room.
    #[inline(always)]
    pub(crate) fn fold_one<C: Combiner<V>>(
        &mut self,
        key: BatchKey<'_>,
        hash: u64,
        value: V,
        combiner: &C,
    ) -> Result {
        match key {
            BatchKey::Short(image) => self.fold_short(image, hash, value, combiner),
            BatchKey::Long(key) => self.fold_long(key, hash, value, combiner),
        }
    }

    #[inline(always)]
    fn fold_short<C: Combiner<V>>(&mut self, image: Image, hash: u64, value: V, combiner: &C) -> Result {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize & mask;
        let Image([a, b, c]) = image;
        loop {
            let slot = self.slots[at];
            if (slot[0] ^ a) | (slot[1] ^ b) | (slot[2] ^ c) == 0 {
                return self.combine(at, value, combiner);
            }
            if slot[2] == 0 {
                break;
            }
            at = (at + 1) & mask;
        }
        self.insert(at, image.0, value, combiner);
        Ok(())
    }

    #[inline(never)]
    fn fold_long<C: Combiner<V>>(&mut self, key: &[u8], hash: u64, value: V, combiner: &C) -> Result {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize & mask;
        let tag = LONG | key.len() as u64;
        loop {
            let slot = self.slots[at];
            if slot[0] == hash && slot[2] == tag && self.arena[slot[1] as usize..].starts_with(key) {
                return self.combine(at, value, combiner);
            }
            if slot[2] == 0 {
                break;
            }
            at = (at + 1) & mask;
        }
        let place = self.arena.len() as u64;
        self.arena.extend_from_slice(key);
        self.insert(at, [hash, place, tag], value, combiner);
        Ok(())
    }

    #[inline(always)]
    fn combine<C: Combiner<V>>(&mut self, at: usize, value: V, combiner: &C) -> Result {
        let word = &mut self.slots[at][3];
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

    #[inline(always)]
    fn insert<C: Combiner<V>>(&mut self, at: usize, [a, b, c]: [u64; 3], value: V, combiner: &C) {
        let word = if is_word::<V>() {
            to_word(&value)
        } else {
            self.heap += combiner.heap(&value);
            self.values.push(Some(value));
            self.values.len() as u64 - 1
        };
        self.slots[at] = [a, b, c, word];
        self.len += 1;
    }

    /// Takes every key out, and gives back the memory of all but the slots: it would count as held, and be the reason to
    /// take every key out again. The order means nothing.
    ///
    /// `each` gets the slot and where the value is to be had.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(Slot, Contents<'_, V>) -> Result) -> Result {
        let mut contents = Contents { arena: &self.arena, values: &mut self.values };
        let mut left = self.len;
        let mut drained = Ok(());
        for slot in self.slots.iter_mut() {
            if slot[2] != 0 && drained.is_ok() {
                drained = each(std::mem::take(slot), contents.reborrow());
                left -= 1;
            }
            if left == 0 {
                break;
            }
            *slot = [0; 4];
        }
        self.clear_contents();
        (self.arena, self.values) = (Vec::new(), Vec::new());
        drained
    }

    /// What `of` says of about `most` keys from all over the table, or of all if there are no more.
    pub(crate) fn sample<T>(
        &mut self,
        most: usize,
        of: impl Fn(&Slot, &Contents<'_, V>) -> T,
    ) -> impl Iterator<Item = T> {
        let contents = Contents { arena: &self.arena, values: &mut self.values };
        let taken = self.slots.iter().filter(|slot| slot[2] != 0);
        taken.step_by((self.len / most.max(1)).max(1)).map(move |slot| of(slot, &contents))
    }

    /// Takes the slots out and leaves what they refer to: [`Table::contents`] until [`Table::clear_contents`].
    pub(crate) fn drain_slots(&mut self, mut each: impl FnMut(Slot, &Contents<'_, V>)) {
        let contents = Contents { arena: &self.arena, values: &mut self.values };
        let mut left = std::mem::take(&mut self.len);
        for slot in self.slots.iter_mut() {
            if left == 0 {
                break;
            }
            if slot[2] != 0 {
                each(std::mem::take(slot), &contents);
                left -= 1;
            }
        }
    }

    /// Takes every key out in the order of the hashes by which they were placed, keys of one hash in their own order.
    ///
    /// Only slots that follow each other without a free one between them can be out of order.
    pub(crate) fn drain_in_order(
        &mut self,
        mut each: impl FnMut(&Slot, &mut Contents<'_, V>) -> Result,
    ) -> Result {
        let (mut contents, places) = (Contents { arena: &self.arena, values: &mut self.values }, self.places);
        let mut left = std::mem::take(&mut self.len);
        // Slots for which there was no room at the end are at the front, before the first free one.
        let (mut at_front, mut wrapped, mut together) = (true, Vec::new(), Vec::new());
        for slot in self.slots.iter_mut() {
            if slot[2] == 0 {
                at_front = false;
                give(&mut together, &mut contents, &mut each)?;
                if left == 0 {
                    break;
                }
                continue;
            }
            let placed = (slot_hash(slot, places), std::mem::take(slot));
            if at_front && placed.0 >> 63 == 1 {
                wrapped.push(placed)
            } else {
                together.push(placed)
            }
            left -= 1;
        }
        together.append(&mut wrapped);
        give(&mut together, &mut contents, &mut each)?;
        self.clear_contents();
        Ok(())
    }

    /// What slots refer to that were taken out.
    pub(crate) fn contents(&mut self) -> Contents<'_, V> {
        Contents { arena: &self.arena, values: &mut self.values }
    }

    /// Frees what slots referred to that were taken out.
    pub(crate) fn clear_contents(&mut self) {
        self.len = 0;
        self.arena.clear();
        self.values.clear();
        self.heap = 0;
    }
}

/// Gives a few slots to `each`, in the order of their hashes.
#[inline(always)]
fn give<V: 'static>(
    slots: &mut Vec<(u64, Slot)>,
    contents: &mut Contents<'_, V>,
    each: &mut impl FnMut(&Slot, &mut Contents<'_, V>) -> Result,
) -> Result {
    if slots.len() > 1 {
        slots.sort_unstable_by(|(a_hash, a), (b_hash, b)| {
            a_hash.cmp(b_hash).then_with(|| contents.compare(a, b))
        });
    }
    slots.iter().try_for_each(|(_, slot)| each(slot, contents))?;
    slots.clear();
    Ok(())
}

/// The hash by which a slot was placed.
#[inline(always)]
fn slot_hash(slot: &Slot, places: Places) -> u64 {
    let [a, b, c, _] = *slot;
    if is_long(slot) { a } else { places.of(BatchKey::Short(Image([a, b, c]))) }
}

/// What slots refer to.
pub(crate) struct Contents<'t, V> {
    arena: &'t [u8],
    values: &'t mut Vec<Option<V>>,
}

impl<'t, V: 'static> Contents<'t, V> {
    fn reborrow(&mut self) -> Contents<'_, V> {
        Contents { arena: self.arena, values: self.values }
    }

    /// Adds the pair of a slot to `batch`; true if that is full now.
    #[inline(always)]
    pub(crate) fn batch(&mut self, slot: &Slot, batch: &mut Batch<V>) -> Result<bool> {
        let value = self.value(slot)?;
        let [a, b, c, _] = *slot;
        Ok(if is_long(slot) {
            batch.push(self.long_key(slot), value)
        } else {
            batch.push_image(Image([a, b, c]), value)
        })
    }

    /// Calls `then` with the key of a slot.
    #[inline(always)]
    pub(crate) fn with_key<R>(&self, slot: &Slot, then: impl FnOnce(Word<'_>) -> R) -> R {
        if is_long(slot) {
            return then(Word::new(self.long_key(slot)));
        }
        let image = Image([slot[0], slot[1], slot[2]]);
        then(Word::within(&image.bytes(), image.len()))
    }

    /// How the keys of two slots are ordered.
    pub(crate) fn compare(&self, a: &Slot, b: &Slot) -> Ordering {
        self.with_key(a, |a| self.with_key(b, |b| a.bytes().cmp(b.bytes())))
    }

    /// The key of a slot that has it in the arena.
    pub(crate) fn long_key(&self, slot: &Slot) -> &'t [u8] {
        &self.arena[slot[1] as usize..][..(slot[2] & !LONG) as usize]
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
