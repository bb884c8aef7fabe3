//! What a reduce attempt works on: its partition's rows, bucket by bucket, and the order in which keys are wanted.
//!
//! It does not fold or sort.

use super::Shuffle;
use super::shuffle::SegmentOf;
use crate::key;
use crate::result::Result;
use crate::run::{Kind, Row, RowShape, RunFile, scan};
use crate::task::{Care, Stopped, TaskEnv};

/// In which order a reducer sees the keys of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyOrder {
    /// In the order of the keys.
    Key,
    /// In the order of their hashes, keys of one hash in their own order: the job does not care, and this is cheaper.
    ///
    /// Among so many buckets the hashes are divided evenly.
    Hash(u32),
}

/// One reduce attempt.
#[derive(Clone, Copy)]
pub(crate) struct ReduceTask<'a> {
    pub(crate) env: &'a TaskEnv,
    pub(crate) shuffle: &'a Shuffle,
    pub(crate) partition: u32,
    pub(crate) attempt: u32,
    pub(crate) shape: RowShape,
    pub(crate) order: KeyOrder,
    /// Whether no key of a bucket comes, in that order, before one of the bucket before it.
    pub(crate) ordered_buckets: bool,
    pub(crate) care: &'a Care,
}

/// Buckets that are fetched before they are read. Their pieces are all over the runs: one read after the other would
/// wait for each.
const AHEAD: u32 = 2;

/// Rows are read through a buffer of this size, or a 16th of the worker's memory.
const READ: usize = 256 << 10;

impl KeyOrder {
    /// A number by which keys are ordered before themselves.
    #[inline(always)]
    pub(super) fn rank(self, key: &[u8]) -> u64 {
        self.rank_in(key, key.len())
    }

    /// The rank of the key that `bytes` begins with.
    #[inline(always)]
    pub(super) fn rank_in(self, bytes: &[u8], key_len: usize) -> u64 {
        match self {
            Self::Key => key::prefix_in(bytes, key_len),
            Self::Hash(_) => key::hash(&bytes[..key_len]),
        }
    }
}

impl ReduceTask<'_> {
    /// The partition's buckets in stretches that are ordered together: single ones, or all of them.
    pub(super) fn stretches(&self) -> impl Iterator<Item = std::ops::Range<u32>> {
        let buckets = self.env.buckets;
        let step = if self.ordered_buckets { 1 } else { buckets };
        (0..buckets / step).map(move |i| i * step..(i + 1) * step)
    }

    /// Gives every row of a bucket to `each`; rows of one split come in the order of its records.
    #[inline(always)]
    pub(super) fn rows(
        &self,
        bucket: u32,
        buffer: &mut Vec<u8>,
        mut each: impl FnMut(Row<'_>) -> Result,
    ) -> Result {
        for (run, segment) in self.begin_bucket(bucket) {
            self.rows_of(run, *segment, buffer, &mut each)?;
        }
        Ok(())
    }

    /// As [`ReduceTask::rows`], of one of its segments.
    #[inline(always)]
    pub(super) fn rows_of(
        &self,
        run: &RunFile,
        segment: usize,
        buffer: &mut Vec<u8>,
        each: impl FnMut(Row<'_>) -> Result,
    ) -> Result {
        self.go_on()?;
        scan(run, segment, self.shape, buffer, READ.min(self.env.memory / 16), each)
    }

    /// The segments that hold the rows of a bucket, which is read now: those of the buckets after it are fetched from
    /// the disk meanwhile.
    pub(super) fn begin_bucket(&self, bucket: u32) -> &[SegmentOf] {
        let first = if bucket == 0 { 1 } else { bucket + AHEAD };
        for bucket in first..=bucket + AHEAD {
            self.segments(bucket).iter().for_each(|(run, segment)| run.will_need(*segment));
        }
        self.segments(bucket)
    }

    /// Bytes that the rows of some buckets take up.
    pub(super) fn bytes_of(&self, buckets: std::ops::Range<u32>) -> Result<usize> {
        let segments = buckets.flat_map(|bucket| self.segments(bucket));
        let bytes: u64 = segments.map(|(run, segment)| run.index.segments[*segment].raw_len).sum();
        Ok(usize::try_from(bytes)?)
    }

    fn segments(&self, bucket: u32) -> &[SegmentOf] {
        self.shuffle.segments(self.partition, bucket, Kind::Rows)
    }

    /// Notes the group that user code is about to see.
    ///
    /// # Errors
    /// When the attempt is to be given up.
    pub(crate) fn begin_group(&self, ordinal: u64, key: &[u8]) -> Result {
        self.env.flight.group(ordinal, key);
        if self.env.flight.stop_requested() { Err(Stopped.into()) } else { Ok(()) }
    }

    /// Says that work goes on.
    ///
    /// # Errors
    /// When the attempt is to be given up.
    pub(super) fn go_on(&self) -> Result {
        self.env.flight.beat();
        if self.env.flight.stop_requested() { Err(Stopped.into()) } else { Ok(()) }
    }
}
