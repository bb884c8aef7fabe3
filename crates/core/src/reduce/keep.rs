//! Brings the rows of a partition into the order of (key, split, record) for reducers that see all values.
//!
//! A bucket is sorted while it lies in the cache. Where buckets are not in order among themselves, their groups are put
//! aside, and sorted by key when all are there. What exceeds the memory is spilled in order.

use super::gathered::Gathered;
use super::group::AnyGroups;
use super::held::HeldRows;
use super::spills::Spills;
use super::task::ReduceTask;
use crate::result::Result;
use crate::run::RowShape;

/// The groups of a partition, in stretches that follow one another in order.
pub(crate) fn each_stretch(
    task: &ReduceTask<'_>,
    mut each: impl FnMut(&mut AnyGroups<'_>) -> Result,
) -> Result {
    let mut keep = Keep {
        task,
        rows: HeldRows::new(task.order),
        gathered: Gathered::default(),
        spills: Spills::new(task, RowShape::WithSplit),
    };
    let mut buffer = Vec::new();
    for buckets in task.stretches() {
        // The other half of the memory is not used, see `fits`.
        let room = task.env.memory / 2;
        if !task.ordered_buckets {
            keep.gathered.expect_rows(task.bytes_of(buckets.clone())?.min(room));
        }
        for bucket in buckets.clone() {
            keep.take_bucket(bucket, &mut buffer)?;
            if !task.ordered_buckets {
                keep.gather();
                if bucket == buckets.start {
                    keep.gathered.expect_groups(buckets.len(), room);
                }
            }
        }
        if !keep.spills.is_empty() {
            keep.spill()?;
            each(&mut AnyGroups::Merge(keep.merge()?))?;
        } else if task.ordered_buckets {
            keep.rows.sort();
            each(&mut AnyGroups::Held(keep.rows.groups()))?;
            keep.rows.clear();
        } else {
            keep.gathered.sort(task.order);
            each(&mut AnyGroups::Gathered(keep.gathered.groups()))?;
            keep.gathered.clear();
        }
    }
    Ok(())
}

struct Keep<'a> {
    task: &'a ReduceTask<'a>,
    /// Rows of a bucket.
    rows: HeldRows,
    /// Groups of the buckets before.
    gathered: Gathered,
    spills: Spills<'a>,
}

impl Keep<'_> {
    fn take_bucket(&mut self, bucket: u32, buffer: &mut Vec<u8>) -> Result {
        let task = self.task;
        for (run, segment) in task.begin_bucket(bucket) {
            let about = &run.index.segments[*segment];
            let (bytes, rows) = (usize::try_from(about.raw_len)?, usize::try_from(about.count)?);
            // Rows of a job with a combiner have another shape.
            if task.shape == RowShape::WithSplit && self.fits(HeldRows::taken_by(bytes, rows)) {
                task.go_on()?;
                self.rows.read(run, *segment)?;
                continue;
            }
            task.rows_of(run, *segment, buffer, |row| {
                self.make_room(row.key().len() + row.value().len())?;
                self.rows.push(row);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Whether there is memory for so many bytes more.
    #[inline(always)]
    fn fits(&self, more: usize) -> bool {
        // A vector that grows is held twice for a moment, and rows are while they are gathered.
        let held = self.rows.held() + self.gathered.held();
        held.saturating_add(more).saturating_mul(2) <= self.task.env.memory && !self.rows.is_full_with(more)
    }

    #[inline(always)]
    fn make_room(&mut self, len: usize) -> Result {
        let nothing = self.rows.held() + self.gathered.held() == 0;
        if nothing || self.fits(len) { Ok(()) } else { self.spill() }
    }

    /// Puts the groups of the bucket aside.
    fn gather(&mut self) {
        self.rows.sort_groups(|same| self.gathered.put(same));
        self.rows.clear();
    }

    #[cold]
    fn spill(&mut self) -> Result {
        self.gather();
        self.gathered.sort(self.task.order);
        let gathered = &self.gathered;
        self.spills.add(|run| gathered.write(run))?;
        self.gathered.clear();
        self.task.go_on()
    }

    /// All rows of the stretch, none of which is held any more.
    fn merge(&mut self) -> Result<super::Merge> {
        (self.rows, self.gathered) = (HeldRows::new(self.task.order), Gathered::default());
        std::mem::replace(&mut self.spills, Spills::new(self.task, RowShape::WithSplit)).merge()
    }
}
