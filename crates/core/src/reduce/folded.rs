//! What a reducer has folded of a partition so far, in memory, and how it comes out in order.
//!
//! It does not spill.

use super::order::{self, place};
use super::task::KeyOrder;
use crate::fold::{Contents, Places, Slot, Table, is_long};
use crate::key::{Image, prefix};
use crate::os;
use crate::result::Result;

/// Slots are asked for so many places before they are used.
const AHEAD: usize = 8;

/// Keys and the folds of their values.
pub(super) struct Folded<V> {
    /// The bucket at hand. Its places are those of the hashes where that is the order that is wanted.
    pub(super) table: Table<V>,
    by: KeyOrder,
    /// Slots of the buckets before, to be put in order together; what they refer to is still in the table.
    held: Vec<Slot>,
    order: Vec<u128>,
}

impl<V: 'static> Folded<V> {
    pub(super) fn new(by: KeyOrder) -> Self {
        let places = match by {
            // Another seed than the mappers': rows that came out of a table stand in the order of its places, and would
            // fill one end of this table first, each new key behind a longer row of taken slots.
            KeyOrder::Key => Places::Mixed(1),
            KeyOrder::Hash(buckets) => Places::ByHash(buckets),
        };
        Self { table: Table::new(places), by, held: Vec::new(), order: Vec::new() }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.table.len() + self.held.len()
    }

    /// Bytes held, for the memory budget.
    pub(super) fn bytes(&self) -> usize {
        let table = self.table.held();
        match self.by {
            // A slot that is held will be sorted by sixteen bytes of its own.
            KeyOrder::Key => {
                table + self.held.capacity() * size_of::<Slot>() + self.len() * size_of::<u128>()
            }
            KeyOrder::Hash(_) => table,
        }
    }

    /// Makes room in the table for the next bucket, if that is to be put in order together with this one.
    pub(super) fn hold(&mut self) {
        if self.by == KeyOrder::Key {
            let held = &mut self.held;
            held.reserve(self.table.len());
            self.table.drain_slots(|slot| held.push(slot));
        }
    }

    /// Takes everything out, in order.
    pub(super) fn drain(&mut self, mut each: impl FnMut(&Slot, &mut Contents<'_, V>) -> Result) -> Result {
        if self.by != KeyOrder::Key {
            return self.table.drain_in_order(each);
        }
        self.hold();
        let (held, mut contents) = (&self.held, self.table.contents());
        let prefixes = held.iter().map(|slot| prefix_of(slot, &contents));
        order::sort(&mut self.order, prefixes, |a, b| contents.compare(&held[a], &held[b]));
        for (i, element) in self.order.iter().enumerate() {
            if let Some(ahead) = self.order.get(i + AHEAD) {
                os::prefetch(held, place(*ahead));
            }
            each(&held[place(*element)], &mut contents)?;
        }
        self.held.clear();
        self.table.clear_contents();
        Ok(())
    }

    /// Gives all memory back.
    pub(super) fn shrink(&mut self) {
        *self = Self::new(self.by);
    }
}

/// The first bytes of a slot's key.
#[inline(always)]
fn prefix_of<V: 'static>(slot: &Slot, contents: &Contents<'_, V>) -> u64 {
    let [a, b, c, _] = *slot;
    if is_long(slot) { prefix(contents.long_key(slot)) } else { Image([a, b, c]).prefix() }
}
