//! The rows of a bucket in memory, in the order of (key, split, record) once they are sorted, and their groups.
//!
//! It does not know how much memory there is.

use super::by_rank::ByRank;
use super::group::Groups;
use super::order::{self, at, of_one_rank, rank};
use super::task::KeyOrder;
use super::ties::{self, Room};
use crate::api::Lent;
use crate::key::AnyKey;
use crate::os;
use crate::result::Result;
use crate::run::{Row, RowLayout, RowShape, RunFile, damaged, parse_row, put_row, read_segment};

/// Rows, one behind the other as they came, and the order that they are to be in.
pub(super) struct HeldRows {
    by: KeyOrder,
    /// The first `len` bytes are rows; behind them is room that was in use before.
    bytes: Vec<u8>,
    len: usize,
    /// An element for each row.
    order: Vec<u128>,
    by_rank: ByRank,
    room: Room,
}

/// Rows that are asked for before they are looked at: in order they are anywhere in a bucket.
const AHEAD: usize = 8;

/// Rows of one key, in order.
#[derive(Clone, Copy)]
pub(super) struct Same<'r> {
    bytes: &'r [u8],
    rows: &'r [u128],
}

impl HeldRows {
    pub(super) fn new(by: KeyOrder) -> Self {
        Self {
            by,
            bytes: Vec::new(),
            len: 0,
            order: Vec::new(),
            by_rank: ByRank::default(),
            room: Room::default(),
        }
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

    /// Whether so many bytes more are too many, whatever the memory: an element has 32 bits for where its row begins.
    #[inline(always)]
    pub(super) fn is_full_with(&self, more: usize) -> bool {
        self.len.saturating_add(more) > u32::MAX as usize
    }

    /// Adds a row.
    pub(super) fn push(&mut self, row: Row<'_>) {
        self.bytes.truncate(self.len);
        self.order.push(order::row(self.by.rank(row.key()), row.split, self.len as u32));
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
            let rank = self.by.rank_in(&self.bytes[row.key_at..], row.key_len);
            self.order.push(order::row(rank, row.split, at as u32));
            at = row.end();
        }
        self.len = end;
        Ok(())
    }

    /// Puts the rows in order.
    pub(super) fn sort(&mut self) {
        self.sort_groups(|_| ());
    }

    /// Puts the rows in order, and gives those of each key to `each`, in order.
    pub(super) fn sort_groups(&mut self, mut each: impl FnMut(Same<'_>)) {
        self.by_rank.sort(&mut self.order);
        let bytes = self.bytes.as_slice();
        let key = |row: &u128| row_at(bytes, *row).0;
        for rows in of_one_rank(&mut self.order) {
            if of_one_key(self.by, bytes, rows) {
                each(Same { bytes, rows });
            } else {
                ties::sort_equal(rows, &mut self.room, |row| AnyKey::Long(key(&row)));
                rows.chunk_by(|a, b| key(a) == key(b)).for_each(|rows| each(Same { bytes, rows }));
            }
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

impl<'r> Same<'r> {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The bytes that each row begins, and where its parts stand in them.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&'r [u8], RowLayout)> {
        self.rows.iter().map(|row| {
            let bytes = &self.bytes[at(*row)..];
            (bytes, parse_row(bytes, 0, RowShape::WithSplit).unwrap_or_default())
        })
    }
}

/// Key and value of a row.
#[inline(always)]
fn row_at(bytes: &[u8], row: u128) -> (&[u8], &[u8]) {
    let row = parse_row(bytes, at(row), RowShape::WithSplit).unwrap_or_default();
    let (key, rest) = bytes[row.key_at..].split_at(row.key_len);
    (key, &rest[..row.value_len])
}

/// Whether rows of one rank have one key as well.
///
/// A word that is in every file has as many rows: to compare them two by two, and all bytes, would be most of the work.
fn of_one_key(by: KeyOrder, bytes: &[u8], rows: &[u128]) -> bool {
    let [first, others @ ..] = rows else { return true };
    if others.is_empty() {
        return true;
    }
    let first = row_at(bytes, *first).0;
    // The rank of a short key is all of it, followed by zeros.
    let ranked = by == KeyOrder::Key && first.len() <= size_of::<u64>();
    others.iter().enumerate().all(|(i, other)| {
        if let Some(ahead) = others.get(i + AHEAD) {
            os::prefetch(bytes, at(*ahead));
        }
        let key = row_at(bytes, *other).0;
        key.len() == first.len() && (ranked || key == first)
    })
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
            key.extend_from_slice(row_at(self.rows, *first).0);
        }
        self.more = first.is_some();
        Ok(self.more)
    }

    #[inline]
    fn next_value(&mut self, key: &[u8]) -> Result<Option<Lent<'_>>> {
        if !self.more {
            return Ok(None);
        }
        if let Some(ahead) = self.order.get(self.next + AHEAD) {
            os::prefetch(self.rows, at(*ahead));
        }
        let this = self.order[self.next];
        self.next += 1;
        // Most rows differ in rank from the next: then that one need not be looked at.
        self.more = self
            .order
            .get(self.next)
            .is_some_and(|next| rank(*next) == rank(this) && row_at(self.rows, *next).0 == key);
        Ok(Some(Lent { code: row_at(self.rows, this).1, last: !self.more }))
    }
}
