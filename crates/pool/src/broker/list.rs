//! A managed list of encoded values.
//!
//! Every operation is one step that nobody can come between. What the bytes mean is the handle's affair.

use super::message::{ListOp, Op, Reply};
use super::object::unknown;
use crate::toolkit::wire::Bytes;

#[derive(Debug, Default)]
pub(crate) struct List {
    items: Vec<Bytes>,
}

impl List {
    pub(super) fn request(&mut self, op: Op) -> Reply {
        let op = match op {
            Op::List(op) => op,
            other => return unknown(&other),
        };
        match op {
            ListOp::Push(item) => {
                self.items.push(item);
                Reply::Done
            }
            ListOp::Pop => Reply::Value(self.items.pop()),
            ListOp::Get(at) => Reply::Value(self.position(at).map(|at| self.items[at].clone())),
            ListOp::Set(at, item) => self.set(at, item),
            ListOp::Swap(at, expected, next) => self.swap(at, &expected, next),
            ListOp::Insert(at, item) => self.insert(at, item),
            ListOp::RemoveAt(at) => Reply::Value(self.position(at).map(|at| self.items.remove(at))),
            ListOp::Remove(item) => {
                let found = self.items.iter().position(|candidate| *candidate == item);
                Reply::Value(found.map(|at| self.items.remove(at)))
            }
            ListOp::Len => Reply::Count(self.items.len() as u64),
            ListOp::All => Reply::Items(self.items.clone()),
            ListOp::Clear => {
                self.items.clear();
                Reply::Done
            }
        }
    }

    fn position(&self, at: u64) -> Option<usize> {
        usize::try_from(at).ok().filter(|at| *at < self.items.len())
    }

    fn set(&mut self, at: u64, item: Bytes) -> Reply {
        let found = self.position(at).map(|at| std::mem::replace(&mut self.items[at], item));
        Reply::Value(found)
    }

    fn swap(&mut self, at: u64, expected: &Bytes, next: Bytes) -> Reply {
        match self.position(at) {
            Some(at) if self.items[at] == *expected => {
                self.items[at] = next;
                Reply::Done
            }
            found => Reply::Conflict(found.map(|at| self.items[at].clone())),
        }
    }

    /// A position behind the end means the end.
    fn insert(&mut self, at: u64, item: Bytes) -> Reply {
        let at = self.position(at).unwrap_or(self.items.len());
        self.items.insert(at, item);
        Reply::Done
    }
}
