//! The combine table: one slot per key, values folded as they come.
//!
//! Open addressing with linear probing over slots of four words: the key's image, and the value or where it is. Keys
//! without an image lie in an arena. It does not decide how large it may grow, and it keeps no order.

use std::cmp::Ordering;

use super::batch::BATCH;
use super::keys::Slot;
use super::probe::Probe;
use super::slot::{Contents, Kept, Places, slot_hash};
use crate::os;
use crate::result::Result;

const LEAST_SLOTS: usize = 1 << 10;
/// Below this many slots a table grows fourfold: it is cheap, and spares moving the slots twice.
const SMALL: usize = 1 << 12;
/// So many slots in a row are sorted without a call.
const FEW: usize = 12;

/// Keys and their folded values.
pub(crate) struct Table<V> {
    slots: os::Slots,
    /// How far a hash is shifted to become the index of a slot.
    shift: u32,
    places: Places,
    kept: Kept<V>,
}

impl<V: 'static> Table<V> {
    pub(crate) fn new(places: Places) -> Self {
        let kept = Kept { len: 0, arena: Vec::new(), values: Vec::new(), heap: 0 };
        Self { slots: os::Slots::default(), shift: 63, places, kept }
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kept.len == 0
    }

    /// Bytes held, for the memory budget.
    pub(crate) fn held(&self) -> usize {
        size_of_val(&self.slots[..])
            + self.kept.arena.capacity()
            + self.kept.values.capacity() * size_of::<Option<V>>()
            + self.kept.heap
    }

    /// Whether two whole batches of new keys fit without growing.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        (self.kept.len + 2 * BATCH) * 10 <= self.slots.len() * 7
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

    /// The table with its slots in reach, for a batch or two.
    #[inline(always)]
    pub(crate) fn probe(&mut self) -> Probe<'_, V> {
        Probe { slots: &mut self.slots, shift: self.shift, places: self.places, kept: &mut self.kept }
    }

    /// Takes every key out, and gives back the memory of all but the slots: it would count as held, and be the reason to
    /// take every key out again. The order means nothing.
    ///
    /// `each` gets up to [`BATCH`] slots at once, and where their values are to be had.
    pub(crate) fn drain(&mut self, mut each: impl FnMut(&[Slot], &mut Contents<'_, V>) -> Result) -> Result {
        let mut left = self.kept.len;
        let mut contents = self.kept.contents();
        let mut drained = Ok(());
        let mut taken = [[0; 4]; BATCH];
        for slots in self.slots.chunks_mut(BATCH) {
            if left == 0 {
                break;
            }
            // Whether a slot is taken cannot be foreseen: each is copied, and is overwritten by the next if it is free.
            let mut n = 0;
            for slot in &mut *slots {
                taken[n] = *slot;
                n += usize::from(slot[2] != 0);
            }
            slots.fill([0; 4]);
            left -= n;
            if drained.is_ok() {
                drained = each(&taken[..n], &mut contents);
            }
        }
        self.clear_contents();
        (self.kept.arena, self.kept.values) = (Vec::new(), Vec::new());
        drained
    }

    /// What `of` says of about `most` keys from all over the table, or of all if there are no more.
    pub(crate) fn sample<T>(
        &mut self,
        most: usize,
        of: impl Fn(&Slot, &Contents<'_, V>) -> T,
    ) -> impl Iterator<Item = T> {
        let every = (self.kept.len / most.max(1)).max(1);
        let contents = self.kept.contents();
        let taken = self.slots.iter().filter(|slot| slot[2] != 0);
        taken.step_by(every).map(move |slot| of(slot, &contents))
    }

    /// Takes the slots out and leaves what they refer to: [`Table::contents`] until [`Table::clear_contents`].
    pub(crate) fn drain_slots(&mut self, mut each: impl FnMut(Slot, &Contents<'_, V>)) {
        let mut left = std::mem::take(&mut self.kept.len);
        let contents = self.kept.contents();
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
        let (mut left, slots) = (std::mem::take(&mut self.kept.len), &mut self.slots[..]);
        let (mut contents, places, shift) = (self.kept.contents(), self.places, self.shift);
        // Slots for which there was no room at the end are at the front, before the first free one and before their homes.
        let (mut first, mut wrapped, mut together) = (0, Vec::new(), Vec::new());
        while left > 0 && first < slots.len() {
            let at = (first..slots.len()).find(|at| slots[*at][2] == 0).unwrap_or(slots.len());
            if at == first + 1 && first > 0 && at < slots.len() {
                // One that is alone needs no hash.
                each(&std::mem::take(&mut slots[first]), &mut contents)?;
                left -= 1;
            } else if at > first {
                for (at, slot) in (first..).zip(&slots[first..at]) {
                    together.push((slot_hash(slot, places), at));
                }
                if first == 0 {
                    wrapped.extend(together.extract_if(.., |(hash, at)| (*hash >> shift) as usize > *at));
                }
                if at == slots.len() {
                    together.append(&mut wrapped);
                }
                left -= together.len();
                sort(&mut together, |a, b| contents.compare(&slots[a], &slots[b]));
                for (_, at) in together.drain(..) {
                    each(&std::mem::take(&mut slots[at]), &mut contents)?;
                }
            }
            first = at + 1;
        }
        self.clear_contents();
        if left == 0 { Ok(()) } else { Err("keys were lost in a table".into()) }
    }

    /// What slots refer to that were taken out.
    pub(crate) fn contents(&mut self) -> Contents<'_, V> {
        self.kept.contents()
    }

    /// Frees what slots referred to that were taken out.
    pub(crate) fn clear_contents(&mut self) {
        self.kept.len = 0;
        self.kept.arena.clear();
        self.kept.values.clear();
        self.kept.heap = 0;
    }
}

/// Sorts hashes with the places of their slots; those of one hash as `compare` says.
#[inline(always)]
fn sort(placed: &mut [(u64, usize)], compare: impl Fn(usize, usize) -> Ordering) {
    let order = |a: &(u64, usize), b: &(u64, usize)| a.0.cmp(&b.0).then_with(|| compare(a.1, b.1));
    if placed.len() > FEW {
        return placed.sort_unstable_by(order);
    }
    // Insertion: they are nearly in order.
    for sorted in 1..placed.len() {
        for i in (0..sorted).rev() {
            if order(&placed[i], &placed[i + 1]).is_le() {
                break;
            }
            placed.swap(i, i + 1);
        }
    }
}
