//! What a reducer has folded of a partition so far, in memory, and how it comes out in order.
//!
//! It does not spill.

use super::order::{element, place};
use super::ranges::Ranges;
use super::task::KeyOrder;
use super::ties::{self, Room, common_start};
use crate::fold::{Contents, Places, Slot, Table};
use crate::key::{AnyKey, prefix};
use crate::os;
use crate::result::Result;

/// Slots are asked for so many places before they are used.
const AHEAD: usize = 8;

/// Keys and the folds of their values.
pub(super) struct Folded<V> {
    /// The bucket at hand. Its places are those of the hashes where that is the order that is wanted.
    pub(super) table: Table<V>,
    by: KeyOrder,
    /// Buckets whose keys are put in order together.
    buckets: usize,
    memory: usize,
    /// Slots of the buckets before; what they refer to is still in the table.
    held: Ranges,
    /// Bytes that `held` takes up.
    held_bytes: usize,
    order: Vec<u128>,
    /// What nearly all keys begin with: slots are divided by what is behind it.
    common: Vec<u8>,
    room: Room,
}

impl<V: 'static> Folded<V> {
    /// Nothing yet of `buckets` buckets whose keys are to be put in order together; `memory` is what may be held.
    pub(super) fn new(by: KeyOrder, buckets: usize, memory: usize) -> Self {
        let places = match by {
            // Rows that came out of a mapper's table stand in the order of its places, and would fill one end of this
            // table first, each new key behind a longer row of taken slots.
            KeyOrder::Key => Places::AGAIN,
            KeyOrder::Hash(buckets) => Places::ByHash(buckets),
        };
        Self {
            table: Table::new(places),
            by,
            buckets,
            memory,
            held: Ranges::new(),
            held_bytes: 0,
            order: Vec::new(),
            room: Room::default(),
            common: Vec::new(),
        }
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
            KeyOrder::Key => table + self.held_bytes + self.len() * size_of::<u128>(),
            KeyOrder::Hash(_) => table,
        }
    }

    /// Makes room in the table for the next bucket, if that is to be put in order together with this one.
    pub(super) fn hold(&mut self) {
        if self.by != KeyOrder::Key {
            return;
        }
        let (held, table) = (&mut self.held, &mut self.table);
        if held.len() == 0 {
            // One bucket by hash is like the other: its keys are a sample of all, and each takes as much memory.
            let expected = table.len() * self.buckets;
            let beside = (table.held() + table.len() * size_of::<u128>()).saturating_mul(self.buckets);
            let most = self.memory.saturating_sub(beside) / size_of::<Slot>();
            self.common = common_of(table);
            let common = &self.common;
            held.divide(expected, most, |ranks| {
                table.sample(ranks, |slot, contents| behind(common, slot, contents))
            });
        }
        let common = &self.common;
        table.drain_slots(|slot, contents| held.put(behind(common, &slot, contents), slot));
        self.held_bytes = held.capacity() * size_of::<Slot>();
    }

    /// Takes everything out, in order.
    pub(super) fn drain(&mut self, mut each: impl FnMut(&Slot, &mut Contents<'_, V>) -> Result) -> Result {
        if self.by != KeyOrder::Key {
            return self.table.drain_in_order(each);
        }
        self.hold();
        let mut contents = self.table.contents();
        for range in self.held.iter() {
            self.order.clear();
            let ranked = |(place, slot)| element(prefix_of(slot, &contents), place);
            self.order.extend(range.iter().enumerate().map(ranked));
            ties::sort(&mut self.order, &mut self.room, |one| contents.key(&range[place(one)]));
            for (i, element) in self.order.iter().enumerate() {
                if let Some(ahead) = self.order.get(i + AHEAD) {
                    os::prefetch(range, place(*ahead));
                }
                each(&range[place(*element)], &mut contents)?;
            }
        }
        self.held.clear();
        self.table.clear_contents();
        Ok(())
    }

    /// Gives all memory back.
    pub(super) fn shrink(&mut self) {
        *self = Self::new(self.by, self.buckets, self.memory);
    }
}

/// What the keys of a table begin with, by a sample; nothing, if that leaves enough of their first bytes.
fn common_of<V: 'static>(table: &mut Table<V>) -> Vec<u8> {
    const LEAST: usize = 4;
    const MOST: usize = 64;
    const KEYS: usize = 256;
    let begin = |slot: &Slot, contents: &Contents<'_, V>| {
        contents.key(slot).with_bytes(|key| key[..key.len().min(MOST)].to_vec())
    };
    let mut keys = table.sample(KEYS, begin);
    let Some(mut common) = keys.next() else { return Vec::new() };
    for key in keys {
        common.truncate(common_start(&common, &key));
        if common.len() < LEAST {
            return Vec::new();
        }
    }
    common
}

/// A number that orders keys as they are ordered, by what is behind `common` in those that begin with it.
#[inline(always)]
fn behind<V: 'static>(common: &[u8], slot: &Slot, contents: &Contents<'_, V>) -> u64 {
    if common.is_empty() {
        return prefix_of(slot, contents);
    }
    contents.key(slot).with_bytes(|key| match key.strip_prefix(common) {
        Some(rest) => prefix(rest),
        None if key < common => 0,
        None => u64::MAX,
    })
}

/// The first bytes of a slot's key.
#[inline(always)]
fn prefix_of<V: 'static>(slot: &Slot, contents: &Contents<'_, V>) -> u64 {
    match contents.key(slot) {
        AnyKey::Long(key) => prefix(key),
        AnyKey::Short(image) => image.prefix(),
    }
}
