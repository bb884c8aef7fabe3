//! Reads the rows of one segment in order, through a small buffer.
//!
//! It does not compare or merge rows.

use std::os::unix::fs::FileExt;
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;

use super::file::{RunFile, damaged};
use super::row::{MAX_HEAD, RowLayout, RowShape, parse_row};
use crate::result::{AtPath, Result};

/// A cursor over the rows of one segment.
///
/// The checksum covers the whole segment, so damage is found at its end at the latest: the reduce attempt fails
/// before it commits anything.
pub(crate) struct SegmentReader {
    run: Arc<RunFile>,
    segment: usize,
    shape: RowShape,
    buffer: Vec<u8>,
    /// What part of the buffer holds bytes that were read and not yet passed.
    start: usize,
    end: usize,
    /// Bytes of the segment that were read from the file.
    fetched: u64,
    hasher: Xxh3,
    row: RowLayout,
}

impl SegmentReader {
    /// A cursor before the first row of a segment of `run`, with a buffer of `buffer` bytes, which grows only for
    /// longer rows.
    pub(crate) fn new(run: Arc<RunFile>, segment: usize, shape: RowShape, buffer: usize) -> Self {
        let buffer = buffer.max(MAX_HEAD).min(run.index.segments[segment].len as usize + MAX_HEAD);
        Self {
            run,
            segment,
            shape,
            buffer: vec![0; buffer],
            start: 0,
            end: 0,
            fetched: 0,
            hasher: Xxh3::new(),
            row: RowLayout::default(),
        }
    }

    /// Moves to the next row; `false` after the last.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        self.start = self.start.max(self.row.end());
        if self.start == self.end && self.remaining() == 0 {
            return self.check().map(|()| false);
        }
        loop {
            match parse_row(&self.buffer[..self.end], self.start, self.shape) {
                Some(row) if row.end() <= self.end => {
                    self.row = row;
                    return Ok(true);
                }
                None if self.end - self.start >= MAX_HEAD => {
                    return Err(damaged(&self.run.path, "a row has no valid head"));
                }
                parsed if self.remaining() > 0 => self.fetch(parsed)?,
                _ => return Err(damaged(&self.run.path, "a row is cut off")),
            }
        }
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.buffer[self.row.key_at..self.row.key_at + self.row.key_len]
    }

    pub(crate) fn value(&self) -> &[u8] {
        &self.buffer[self.row.key_at + self.row.key_len..self.row.end()]
    }

    pub(crate) fn split(&self) -> u32 {
        self.row.split
    }

    fn remaining(&self) -> u64 {
        self.run.index.segments[self.segment].len - self.fetched
    }

    /// Keeps what is unread, moves it to the front and reads on; `row` is a row known to be longer than that.
    fn fetch(&mut self, row: Option<RowLayout>) -> Result {
        let unread = self.end - self.start;
        let needed = row.map_or(0, |row| row.end() - self.start);
        if needed as u64 > unread as u64 + self.remaining() {
            return Err(damaged(&self.run.path, "a row is longer than its segment"));
        }
        self.buffer.copy_within(self.start..self.end, 0);
        if needed > self.buffer.len() || unread == self.buffer.len() {
            self.buffer.resize(needed.max(self.buffer.len() * 2), 0);
        }
        (self.start, self.end, self.row) = (0, unread, RowLayout::default());
        let room = (self.buffer.len() - unread).min(usize::try_from(self.remaining()).unwrap_or(usize::MAX));
        let fresh = &mut self.buffer[unread..unread + room];
        let offset = self.run.index.segments[self.segment].offset + self.fetched;
        self.run.file.read_exact_at(fresh, offset).at("read", &self.run.path)?;
        self.hasher.update(fresh);
        self.fetched += room as u64;
        self.end += room;
        Ok(())
    }

    fn check(&self) -> Result {
        if self.hasher.digest() == self.run.index.segments[self.segment].checksum {
            Ok(())
        } else {
            Err(damaged(&self.run.path, "the checksum of a segment is wrong"))
        }
    }
}
