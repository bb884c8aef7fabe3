//! Rows in memory, one list of chunks for each bucket, written out as one segment each.
//!
//! It does not choose the bucket of a row.

use super::arena::{Arena, Chunk};
use crate::fold::value::SmallCode;
use crate::key::Image;
use crate::os;
use crate::result::Result;
use crate::run::{HEAD_ROOM, Head, Label, Pieces, RowShape, RunWriter, SplitCode};

/// The longest chunk: large enough that little of it is left over when the next row is too long.
const MOST_CHUNK: usize = 32 << 10;
const LEAST_CHUNK: usize = 2 << 10;
const CACHE_LINE: usize = 64;
/// Where this much is left in a chunk, a short row is written without a look at its length.
const SHORT_ROW: usize = 64;

/// Rows by bucket.
pub(crate) struct Buckets {
    shape: RowShape,
    /// Buckets in a partition.
    per_partition: u32,
    arena: Arena,
    open: Vec<Open>,
    full: Vec<Vec<Chunk>>,
}

/// The chunk that a bucket's rows go to.
#[derive(Debug, Clone, Copy, Default)]
struct Open {
    chunk: Chunk,
    at: u32,
    rows: u32,
}

impl Buckets {
    /// Buckets that are to hold about `limit` bytes together.
    pub(crate) fn new(shape: RowShape, partitions: u32, per_partition: u32, limit: usize) -> Self {
        let buckets = partitions as usize * per_partition as usize;
        let chunk = (limit / buckets / 8).clamp(LEAST_CHUNK, MOST_CHUNK);
        Self {
            shape,
            per_partition,
            arena: Arena::new(chunk as u32),
            open: vec![Open::default(); buckets],
            full: vec![Vec::new(); buckets],
        }
    }

    /// Bytes held, for the memory budget.
    pub(crate) fn held(&self) -> usize {
        self.arena.taken()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.arena.taken() == 0
    }

    /// Asks for the memory that the next row of `bucket`, of about `len` bytes, will be written to.
    #[inline(always)]
    pub(crate) fn prefetch(&self, bucket: u32, len: usize) {
        let open = &self.open[bucket as usize];
        if open.at < open.chunk.end {
            let (slab, at) = (self.arena.slab(open.chunk), open.at as usize);
            (0..len).step_by(CACHE_LINE).for_each(|line| os::prefetch(slab, at + line));
            // A row may well go on in one line more.
            os::prefetch(slab, at + len);
        }
    }

    /// A split's number, for rows whose keys have images.
    pub(crate) fn split_code(&self, split: u32) -> SplitCode {
        SplitCode::new(self.shape, split)
    }

    /// Adds a row whose key has an image and whose value is a small code; asks for the memory of the next one.
    #[inline(always)]
    pub(crate) fn put_short(
        &mut self,
        bucket: u32,
        split: SplitCode,
        key: Image,
        value: SmallCode,
    ) -> Result {
        let open = &mut self.open[bucket as usize];
        if open.chunk.end - open.at < SHORT_ROW as u32 {
            let value = &value.word.to_le_bytes()[..value.len];
            return self.put(bucket, split.split, &key.bytes()[..key.len()], value);
        }
        let (slab, at) = (self.arena.slab_mut(open.chunk), open.at as usize);
        let row = &mut slab[at..at + SHORT_ROW];
        // Both lengths are below 128: one byte each. What each part leaves behind itself is overwritten by the next.
        row[0] = key.len() as u8;
        row[1] = value.len as u8;
        row[2..10].copy_from_slice(&split.bytes);
        let key_at = 2 + split.len;
        row[key_at..][..24].copy_from_slice(&key.bytes());
        row[key_at + key.len()..][..8].copy_from_slice(&value.word.to_le_bytes());
        open.at += (key_at + key.len() + value.len) as u32;
        open.rows += 1;
        // The next row of this bucket begins in a line that is at hand, and may well go on in the one behind it.
        os::prefetch(slab, open.at as usize + CACHE_LINE);
        Ok(())
    }

    /// Adds a row.
    pub(crate) fn put(&mut self, bucket: u32, split: u32, key: &[u8], value: &[u8]) -> Result {
        // More than it needs: the head is copied as a whole.
        let room = HEAD_ROOM + key.len() + value.len();
        let open = &mut self.open[bucket as usize];
        if ((open.chunk.end - open.at) as usize) < room {
            let chunk = self.arena.take(room).ok_or("a row is longer than 4 GiB")?;
            if open.at > open.chunk.start {
                self.full[bucket as usize].push(Chunk { end: open.at, ..open.chunk });
            }
            (open.chunk, open.at) = (chunk, chunk.start);
        }
        let row = &mut self.arena.slab_mut(open.chunk)[open.at as usize..][..room];
        let head = Head::new(self.shape, key.len(), split, value.len());
        row[..HEAD_ROOM].copy_from_slice(&head.bytes);
        let (to_key, rest) = row[head.len..].split_at_mut(key.len());
        to_key.copy_from_slice(key);
        rest[..value.len()].copy_from_slice(value);
        open.at += (head.len + key.len() + value.len()) as u32;
        open.rows += 1;
        Ok(())
    }

    /// Writes all rows, each bucket as one segment, and is empty then.
    pub(crate) fn spill(&mut self, run: &mut RunWriter, spill: u32) -> Result {
        let mut pieces = Pieces::of(run);
        for (bucket, (open, full)) in (0..).zip(self.open.iter_mut().zip(&mut self.full)) {
            let open = std::mem::take(open);
            if open.rows == 0 {
                continue;
            }
            let (partition, bucket) = (bucket / self.per_partition, bucket % self.per_partition);
            pieces.begin(Label { partition, bucket, spill, ..Label::default() })?;
            full.push(Chunk { end: open.at, ..open.chunk });
            for chunk in full.drain(..) {
                pieces.write(&self.arena.slab(chunk)[chunk.start as usize..chunk.end as usize], 0)?;
            }
            pieces.write(&[], u64::from(open.rows))?;
        }
        pieces.finish()?;
        self.arena.clear();
        Ok(())
    }
}
