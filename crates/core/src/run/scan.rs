//! Goes through the rows of one segment in the order in which they stand there.
//!
//! It does not order or fold them.

use super::file::{RunFile, damaged};
use super::row::{MAX_HEAD, RowLayout, RowShape, parse_row};
use super::source::SegmentSource;
use crate::key::{INLINE, Image};
use crate::result::Result;

/// A short row: a byte for the length of the key, one for that of the value, and both.
const SHORT_ROW: usize = 64;
const SHORT_HEAD: usize = 2;
const SHORT_VALUE: usize = SHORT_ROW - SHORT_HEAD - INLINE;

/// Bytes behind the last row that may be read along with it.
const PADDING: usize = 32;

/// A row that lies in the scan's buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'b> {
    /// The buffer from the key on.
    tail: &'b [u8],
    key_len: usize,
    value_len: usize,
    pub(crate) split: u32,
}

impl<'b> Row<'b> {
    #[inline(always)]
    pub(crate) fn key(&self) -> &'b [u8] {
        &self.tail[..self.key_len]
    }

    #[inline(always)]
    pub(crate) fn image(&self) -> Option<Image> {
        Image::of_tail(self.tail, self.key_len)
    }

    #[inline(always)]
    pub(crate) fn value(&self) -> &'b [u8] {
        &self.tail[self.key_len..][..self.value_len]
    }

    /// The buffer from the value on, and how long the value is.
    #[inline(always)]
    pub(crate) fn value_within(&self) -> (&'b [u8], usize) {
        (&self.tail[self.key_len..], self.value_len)
    }
}

/// Gives every row of a segment to `each`; `buffer` is reused, holds `usual` bytes and grows only for longer rows
/// and blocks.
///
/// # Errors
/// When the run cannot be read or is damaged, or what `each` returns. The checksum is compared at the end: what was made
/// of the rows must not be committed after an error.
#[inline(always)]
pub(crate) fn scan(
    run: &RunFile,
    segment: usize,
    shape: RowShape,
    buffer: &mut Vec<u8>,
    usual: usize,
    mut each: impl FnMut(Row<'_>) -> Result,
) -> Result {
    let mut source = SegmentSource::new(run, segment);
    let mut held = 0;
    loop {
        let more = fetch(&mut source, buffer, &mut held, usual)?;
        let mut at = 0;
        let whole = |row: &RowLayout| row.end() <= held;
        while let Some(row) = short_row(&buffer[..held], at, shape)
            .or_else(|| parse_row(&buffer[..held], at, shape).filter(whole))
        {
            let tail = &buffer[row.key_at..];
            each(Row { tail, key_len: row.key_len, value_len: row.value_len, split: row.split })?;
            at = row.key_at + row.key_len + row.value_len;
        }
        if !more {
            source.check()?;
            return if at == held { Ok(()) } else { Err(damaged(&run.path, "a row is cut off")) };
        }
        if held - at >= MAX_HEAD && parse_row(&buffer[..held], at, shape).is_none() {
            return Err(damaged(&run.path, "a row has no valid head"));
        }
        buffer.copy_within(at..held, 0);
        held -= at;
    }
}

/// The row at `bytes[at..]`, if it is short and has no split, and there are more bytes than it can have: most segments are
/// full of such, and no part of one has to be looked for with care.
#[inline(always)]
fn short_row(bytes: &[u8], at: usize, shape: RowShape) -> Option<RowLayout> {
    let [key_len, value_len, ..] = *bytes.get(at..)?.first_chunk::<SHORT_ROW>()?;
    let (key_len, value_len) = (usize::from(key_len), usize::from(value_len));
    let short = shape == RowShape::Plain && key_len <= INLINE && value_len <= SHORT_VALUE;
    short.then_some(RowLayout { split: 0, key_at: at + SHORT_HEAD, key_len, value_len })
}

/// Reads on behind the `held` bytes at the front of `buffer`; false if the segment ends there.
fn fetch(
    source: &mut SegmentSource<&RunFile>,
    buffer: &mut Vec<u8>,
    held: &mut usize,
    usual: usize,
) -> Result<bool> {
    let left = usize::try_from(source.left()).unwrap_or(usize::MAX);
    let least = source.least()?;
    if *held + least + PADDING > buffer.len() || buffer.len() < usual.min(left) {
        // What is held is part of one row: it gets twice the room, but no more than there is to come.
        let room = (2 * *held).max(usual).min(held.saturating_add(left)).max(*held + least);
        buffer.resize(buffer.len().max(room + PADDING), 0);
    }
    let end = buffer.len() - PADDING;
    *held += source.read(&mut buffer[*held..end])?;
    Ok(source.left() > 0)
}
