//! `Out`: where a reducer puts its results.
//!
//! It does not choose the format or the file: the reduce task does.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;

use crate::counters::Counters;
use crate::output::PairWriter;
use crate::result::Result;

/// Takes a reducer's results, in the order in which they are emitted.
pub struct Out<'a, K, V> {
    writer: &'a mut PairWriter,
    counters: &'a mut Counters,
    types: PhantomData<fn(K, V)>,
}

impl<'a, K, V> Out<'a, K, V> {
    pub(crate) fn new(writer: &'a mut PairWriter, counters: &'a mut Counters) -> Self {
        Self { writer, counters, types: PhantomData }
    }

    /// Writes one result. Key and value may be borrowed forms of `K` and `V`: `&str` for `String`.
    ///
    /// # Errors
    /// When the pair cannot be written in the job's output format, or the part file cannot be written.
    pub fn emit<Q, R>(&mut self, key: &Q, value: &R) -> Result
    where
        K: Borrow<Q>,
        V: Borrow<R>,
        Q: Serialize + ?Sized,
        R: Serialize + ?Sized,
    {
        self.writer.write(key, value)
    }

    /// Says whether all results so far were written well.
    pub(crate) fn check(&mut self) -> Result {
        self.writer.check()
    }

    /// Drops what waits to be written, in whatever state a failure has left it.
    pub(crate) fn discard(&mut self) {
        self.writer.discard();
    }

    /// Adds `n` to the counter `name`; it counts if this attempt is committed.
    pub fn count(&mut self, name: &str, n: u64) {
        self.counters.add(name, n);
    }
}

impl<K, V> fmt::Debug for Out<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Out").finish_non_exhaustive()
    }
}
