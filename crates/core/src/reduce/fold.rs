//! Folds the rows of a partition by key in a table that fits the cache, one bucket after the other.
//!
//! Where the keys do not fit the memory there is, they are spilled in order and merged at the end.

use super::group::Groups;
use super::order::{self, element, place};
use super::spills::Spills;
use super::task::{KeyOrder, ReduceTask};
use crate::api::Combiner;
use crate::datum::Datum;
use crate::fold::{Batch, Contents, Places, Slot, Table, is_long, value};
use crate::key::{Image, prefix};
use crate::os;
use crate::result::Result;
use crate::run::{RowShape, RunWriter, put_row};
use crate::text::Word;

/// Keys are told to go on after so many.
const BREATH: usize = 1 << 10;

/// Calls `each` with every key of the partition and the fold of its values.
pub(crate) fn fold_partition<V: Datum, C: Combiner<V>>(
    task: &ReduceTask<'_>,
    combiner: &C,
    mut each: impl FnMut(Word<'_>, V) -> Result,
) -> Result {
    let places = match task.order {
        // Another seed than the mappers': rows that came out of a table stand in the order of its places, and would fill
        // one end of this table first, each new key behind a longer row of taken slots.
        KeyOrder::Key => Places::Mixed(1),
        KeyOrder::Hash(buckets) => Places::ByHash(buckets),
    };
    let mut fold = Fold {
        task,
        combiner,
        table: Table::new(places),
        batch: Batch::default(),
        held: Vec::new(),
        order: Vec::new(),
        buffer: Vec::new(),
        spills: Spills::new(task),
    };
    for buckets in task.stretches() {
        for bucket in buckets {
            fold.take_rows(bucket)?;
        }
        fold.give_out(&mut each)?;
    }
    Ok(())
}

struct Fold<'a, V, C> {
    task: &'a ReduceTask<'a>,
    combiner: &'a C,
    table: Table<V>,
    batch: Batch<V>,
    /// Slots of buckets that are folded; what they refer to is still in the table.
    held: Vec<Slot>,
    /// Their order, by place. Where that is the one of the hashes, each slot comes to it as it is put aside.
    order: Vec<u128>,
    buffer: Vec<u8>,
    spills: Spills<'a>,
}

impl<V: Datum, C: Combiner<V>> Fold<'_, V, C> {
    /// Folds a bucket.
    fn take_rows(&mut self, bucket: u32) -> Result {
        let mut buffer = std::mem::take(&mut self.buffer);
        let taken = self.task.rows(bucket, &mut buffer, |row| {
            let value = value::decode(row.value())?;
            let full = match row.image() {
                Some(image) => self.batch.push_image(image, value),
                None => self.batch.push(row.key(), value),
            };
            if full { self.fold_batch() } else { Ok(()) }
        });
        self.buffer = buffer;
        taken?;
        self.fold_batch()?;
        self.hold();
        Ok(())
    }

    #[inline(never)]
    fn fold_batch(&mut self) -> Result {
        if !self.table.has_room() {
            if self.bytes() + self.table.growth() > self.task.env.memory
                && self.table.len() + self.held.len() > 0
            {
                self.spill()?;
            }
            if !self.table.has_room() {
                self.table.grow();
            }
        }
        self.table.fold(&mut self.batch, self.combiner)?;
        // Accumulators grow without new keys.
        if self.bytes() > self.task.env.memory && self.table.len() + self.held.len() > 1 {
            self.spill()
        } else {
            Ok(())
        }
    }

    fn bytes(&self) -> usize {
        // A slot that is held will be sorted by sixteen bytes of its own.
        let slots = self.table.len() + self.held.len();
        self.table.held() + self.held.capacity() * size_of::<Slot>() + slots * size_of::<u128>()
    }

    /// Makes room in the table for the next bucket.
    fn hold(&mut self) {
        let (held, order) = (&mut self.held, &mut self.order);
        held.reserve(self.table.len());
        if self.task.order == KeyOrder::Key {
            return self.table.drain_slots(|_, slot| held.push(slot));
        }
        order.reserve(self.table.len());
        self.table.drain_slots(|hash, slot| {
            order.push(element(hash, held.len()));
            held.push(slot);
        });
    }

    fn sort(&mut self) {
        self.hold();
        let (held, contents) = (&self.held, self.table.contents());
        let tie = |a: usize, b: usize| {
            with_key(&held[a], &contents, |a| with_key(&held[b], &contents, |b| a.bytes().cmp(b.bytes())))
        };
        match self.task.order {
            KeyOrder::Key => {
                let prefixes = held.iter().map(|slot| prefix_of(slot, &contents));
                order::sort(&mut self.order, prefixes, tie);
            }
            KeyOrder::Hash(_) => order::sort_nearly(&mut self.order, tie),
        }
    }

    fn spill(&mut self) -> Result {
        self.sort();
        let (order, held, mut contents) = (&self.order, &self.held, self.table.contents());
        self.spills.add(|run| {
            let mut rows = Rows { run, bytes: Vec::new(), count: 0 };
            let mut code = Vec::new();
            for element in order {
                let slot = &held[place(*element)];
                let value = contents.value(slot)?;
                code.clear();
                value::encode_into(&value, &mut code)?;
                with_key(slot, &contents, |key| rows.put(key.bytes(), &code))?;
            }
            rows.finish()
        })?;
        // Memory that stays behind would count, and be the reason for the next spill.
        (self.held, self.order) = (Vec::new(), Vec::new());
        self.table.shrink();
        Ok(())
    }

    /// Calls `each` for everything that was folded, in order.
    fn give_out(&mut self, each: &mut impl FnMut(Word<'_>, V) -> Result) -> Result {
        if !self.spills.is_empty() {
            self.spill()?;
            let spills = std::mem::replace(&mut self.spills, Spills::new(self.task));
            self.table.shrink();
            return self.give_out_merged(spills, each);
        }
        self.sort();
        let (held, mut contents) = (&self.held, self.table.contents());
        for (i, element) in self.order.iter().enumerate() {
            if i % BREATH == 0 {
                self.task.go_on()?;
            }
            if let Some(ahead) = self.order.get(i + AHEAD) {
                os::prefetch(held, place(*ahead));
            }
            let slot = &held[place(*element)];
            let value = contents.value(slot)?;
            with_key(slot, &contents, |key| each(key, value))?;
        }
        self.forget();
        Ok(())
    }

    fn give_out_merged(&self, spills: Spills<'_>, each: &mut impl FnMut(Word<'_>, V) -> Result) -> Result {
        let mut merge = spills.merge()?;
        let mut key = Vec::new();
        while merge.next_group(&mut key)? {
            let mut folded: Option<V> = None;
            while let Some(code) = merge.next_value(&key)? {
                let value = value::decode(code)?;
                match &mut folded {
                    Some(acc) => self.combiner.combine(acc, value)?,
                    None => folded = Some(value),
                }
            }
            self.task.go_on()?;
            if let Some(folded) = folded {
                each(Word::new(&key), folded)?;
            }
        }
        Ok(())
    }

    fn forget(&mut self) {
        self.held.clear();
        self.order.clear();
        self.table.clear_contents();
    }
}

/// Slots are asked for so many places before they are used.
const AHEAD: usize = 8;

/// The first bytes of a slot's key.
#[inline(always)]
fn prefix_of<V: 'static>(slot: &Slot, contents: &Contents<'_, V>) -> u64 {
    let [a, b, c, _] = *slot;
    if is_long(slot) { prefix(contents.long_key(slot)) } else { Image([a, b, c]).prefix() }
}

#[inline(always)]
fn with_key<V: 'static, R>(slot: &Slot, contents: &Contents<'_, V>, then: impl FnOnce(Word<'_>) -> R) -> R {
    if is_long(slot) {
        return then(Word::new(contents.long_key(slot)));
    }
    let image = Image([slot[0], slot[1], slot[2]]);
    then(Word::within(&image.bytes(), image.len()))
}

/// Rows on their way into a spill.
struct Rows<'r> {
    run: &'r mut RunWriter,
    bytes: Vec<u8>,
    count: u64,
}

impl Rows<'_> {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result {
        const GATHER: usize = 64 << 10;
        put_row(&mut self.bytes, RowShape::Plain, key, 0, value);
        self.count += 1;
        if self.bytes.len() >= GATHER { self.pass_on() } else { Ok(()) }
    }

    fn pass_on(&mut self) -> Result {
        self.run.write(&self.bytes, std::mem::take(&mut self.count))?;
        self.bytes.clear();
        Ok(())
    }

    fn finish(mut self) -> Result {
        self.pass_on()
    }
}
