//! `Job`: what a user builds.
//!
//! It holds the parts and runs none of them.

use std::fmt;
use std::sync::Arc;

use super::partitioning::Partitioning;
use super::sides::{Combine, Combining, Fold, Group, MapOnly, Shuffled};
use crate::api::{Combiner, Mapper, Partitioner, Reducer};

/// A mapper, what comes after it, and how its keys are partitioned.
///
/// ```
/// use gristmill::{Job, Sum, map_text};
///
/// fn words(line: &str, out: &mut gristmill::Emitter<'_, String, u64>) -> gristmill::Result {
///     line.split_whitespace().try_for_each(|word| out.emit(word, 1))
/// }
///
/// let word_count = Job::new(map_text(words)).fold_with(Sum);
/// ```
pub struct Job<M: Mapper, S = MapOnly> {
    pub(super) input: M::Input,
    pub(super) mapper: M,
    pub(super) side: S,
    pub(super) partitioning: Partitioning<M::Key>,
    pub(super) any_order: bool,
    pub(super) raw_output: bool,
    pub(super) input_list: Option<String>,
    pub(super) partitions: Option<u32>,
}

impl<M: Mapper> Job<M, MapOnly> {
    /// A map-only job. Its results come in the order of the input.
    pub fn new(mapper: M) -> Self
    where
        M::Input: Default,
    {
        Self::reading(M::Input::default(), mapper)
    }

    /// A map-only job over a kind of record that has parameters, such as [`crate::Fixed`].
    pub fn reading(input: M::Input, mapper: M) -> Self {
        let partitioning = Partitioning::Hash;
        Self {
            input,
            mapper,
            side: MapOnly,
            partitioning,
            any_order: false,
            raw_output: false,
            input_list: None,
            partitions: None,
        }
    }

    /// Folds all values of a key into one, which is the result for the key.
    pub fn fold_with<C: Combiner<M::Value>>(self, combiner: C) -> Job<M, Shuffled<Fold<C>>> {
        self.with(|MapOnly| Shuffled(Fold(combiner)))
    }

    /// Folds the values of a key before a reducer sees the one that is left; `reduce_with` has to follow.
    pub fn combine_with<C: Combiner<M::Value>>(self, combiner: C) -> Job<M, Combining<C>> {
        self.with(|MapOnly| Combining(combiner))
    }

    /// Hands all values of a key to a reducer, in the order of the input.
    pub fn reduce_with<R>(self, reducer: R) -> Job<M, Shuffled<Group<R>>>
    where
        R: Reducer<Key = M::Key, Value = M::Value>,
    {
        self.with(|MapOnly| Shuffled(Group(reducer)))
    }
}

impl<M: Mapper, C: Combiner<M::Value>> Job<M, Combining<C>> {
    /// Hands the folded value of each key to a reducer.
    pub fn reduce_with<R>(self, reducer: R) -> Job<M, Shuffled<Combine<C, R>>>
    where
        R: Reducer<Key = M::Key, Value = M::Value>,
    {
        self.with(|Combining(combiner)| Shuffled(Combine(combiner, reducer)))
    }
}

impl<M: Mapper, S> Job<M, Shuffled<S>> {
    /// Chooses partitions by another rule than the hash of the key.
    #[must_use]
    pub fn partition_by(mut self, partitioner: impl Partitioner<M::Key>) -> Self {
        self.partitioning = Partitioning::Custom(Arc::new(partitioner));
        self
    }

    /// Divides keys into ranges that hold about as many pairs each, so that the parts, one after the other, have all keys in
    /// order.
    ///
    /// The borders come from a sample of the input, on which each worker runs the mapper before its first task.
    #[must_use]
    pub fn partition_by_range(mut self) -> Self {
        self.partitioning = Partitioning::Range;
        self
    }

    /// Gives up the order of keys: a reducer sees the keys of a partition, and the output has them, in the order of their
    /// hashes. That is cheaper, and the output is as reproducible as in key order.
    #[must_use]
    pub fn any_order(mut self, any_order: bool) -> Self {
        self.any_order = any_order;
        self
    }
}

impl<M: Mapper, S> Job<M, S> {
    /// Sets the number of partitions that is used unless the command line or the run's options give one.
    #[must_use]
    pub fn partitions(mut self, partitions: u32) -> Self {
        self.partitions = Some(partitions);
        self
    }

    /// Writes part files without tabs, line ends and escapes: each result is the bytes of its key and those of its value.
    #[must_use]
    pub fn raw_output(mut self) -> Self {
        self.raw_output = true;
        self
    }

    /// Puts a file called `name` beside the part files that lists the inputs: `ordinal<TAB>path`, escaped as text output
    /// is. The ordinals are those of [`Emitter::ordinal`](crate::Emitter::ordinal).
    #[must_use]
    pub fn list_inputs(mut self, name: impl Into<String>) -> Self {
        self.input_list = Some(name.into());
        self
    }

    fn with<T>(self, side: impl FnOnce(S) -> T) -> Job<M, T> {
        Job {
            input: self.input,
            mapper: self.mapper,
            side: side(self.side),
            partitioning: self.partitioning,
            any_order: self.any_order,
            raw_output: self.raw_output,
            input_list: self.input_list,
            partitions: self.partitions,
        }
    }
}

impl<M: Mapper, S> fmt::Debug for Job<M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("partitions", &self.partitions).finish_non_exhaustive()
    }
}
