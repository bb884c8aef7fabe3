//! Reads the rows of one segment in order, through a small buffer.
//!
//! It does not compare or merge rows.

use std::sync::Arc;

use super::file::{RunFile, damaged};
use super::row::{MAX_HEAD, RowLayout, RowShape, parse_row};
use super::source::SegmentSource;
use crate::result::Result;

/// A cursor over the rows of one segment.
///
/// The checksum covers the whole segment, so damage is found at its end at the latest: the reduce attempt fails
/// before it commits anything.
pub(crate) struct SegmentReader {
    source: SegmentSource<Arc<RunFile>>,
    shape: RowShape,
    buffer: Vec<u8>,
    /// What part of the buffer holds bytes that were read and not yet passed.
    start: usize,
    end: usize,
    row: RowLayout,
}

impl SegmentReader {
    /// A cursor before the first row of a segment of `run`, with a buffer of `buffer` bytes, which grows only for
    /// longer rows and blocks.
    pub(crate) fn new(run: Arc<RunFile>, segment: usize, shape: RowShape, buffer: usize) -> Self {
        let raw_len = usize::try_from(run.index.segments[segment].raw_len).unwrap_or(usize::MAX);
        let buffer = buffer.max(MAX_HEAD).min(raw_len.saturating_add(MAX_HEAD));
        let source = SegmentSource::new(run, segment);
        Self { source, shape, buffer: vec![0; buffer], start: 0, end: 0, row: RowLayout::default() }
    }

    /// Moves to the next row; `false` after the last.
    pub(crate) fn advance(&mut self) -> Result<bool> {
        self.start = self.start.max(self.row.end());
        if self.start == self.end && self.source.left() == 0 {
            return self.source.check().map(|()| false);
        }
        loop {
            match parse_row(&self.buffer[..self.end], self.start, self.shape) {
                Some(row) if row.end() <= self.end => {
                    self.row = row;
                    return Ok(true);
                }
                None if self.end - self.start >= MAX_HEAD => {
                    return Err(damaged(&self.source.run.path, "a row has no valid head"));
                }
                parsed if self.source.left() > 0 => self.fetch(parsed)?,
                _ => return Err(damaged(&self.source.run.path, "a row is cut off")),
            }
        }
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.buffer[self.row.key_at..self.row.key_at + self.row.key_len]
    }

    pub(crate) fn value(&self) -> &[u8] {
        &self.buffer[self.row.key_at + self.row.key_len..self.row.end()]
    }

    pub(crate) fn shape(&self) -> RowShape {
        self.shape
    }

    pub(crate) fn split(&self) -> u32 {
        self.row.split
    }

    /// Keeps what is unread, moves it to the front and reads on; `row` is a row known to be longer than that.
    fn fetch(&mut self, row: Option<RowLayout>) -> Result {
        let unread = self.end - self.start;
        let needed = row.map_or(0, |row| row.end() - self.start);
        if needed as u64 > unread as u64 + self.source.left() {
            return Err(damaged(&self.source.run.path, "a row is longer than its segment"));
        }
        let least = self.source.least()?;
        self.buffer.copy_within(self.start..self.end, 0);
        if needed > self.buffer.len() || unread == self.buffer.len() {
            self.buffer.resize(needed.max(self.buffer.len() * 2), 0);
        }
        if unread + least > self.buffer.len() {
            self.buffer.resize(unread + least, 0);
        }
        (self.start, self.end, self.row) = (0, unread, RowLayout::default());
        self.end += self.source.read(&mut self.buffer[unread..])?;
        Ok(())
    }
}
