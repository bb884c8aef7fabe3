//! A managed dictionary or namespace: encoded keys and values, in the order in which the keys came.
//!
//! Every operation is one step that nobody can come between. What the bytes mean is the handles' affair.

use indexmap::IndexMap;

use super::message::{Op, Reply, TableOp};
use super::object::unknown;
use crate::toolkit::wire::Bytes;

#[derive(Debug, Default)]
pub(crate) struct Table {
    entries: IndexMap<Bytes, Bytes>,
}

impl Table {
    pub(super) fn request(&mut self, op: Op) -> Reply {
        match op {
            Op::Table(TableOp::Get(key)) => Reply::Value(self.entries.get(&key).cloned()),
            Op::Table(TableOp::Put(key, value)) => Reply::Value(self.entries.insert(key, value)),
            Op::Table(TableOp::Swap(key, expected, next)) => self.swap(key, expected.as_ref(), next),
            Op::Table(TableOp::Remove(key)) => Reply::Value(self.entries.shift_remove(&key)),
            Op::Table(TableOp::Len) => Reply::Count(self.entries.len() as u64),
            Op::Table(TableOp::Entries) => {
                let copies = self.entries.iter().map(|(key, value)| (key.clone(), value.clone()));
                Reply::Entries(copies.collect())
            }
            Op::Table(TableOp::Clear) => {
                self.entries.clear();
                Reply::Done
            }
            other => unknown(&other),
        }
    }

    fn swap(&mut self, key: Bytes, expected: Option<&Bytes>, next: Option<Bytes>) -> Reply {
        let found = self.entries.get(&key);
        if found != expected {
            return Reply::Conflict(found.cloned());
        }
        match next {
            Some(value) => self.entries.insert(key, value),
            None => self.entries.shift_remove(&key),
        };
        Reply::Done
    }
}
