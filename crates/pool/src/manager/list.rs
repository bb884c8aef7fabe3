//! A list that processes share.
//!
//! The rule of updates is in the module above.

use std::fmt;
use std::marker::PhantomData;

use gristmill_ipc::decode;
use serde::{Deserialize, Serialize};

use super::{bytes, count, value};
use crate::broker::{CallError, Handle, ListOp, Object, Op, Reply};
use crate::toolkit::registry::Argument;

/// A list in the parent. Items are equal if their encoded bytes are.
pub struct List<T> {
    handle: Handle,
    item: PhantomData<fn(T) -> T>,
}

impl<T: Argument> List<T> {
    /// An empty list.
    ///
    /// # Errors
    /// In a worker: shared objects are made in the parent.
    pub fn new() -> Result<Self, CallError> {
        Ok(Self { handle: Handle::new(Object::list())?, item: PhantomData })
    }

    fn ask(&self, op: ListOp) -> Result<Reply, CallError> {
        self.handle.ask(Op::List(op))
    }

    /// Adds an item at the end.
    ///
    /// # Errors
    /// When the list is gone or an item cannot be decoded, as with all calls.
    pub fn push(&self, item: &T) -> Result<(), CallError> {
        self.ask(ListOp::Push(bytes(item)?)).map(drop)
    }

    /// Removes the last item and returns it.
    ///
    /// # Errors
    /// As [`List::push`].
    pub fn pop(&self) -> Result<Option<T>, CallError> {
        value(self.ask(ListOp::Pop)?)
    }

    /// A copy of the item at `at`.
    ///
    /// # Errors
    /// As [`List::push`].
    pub fn get(&self, at: usize) -> Result<Option<T>, CallError> {
        value(self.ask(ListOp::Get(at as u64))?)
    }

    /// Replaces the item at `at` and returns the old one; `None`, and nothing happens, if there is none.
    ///
    /// # Errors
    /// As [`List::push`].
    pub fn set(&self, at: usize, item: &T) -> Result<Option<T>, CallError> {
        value(self.ask(ListOp::Set(at as u64, bytes(item)?))?)
    }

    /// Inserts an item before the one at `at`, or at the end if there is none.
    ///
    /// # Errors
    /// As [`List::push`].
    pub fn insert(&self, at: usize, item: &T) -> Result<(), CallError> {
        self.ask(ListOp::Insert(at as u64, bytes(item)?)).map(drop)
    }

    /// Removes the item at `at` and returns it.
    ///
    /// # Errors
    /// As [`List::push`].
    pub fn remove_at(&self, at: usize) -> Result<Option<T>, CallError> {
        value(self.ask(ListOp::RemoveAt(at as u64))?)
    }

    /// Removes the first item that equals `item`; whether there was one.
    ///
    /// # Errors
    /// As [`List::push`].
    pub fn remove(&self, item: &T) -> Result<bool, CallError> {
        value::<T>(self.ask(ListOp::Remove(bytes(item)?))?).map(|found| found.is_some())
    }

    /// Changes the item at `at` and returns what it is then; `None` if there is none. `change` runs again if another
    /// process was faster.
    ///
    /// # Errors
    /// As [`List::push`].
    pub fn update(&self, at: usize, mut change: impl FnMut(T) -> T) -> Result<Option<T>, CallError> {
        let mut found = match self.ask(ListOp::Get(at as u64))? {
            Reply::Value(found) => found,
            other => return Err(other.unexpected()),
        };
        while let Some(before) = found {
            let next = change(decode(&before)?);
            match self.ask(ListOp::Swap(at as u64, before, bytes(&next)?))? {
                Reply::Done => return Ok(Some(next)),
                Reply::Conflict(newer) => found = newer,
                other => return Err(other.unexpected()),
            }
        }
        Ok(None)
    }

    /// A copy of the whole list.
    ///
    /// # Errors
    /// As [`List::push`].
    pub fn to_vec(&self) -> Result<Vec<T>, CallError> {
        match self.ask(ListOp::All)? {
            Reply::Items(items) => items.iter().map(|item| Ok(decode(item)?)).collect(),
            other => Err(other.unexpected()),
        }
    }

    /// How many items there are.
    ///
    /// # Errors
    /// As [`List::push`].
    pub fn len(&self) -> Result<usize, CallError> {
        count(&self.ask(ListOp::Len)?)
    }

    /// Whether there are none.
    ///
    /// # Errors
    /// As [`List::push`].
    pub fn is_empty(&self) -> Result<bool, CallError> {
        self.len().map(|len| len == 0)
    }

    /// Removes everything.
    ///
    /// # Errors
    /// As [`List::push`].
    pub fn clear(&self) -> Result<(), CallError> {
        self.ask(ListOp::Clear).map(drop)
    }
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), item: PhantomData }
    }
}

impl<T> Serialize for List<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.handle.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for List<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { handle: Handle::deserialize(deserializer)?, item: PhantomData })
    }
}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("handle", &self.handle).finish()
    }
}
