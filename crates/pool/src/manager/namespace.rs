//! Names with values of any type that processes share.
//!
//! The rule of updates is in the module above.

use gristmill_ipc::decode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{bytes, update_entry, value};
use crate::broker::{CallError, Handle, Object, Op, Reply, TableOp};

/// Named values in the parent, each of a type of its own. Who reads a value must know its type.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Namespace {
    handle: Handle,
}

impl Namespace {
    /// A namespace without names.
    ///
    /// # Errors
    /// In a worker: shared objects are made in the parent.
    pub fn new() -> Result<Self, CallError> {
        Ok(Self { handle: Handle::new(Object::table())? })
    }

    fn ask(&self, op: TableOp) -> Result<Reply, CallError> {
        self.handle.ask(Op::Table(op))
    }

    /// A copy of the value of `name`.
    ///
    /// # Errors
    /// When the namespace is gone or the value is not of this type, as with all calls.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, CallError> {
        value(self.ask(TableOp::Get(bytes(name)?))?)
    }

    /// Sets the value of `name`.
    ///
    /// # Errors
    /// As [`Namespace::get`].
    pub fn set<T: Serialize + ?Sized>(&self, name: &str, item: &T) -> Result<(), CallError> {
        self.ask(TableOp::Put(bytes(name)?, bytes(item)?)).map(drop)
    }

    /// Removes `name`; whether it was there.
    ///
    /// # Errors
    /// As [`Namespace::get`].
    pub fn remove(&self, name: &str) -> Result<bool, CallError> {
        match self.ask(TableOp::Remove(bytes(name)?))? {
            Reply::Value(found) => Ok(found.is_some()),
            other => Err(other.unexpected()),
        }
    }

    /// Changes the value of `name`, or puts one there, or with `None` removes it; returns what is there then.
    /// `change` runs again if another process was faster.
    ///
    /// # Errors
    /// As [`Namespace::get`].
    pub fn update<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        change: impl FnMut(Option<T>) -> Option<T>,
    ) -> Result<Option<T>, CallError> {
        update_entry(&self.handle, &bytes(name)?, change)
    }

    /// All names, in the order in which they came.
    ///
    /// # Errors
    /// As [`Namespace::get`].
    pub fn names(&self) -> Result<Vec<String>, CallError> {
        match self.ask(TableOp::Entries)? {
            Reply::Entries(entries) => entries.iter().map(|(name, _)| Ok(decode(name)?)).collect(),
            other => Err(other.unexpected()),
        }
    }
}
