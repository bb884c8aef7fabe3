//! Groups that are complete and put aside until all groups of a partition can be ordered: each key once, with its values.
//!
//! It does not sort the rows of a group: they come in order.

use super::group::Groups;
use super::held::Same;
use super::order::{element, place};
use super::task::KeyOrder;
use super::ties::{self, Room};
use crate::api::Lent;
use crate::key::AnyKey;
use crate::os;
use crate::result::Result;
use crate::run::{RowShape, RunWriter, parse_row, put_row};

/// A row of up to so many bytes is copied as it is, with what stands behind it, which takes two instructions.
const WHOLE: usize = 32;

/// Groups, one behind the other.
#[derive(Default)]
pub(super) struct Gathered {
    /// A row for each value. The first of a group has the key; others that are long do without.
    rows: Vec<u8>,
    groups: Vec<Group>,
    /// The order of the groups, once they are sorted.
    order: Vec<u128>,
    room: Room,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    start: u64,
    key_len: u32,
    values: u32,
}

impl Gathered {
    /// Makes room for rows of so many bytes.
    pub(super) fn expect_rows(&mut self, bytes: usize) {
        os::reserve(&mut self.rows, bytes + WHOLE);
    }

    /// Makes room for so many times the groups that there are, and some more.
    pub(super) fn expect_groups(&mut self, times: usize, most_bytes: usize) {
        let expected = self.groups.len().saturating_mul(times);
        let most = most_bytes / (size_of::<Group>() + size_of::<u128>());
        os::reserve(&mut self.groups, expected.saturating_add(expected / 8).min(most));
    }

    /// Adds a group.
    pub(super) fn put(&mut self, same: Same<'_>) {
        // There are fewer rows than an element of their order has room to count.
        let (start, values) = (self.rows.len() as u64, same.len() as u32);
        let mut key_len = None;
        for (bytes, row) in same.rows() {
            let first = key_len.is_none();
            key_len.get_or_insert(row.key_len as u32);
            match bytes.first_chunk::<WHOLE>() {
                Some(whole) if row.end() <= WHOLE => {
                    let end = self.rows.len() + row.end();
                    self.rows.extend_from_slice(whole);
                    self.rows.truncate(end);
                }
                _ => {
                    let (key, value) = bytes[row.key_at..row.end()].split_at(row.key_len);
                    put_row(
                        &mut self.rows,
                        RowShape::WithSplit,
                        if first { key } else { &[] },
                        row.split,
                        value,
                    );
                }
            }
        }
        self.groups.push(Group { start, key_len: key_len.unwrap_or_default(), values });
    }

    /// Bytes held, for the memory budget.
    #[inline(always)]
    pub(super) fn held(&self) -> usize {
        self.rows.len() + self.groups.len() * (size_of::<Group>() + size_of::<u128>())
    }

    /// Puts the groups in order.
    pub(super) fn sort(&mut self, by: KeyOrder) {
        let (rows, groups) = (&self.rows, &self.groups);
        let ranked = |(place, group)| element(by.rank(key_of(rows, group)), place);
        self.order.clear();
        os::reserve(&mut self.order, groups.len());
        self.order.extend(groups.iter().enumerate().map(ranked));
        let key = |one| AnyKey::Long(key_of(rows, &groups[place(one)]));
        ties::sort(&mut self.order, &mut self.room, key);
    }

    /// The groups, which are sorted.
    pub(super) fn groups(&self) -> GatheredGroups<'_> {
        GatheredGroups { gathered: self, next: 0, at: 0, left: 0 }
    }

    /// Writes all rows, which are sorted.
    pub(super) fn write(&self, run: &mut RunWriter) -> Result {
        let mut bytes = Vec::new();
        for element in &self.order {
            let group = &self.groups[place(*element)];
            let (key, mut at) = (key_of(&self.rows, group), group.start as usize);
            for _ in 0..group.values {
                let row = parse_row(&self.rows, at, RowShape::WithSplit).unwrap_or_default();
                bytes.clear();
                put_row(
                    &mut bytes,
                    RowShape::WithSplit,
                    key,
                    row.split,
                    &self.rows[row.end() - row.value_len..row.end()],
                );
                run.write(&bytes, 1)?;
                at = row.end();
            }
        }
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.groups.clear();
        self.order.clear();
    }
}

#[inline(always)]
fn key_of<'g>(rows: &'g [u8], group: &Group) -> &'g [u8] {
    let row = parse_row(rows, group.start as usize, RowShape::WithSplit).unwrap_or_default();
    &rows[row.key_at..][..group.key_len as usize]
}

/// The groups, in order.
pub(crate) struct GatheredGroups<'g> {
    gathered: &'g Gathered,
    next: usize,
    /// Of the group that was begun: where its next row is, and how many there are.
    at: usize,
    left: u32,
}

impl<'g> GatheredGroups<'g> {
    fn begin(&mut self) -> Option<&'g [u8]> {
        const AHEAD: usize = 12;
        const NEAR: usize = 6;
        let Gathered { rows, groups, order, .. } = self.gathered;
        if let Some(ahead) = order.get(self.next + AHEAD) {
            os::prefetch(groups, place(*ahead));
        }
        if let Some(near) = order.get(self.next + NEAR) {
            os::prefetch(rows, groups[place(*near)].start as usize);
        }
        let group = &groups[place(*order.get(self.next)?)];
        (self.at, self.left) = (group.start as usize, group.values);
        Some(key_of(rows, group))
    }
}

impl Groups for GatheredGroups<'_> {
    fn next_group(&mut self, key: &mut Vec<u8>) -> Result<bool> {
        key.clear();
        let first = self.begin();
        key.extend_from_slice(first.unwrap_or_default());
        Ok(first.is_some())
    }

    #[inline]
    fn next_value(&mut self, _: &[u8]) -> Result<Option<Lent<'_>>> {
        if self.left == 0 {
            return Ok(None);
        }
        let rows = &self.gathered.rows;
        let row = parse_row(rows, self.at, RowShape::WithSplit).unwrap_or_default();
        self.at = row.end();
        self.left -= 1;
        if self.left == 0 {
            self.next += 1;
        }
        let code = &rows[row.end() - row.value_len..row.end()];
        Ok(Some(Lent { code, last: self.left == 0 }))
    }
}
