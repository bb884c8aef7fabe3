//! The bytes of one segment as they were before they were packed, from its first to its last.
//!
//! It does not know rows.

use std::cell::RefCell;
use std::ops::Deref;

use super::file::{RunFile, damaged};
use super::index::Segment;
use super::pack::{Codec, HEAD, Head, unpack};
use crate::disk::Checksum;
use crate::result::{BoxError, Result};

thread_local! {
    /// Packed bytes between file and unpacking: they never outlive a call.
    static PACKED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Reads a whole segment into `raw`, which is as long as what it holds.
///
/// # Errors
/// When the run cannot be read or is damaged.
pub(crate) fn read_segment(run: &RunFile, segment: usize, raw: &mut [u8]) -> Result {
    let (mut source, mut done) = (SegmentSource::new(run, segment), 0);
    while source.left() > 0 {
        match source.read(&mut raw[done..])? {
            0 => return Err(source.damaged("a block is longer than its segment")),
            read => done += read,
        }
    }
    source.check()
}

/// What is left of a segment. `R` is a run, however it is held.
pub(super) struct SegmentSource<R> {
    pub(super) run: R,
    segment: usize,
    /// Stored bytes that were read, and raw bytes that were given out.
    fetched: u64,
    given: u64,
    /// Of the next block, if it was read already.
    head: Option<Head>,
    checksum: Checksum,
}

impl<R: Deref<Target = RunFile>> SegmentSource<R> {
    pub(super) fn new(run: R, segment: usize) -> Self {
        Self { run, segment, fetched: 0, given: 0, head: None, checksum: Checksum::new() }
    }

    fn segment(&self) -> &Segment {
        &self.run.index.segments[self.segment]
    }

    /// Raw bytes to come.
    pub(super) fn left(&self) -> u64 {
        self.segment().raw_len - self.given
    }

    /// The room that the next [`SegmentSource::read`] needs to get anything; 0 at the end.
    pub(super) fn least(&mut self) -> Result<usize> {
        match self.segment().codec {
            _ if self.left() == 0 => Ok(0),
            Codec::None => Ok(1),
            _ => Ok(self.head()?.raw),
        }
    }

    /// Fills the front of `room` with as much as is there and fits; returns how much that is.
    pub(super) fn read(&mut self, room: &mut [u8]) -> Result<usize> {
        if self.segment().codec == Codec::None {
            let len = room.len().min(usize::try_from(self.left()).unwrap_or(usize::MAX));
            self.fetch(&mut room[..len])?;
            self.given += len as u64;
            return Ok(len);
        }
        let mut done = 0;
        while self.left() > 0 {
            let head = self.head()?;
            let Some(raw) = room.get_mut(done..done + head.raw) else { break };
            self.block(head, raw)?;
            done += head.raw;
        }
        Ok(done)
    }

    /// Compares the checksum, once everything was read.
    pub(super) fn check(&self) -> Result {
        let segment = self.segment();
        if self.fetched == segment.len && self.checksum.digest() == segment.checksum {
            Ok(())
        } else {
            Err(self.damaged("the checksum of a segment is wrong"))
        }
    }

    /// The head of the next block.
    fn head(&mut self) -> Result<Head> {
        if let Some(head) = self.head {
            return Ok(head);
        }
        let mut bytes = [0; HEAD];
        if self.segment().len - self.fetched < HEAD as u64 {
            return Err(self.damaged("a block is missing"));
        }
        self.fetch(&mut bytes)?;
        self.take_head(bytes)
    }

    fn take_head(&mut self, bytes: [u8; HEAD]) -> Result<Head> {
        let stored_left = self.segment().len - self.fetched;
        let fits = |head: &Head| head.raw as u64 <= self.left() && head.stored as u64 <= stored_left;
        match Head::parse(bytes).filter(fits) {
            Some(head) => Ok(*self.head.insert(head)),
            None => Err(self.damaged("a block has no valid head")),
        }
    }

    fn block(&mut self, head: Head, raw: &mut [u8]) -> Result {
        self.head = None;
        self.given += head.raw as u64;
        if head.stored == head.raw {
            return self.fetch(raw);
        }
        PACKED.with_borrow_mut(|packed| {
            // The next head comes along: one read for each block.
            let behind = self.segment().len - self.fetched - head.stored as u64;
            let next = if behind >= HEAD as u64 { HEAD } else { 0 };
            packed.resize(head.stored + next, 0);
            self.fetch(packed)?;
            let (stored, next) = packed.split_at(head.stored);
            unpack(self.segment().codec, stored, raw)
                .map_err(|why| self.damaged(&format!("a block cannot be unpacked ({why})")))?;
            match next.try_into() {
                Ok(bytes) if self.left() > 0 => self.take_head(bytes).map(drop),
                _ => Ok(()),
            }
        })
    }

    /// Reads stored bytes.
    fn fetch(&mut self, into: &mut [u8]) -> Result {
        let at = self.segment().offset + self.fetched;
        self.run.read(into, at)?;
        self.checksum.update(into);
        self.fetched += into.len() as u64;
        Ok(())
    }

    fn damaged(&self, why: &str) -> BoxError {
        damaged(&self.run.path, why)
    }
}
