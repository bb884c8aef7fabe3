//! Folds the rows of a partition by key in a table that fits the cache, one bucket after the other.
//!
//! Where the keys do not fit the memory there is, they are spilled in order and merged at the end.

use super::folded::Folded;
use super::group::Groups;
use super::spills::Spills;
use super::task::ReduceTask;
use crate::api::Combiner;
use crate::datum::Datum;
use crate::fold::{Batch, value};
use crate::key::AnyKey;
use crate::result::Result;
use crate::run::{RowShape, RunWriter, put_row};

/// Keys are told to go on after so many.
const BREATH: usize = 1 << 10;

/// Calls `each` with every key of the partition and the fold of its values.
pub(crate) fn fold_partition<V: Datum, C: Combiner<V>>(
    task: &ReduceTask<'_>,
    combiner: &C,
    mut each: impl FnMut(AnyKey<'_>, V) -> Result,
) -> Result {
    let buckets = task.stretches().next().map_or(0, |stretch| stretch.len());
    let mut fold = Fold {
        task,
        combiner,
        folded: Folded::new(task.order, buckets, task.env.memory),
        batch: Batch::default(),
        buffer: Vec::new(),
        spills: Spills::new(task, RowShape::Plain),
    };
    for buckets in task.stretches() {
        // The combiner sees pairs of any group.
        task.env.flight.no_group();
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
    folded: Folded<V>,
    batch: Batch<V>,
    buffer: Vec<u8>,
    spills: Spills<'a>,
}

impl<V: Datum, C: Combiner<V>> Fold<'_, V, C> {
    /// Folds a bucket.
    fn take_rows(&mut self, bucket: u32) -> Result {
        let mut buffer = std::mem::take(&mut self.buffer);
        let taken = self.task.rows(bucket, &mut buffer, |row| {
            let (tail, len) = row.value_within();
            let value = value::decode_within(tail, len)?;
            let full = match row.image() {
                Some(image) => self.batch.push_image(image, value),
                None => self.batch.push(row.key(), value),
            };
            if full { self.fold_batch() } else { Ok(()) }
        });
        self.buffer = buffer;
        taken?;
        self.fold_batch()?;
        self.folded.hold();
        Ok(())
    }

    #[inline(never)]
    fn fold_batch(&mut self) -> Result {
        let (folded, memory) = (&mut self.folded, self.task.env.memory);
        if !folded.table.has_room() {
            if folded.bytes() + folded.table.growth() > memory && folded.len() > 0 {
                self.spill()?;
            }
            let table = &mut self.folded.table;
            if !table.has_room() {
                table.grow();
            }
        }
        self.folded.table.probe().fold(&mut self.batch, self.combiner)?;
        // Accumulators grow without new keys.
        if self.folded.bytes() > memory && self.folded.len() > 1 { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result {
        let folded = &mut self.folded;
        self.spills.add(|run| {
            let mut rows = Rows { run, bytes: Vec::new(), count: 0 };
            let mut code = Vec::new();
            folded.drain(|slot, contents| {
                let value = contents.value(slot)?;
                code.clear();
                value::encode_into(&value, &mut code)?;
                contents.key(slot).with_bytes(|key| rows.put(key, &code))
            })?;
            rows.finish()
        })?;
        // Memory that stays behind would count, and be the reason for the next spill.
        self.folded.shrink();
        Ok(())
    }

    /// Calls `each` for everything that was folded, in order.
    fn give_out(&mut self, each: &mut impl FnMut(AnyKey<'_>, V) -> Result) -> Result {
        if !self.spills.is_empty() {
            self.spill()?;
            let spills = std::mem::replace(&mut self.spills, Spills::new(self.task, RowShape::Plain));
            return self.give_out_merged(spills, each);
        }
        let (task, mut keys) = (self.task, 0_usize);
        self.folded.drain(|slot, contents| {
            if keys.is_multiple_of(BREATH) {
                task.go_on()?;
            }
            keys += 1;
            let value = contents.value(slot)?;
            each(contents.key(slot), value)
        })
    }

    fn give_out_merged(&self, spills: Spills<'_>, each: &mut impl FnMut(AnyKey<'_>, V) -> Result) -> Result {
        let mut merge = spills.merge()?;
        let mut key = Vec::new();
        while merge.next_group(&mut key)? {
            let mut folded: Option<V> = None;
            while let Some(next) = merge.next_value(&key)? {
                let value = value::decode(next.code)?;
                match &mut folded {
                    Some(acc) => self.combiner.combine(acc, value)?,
                    None => folded = Some(value),
                }
            }
            self.task.go_on()?;
            if let Some(folded) = folded {
                each(AnyKey::Long(&key), folded)?;
            }
        }
        Ok(())
    }
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
