//! The rows of a bucket in memory, in the order of (key, split, record) once they are sorted, and their groups.
//!
//! It does not know how much memory there is.

use super::group::Groups;
use super::order::{self, element, place, rank};
use super::task::KeyOrder;
use crate::os;
use crate::result::Result;
use crate::run::{Row, RowShape, RunFile, damaged, parse_row, put_row, read_segment};

/// Rows, one behind the other as they came, and the order that they are to be in.
pub(super) struct HeldRows {
    by: KeyOrder,
    /// The first `len` bytes are rows; behind them is room that was in use before.
    bytes: Vec<u8>,
    len: usize,
    /// An element for each row, whose place is where it begins.
    order: Vec<u128>,
}

impl HeldRows {
    pub(super) fn new(by: KeyOrder) -> Self {
        Self { by, bytes: Vec::new(), len: 0, order: Vec::new() }
    }

    /// Bytes held, for the memory budget.
    #[inline(always)]
    pub(super) fn held(&self) -> usize {
        Self::taken_by(self.len, self.order.len())
    }

    /// Bytes that so many rows take.
    #[inline(always)]
    pub(super) fn taken_by(bytes: usize, rows: usize) -> usize {
        bytes + rows * size_of::<u128>()
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: Row<'_>) {
        self.bytes.truncate(self.len);
        self.order.push(element(self.by.rank(row.key()), self.len));
        put_row(&mut self.bytes, RowShape::WithSplit, row.key(), row.split, row.value());
        self.len = self.bytes.len();
    }

    /// Adds all rows of a segment, where they stay as they are read.
    ///
    /// # Errors
    /// When the run cannot be read or is damaged.
    pub(super) fn read(&mut self, run: &RunFile, segment: usize) -> Result {
        let (start, about) = (self.len, &run.index.segments[segment]);
        let end = start + usize::try_from(about.raw_len)?;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        read_segment(run, segment, &mut self.bytes[start..end])?;
        self.order.reserve(usize::try_from(about.count)?);
        let mut at = start;
        while at < end {
            let row = parse_row(&self.bytes[..end], at, RowShape::WithSplit);
            let row = row.filter(|row| row.end() <= end);
            let row = row.ok_or_else(|| damaged(&run.path, "a row is cut off"))?;
            let key = &self.bytes[row.key_at..][..row.key_len];
            self.order.push(element(self.by.rank(key), at));
            at = row.end();
        }
        self.len = end;
        Ok(())
    }

    /// Puts the rows in order.
    pub(super) fn sort(&mut self) {
        let bytes = &self.bytes[..self.len];
        order::sort_with(&mut self.order, |equal| sort_equal(bytes, equal));
    }

    /// Gives key, split and value of every row to `each`, in order once they are sorted.
    pub(super) fn each(&self, mut each: impl FnMut(&[u8], u32, &[u8])) {
        for element in &self.order {
            let (key, split, value) = row_at(&self.bytes, place(*element));
            each(key, split, value);
        }
    }

    /// The groups of rows that are sorted.
    pub(super) fn groups(&self) -> HeldGroups<'_> {
        HeldGroups { rows: &self.bytes[..self.len], order: &self.order, next: 0, more: false }
    }

    /// Forgets all rows, and keeps their memory for others.
    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.order.clear();
    }
}

/// Key, split and value of the row that begins at `start`.
#[inline(always)]
fn row_at(rows: &[u8], start: usize) -> (&[u8], u32, &[u8]) {
    let row = parse_row(rows, start, RowShape::WithSplit).unwrap_or_default();
    let (key, rest) = rows[row.key_at..].split_at(row.key_len);
    (key, row.split, &rest[..row.value_len])
}

/// Puts rows of one rank in order, which stand as they came: those of one split in the order of its records.
///
/// A word that is in every file has as many rows: to look at two of them for each comparison would be most of the work.
fn sort_equal(rows: &[u8], equal: &mut [u128]) {
    let key = |element: &u128| row_at(rows, place(*element)).0;
    let first = key(&equal[0]);
    if equal[1..].iter().all(|other| key(other) == first) {
        return sort_by_split(rows, equal);
    }
    equal.sort_by(|a, b| key(a).cmp(key(b)));
    equal.chunk_by_mut(|a, b| key(a) == key(b)).for_each(|same| sort_by_split(rows, same));
}

/// Puts rows of one key in order, which stand as they came.
fn sort_by_split(rows: &[u8], same: &mut [u128]) {
    let ranked = |split: u64, was: u128| element(split, place(was));
    let rank = rank(same[0]);
    same.iter_mut().for_each(|row| *row = ranked(u64::from(row_at(rows, place(*row)).1), *row));
    // A worker takes its splits in order: these are a few stretches, which a stable sort finds and merges.
    same.sort();
    same.iter_mut().for_each(|row| *row = ranked(rank, *row));
}

/// The groups of one bucket, in order.
pub(crate) struct HeldGroups<'r> {
    rows: &'r [u8],
    order: &'r [u128],
    next: usize,
    /// Whether the next row is of the group that was begun.
    more: bool,
}

impl Groups for HeldGroups<'_> {
    #[inline]
    fn next_group(&mut self, key: &mut Vec<u8>) -> Result<bool> {
        key.clear();
        let first = self.order.get(self.next);
        if let Some(first) = first {
            key.extend_from_slice(row_at(self.rows, place(*first)).0);
        }
        self.more = first.is_some();
        Ok(self.more)
    }

    #[inline]
    fn next_value(&mut self, key: &[u8]) -> Result<Option<&[u8]>> {
        const AHEAD: usize = 8;
        if !self.more {
            return Ok(None);
        }
        if let Some(ahead) = self.order.get(self.next + AHEAD) {
            os::prefetch(self.rows, place(*ahead));
        }
        let this = self.order[self.next];
        self.next += 1;
        // Most rows differ in rank from the next: then that one need not be looked at.
        self.more = self
            .order
            .get(self.next)
            .is_some_and(|next| rank(*next) == rank(this) && row_at(self.rows, place(*next)).0 == key);
        Ok(Some(row_at(self.rows, place(this)).2))
    }
}
