//! A dictionary that processes share.
//!
//! The rule of updates is in the module above.

use std::fmt;
use std::marker::PhantomData;

use gristmill_ipc::decode;
use serde::{Deserialize, Serialize};

use super::{bytes, count, update_entry, value};
use crate::broker::{CallError, Handle, Object, Op, Reply, TableOp};
use crate::toolkit::registry::Argument;

/// A dictionary in the parent, in the order in which its keys came. Keys are equal if their encoded bytes are.
pub struct Dict<K, V> {
    handle: Handle,
    entry: PhantomData<fn() -> (K, V)>,
}

impl<K: Argument, V: Argument> Dict<K, V> {
    /// An empty dictionary.
    ///
    /// # Errors
    /// In a worker: shared objects are made in the parent.
    pub fn new() -> Result<Self, CallError> {
        Ok(Self { handle: Handle::new(Object::table())?, entry: PhantomData })
    }

    fn ask(&self, op: TableOp) -> Result<Reply, CallError> {
        self.handle.ask(Op::Table(op))
    }

    /// A copy of the value of `key`.
    ///
    /// # Errors
    /// When the dictionary is gone or the value cannot be decoded, as with all calls.
    pub fn get(&self, key: &K) -> Result<Option<V>, CallError> {
        value(self.ask(TableOp::Get(bytes(key)?))?)
    }

    /// Sets the value of `key` and returns what was there.
    ///
    /// # Errors
    /// As [`Dict::get`].
    pub fn insert(&self, key: &K, item: &V) -> Result<Option<V>, CallError> {
        value(self.ask(TableOp::Put(bytes(key)?, bytes(item)?))?)
    }

    /// Removes `key` and returns what was there.
    ///
    /// # Errors
    /// As [`Dict::get`].
    pub fn remove(&self, key: &K) -> Result<Option<V>, CallError> {
        value(self.ask(TableOp::Remove(bytes(key)?))?)
    }

    /// Changes the value of `key`, or puts one there, or with `None` removes it; returns what is there then.
    /// `change` runs again if another process was faster.
    ///
    /// # Errors
    /// As [`Dict::get`].
    pub fn update(
        &self,
        key: &K,
        change: impl FnMut(Option<V>) -> Option<V>,
    ) -> Result<Option<V>, CallError> {
        update_entry(&self.handle, &bytes(key)?, change)
    }

    /// Whether `key` is there.
    ///
    /// # Errors
    /// As [`Dict::get`].
    pub fn contains(&self, key: &K) -> Result<bool, CallError> {
        self.get(key).map(|found| found.is_some())
    }

    /// A copy of all entries.
    ///
    /// # Errors
    /// As [`Dict::get`].
    pub fn entries(&self) -> Result<Vec<(K, V)>, CallError> {
        match self.ask(TableOp::Entries)? {
            Reply::Entries(entries) => {
                entries.iter().map(|(key, value)| Ok((decode(key)?, decode(value)?))).collect()
            }
            other => Err(other.unexpected()),
        }
    }

    /// How many entries there are.
    ///
    /// # Errors
    /// As [`Dict::get`].
    pub fn len(&self) -> Result<usize, CallError> {
        count(&self.ask(TableOp::Len)?)
    }

    /// Whether there are none.
    ///
    /// # Errors
    /// As [`Dict::get`].
    pub fn is_empty(&self) -> Result<bool, CallError> {
        self.len().map(|len| len == 0)
    }

    /// Removes everything.
    ///
    /// # Errors
    /// As [`Dict::get`].
    pub fn clear(&self) -> Result<(), CallError> {
        self.ask(TableOp::Clear).map(drop)
    }
}

impl<K, V> Clone for Dict<K, V> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), entry: PhantomData }
    }
}

impl<K, V> Serialize for Dict<K, V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.handle.serialize(serializer)
    }
}

impl<'de, K, V> Deserialize<'de> for Dict<K, V> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { handle: Handle::deserialize(deserializer)?, entry: PhantomData })
    }
}

impl<K, V> fmt::Debug for Dict<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dict").field("handle", &self.handle).finish()
    }
}
