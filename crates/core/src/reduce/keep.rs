//! Brings the rows of a partition into the order of (key, split, record) for reducers that see all values.
//!
//! A bucket is sorted while it lies in the cache. Where buckets are not in order among themselves, their groups are put
//! aside, and sorted by key when all are there. What exceeds the memory is spilled in order.

use std::cmp::Ordering;

use super::gathered::{Gathered, GatheredGroups};
use super::group::{AnyGroups, Groups};
use super::order::{self, place};
use super::spills::Spills;
use super::task::{KeyOrder, ReduceTask};
use crate::key::{self, prefix};
use crate::os;
use crate::result::Result;
use crate::run::{RowShape, parse_row, put_row};

/// The groups of a partition, in stretches that follow one another in order.
pub(crate) fn each_stretch(
    task: &ReduceTask<'_>,
    mut each: impl FnMut(&mut AnyGroups<'_>) -> Result,
) -> Result {
    let mut keep = Keep {
        task,
        rows: Vec::new(),
        starts: Vec::new(),
        order: Vec::new(),
        gathered: Gathered::default(),
        spills: Spills::new(task, RowShape::WithSplit),
    };
    let mut buffer = Vec::new();
    for buckets in task.stretches() {
        for bucket in buckets {
            keep.take_bucket(bucket, &mut buffer)?;
            if !task.ordered_buckets {
                keep.gather();
            }
        }
        if !keep.spills.is_empty() {
            keep.spill()?;
            each(&mut AnyGroups::Merge(keep.merge()?))?;
        } else if task.ordered_buckets {
            keep.sort();
            each(&mut AnyGroups::Held(Held {
                rows: &keep.rows,
                starts: &keep.starts,
                order: &keep.order,
                next: 0,
            }))?;
            keep.forget_rows();
        } else {
            keep.gathered.sort(task.order, &mut keep.order);
            each(&mut AnyGroups::Gathered(GatheredGroups::new(&keep.gathered, &keep.order)))?;
            keep.gathered.clear();
        }
    }
    Ok(())
}

struct Keep<'a> {
    task: &'a ReduceTask<'a>,
    /// Rows of a bucket, one behind the other, in the order in which they came.
    rows: Vec<u8>,
    starts: Vec<u64>,
    order: Vec<u128>,
    /// Groups of the buckets before.
    gathered: Gathered,
    spills: Spills<'a>,
}

impl Keep<'_> {
    fn take_bucket(&mut self, bucket: u32, buffer: &mut Vec<u8>) -> Result {
        let most = self.task.env.memory / 64;
        self.starts.reserve(most.min(self.task.count(bucket) as usize));
        let task = self.task;
        task.rows(bucket, buffer, |row| {
            self.make_room(row.key().len() + row.value().len())?;
            self.starts.push(self.rows.len() as u64);
            put_row(&mut self.rows, RowShape::WithSplit, row.key(), row.split, row.value());
            Ok(())
        })
    }

    #[inline(always)]
    fn make_room(&mut self, len: usize) -> Result {
        const BESIDE: usize = size_of::<u64>() + size_of::<u128>();
        let held = self.rows.len() + self.starts.len() * BESIDE + self.gathered.held();
        // A vector that grows is held twice for a moment, and rows are while they are gathered.
        if 2 * (held + len) > self.task.env.memory && held > 0 { self.spill() } else { Ok(()) }
    }

    /// Sorts the rows of the bucket.
    fn sort(&mut self) {
        let (rows, starts) = (&self.rows, &self.starts);
        let rank = |start: &u64| {
            let key = row_at(rows, *start).0;
            match self.task.order {
                KeyOrder::Key => prefix(key),
                KeyOrder::Hash(_) => key::hash(key),
            }
        };
        order::sort(&mut self.order, starts.iter().map(rank), |a, b| compare(rows, starts[a], starts[b]));
    }

    /// Puts the groups of the bucket aside.
    fn gather(&mut self) {
        self.sort();
        for element in &self.order {
            let (key, split, value) = row_at(&self.rows, self.starts[place(*element)]);
            self.gathered.put(key, split, value);
        }
        self.forget_rows();
    }

    #[cold]
    fn spill(&mut self) -> Result {
        self.gather();
        self.gathered.sort(self.task.order, &mut self.order);
        let (gathered, order) = (&self.gathered, &self.order);
        self.spills.add(|run| gathered.write(order, run))?;
        self.gathered.clear();
        self.task.go_on()
    }

    fn forget_rows(&mut self) {
        self.rows.clear();
        self.starts.clear();
    }

    /// All rows of the stretch, none of which is held any more.
    fn merge(&mut self) -> Result<super::Merge> {
        (self.rows, self.starts, self.order) = (Vec::new(), Vec::new(), Vec::new());
        self.gathered = Gathered::default();
        std::mem::replace(&mut self.spills, Spills::new(self.task, RowShape::WithSplit)).merge()
    }
}

/// Key, split and value of the row that begins at `start`.
#[inline(always)]
fn row_at(rows: &[u8], start: u64) -> (&[u8], u32, &[u8]) {
    let row = parse_row(rows, start as usize, RowShape::WithSplit).unwrap_or_default();
    let (key, rest) = rows[row.key_at..].split_at(row.key_len);
    (key, row.split, &rest[..row.value_len])
}

/// Rows of one split were put in the order of its records.
fn compare(rows: &[u8], a: u64, b: u64) -> Ordering {
    let ((key_a, split_a, _), (key_b, split_b, _)) = (row_at(rows, a), row_at(rows, b));
    key_a.cmp(key_b).then_with(|| (split_a, a).cmp(&(split_b, b)))
}

/// The rows of one bucket, in order.
pub(crate) struct Held<'k> {
    rows: &'k [u8],
    starts: &'k [u64],
    order: &'k [u128],
    next: usize,
}

impl<'k> Held<'k> {
    #[inline(always)]
    fn row(&self) -> Option<(&'k [u8], u32, &'k [u8])> {
        self.order.get(self.next).map(|element| row_at(self.rows, self.starts[place(*element)]))
    }
}

impl Groups for Held<'_> {
    fn next_group(&mut self, key: &mut Vec<u8>) -> Result<bool> {
        key.clear();
        let row = self.row();
        if let Some((first, ..)) = row {
            key.extend_from_slice(first);
        }
        Ok(row.is_some())
    }

    #[inline]
    fn next_value(&mut self, key: &[u8]) -> Result<Option<&[u8]>> {
        const AHEAD: usize = 8;
        if let Some(ahead) = self.order.get(self.next + AHEAD) {
            os::prefetch(self.rows, self.starts[place(*ahead)] as usize);
        }
        match self.row() {
            Some((found, _, value)) if found == key => {
                self.next += 1;
                Ok(Some(value))
            }
            _ => Ok(None),
        }
    }
}
