//! `Job`: what a user builds.
//!
//! It holds the parts and runs none of them.

use std::fmt;
use std::sync::Arc;

use super::sides::{Combine, Combining, Fold, Group, MapOnly, Shuffled};
use crate::api::{Combiner, HashPartitioner, Mapper, Partitioner, Reducer};

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
    pub(super) partitioner: Arc<dyn Partitioner<M::Key>>,
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
        Self { input, mapper, side: MapOnly, partitioner: Arc::new(HashPartitioner), partitions: None }
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
        self.partitioner = Arc::new(partitioner);
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

    fn with<T>(self, side: impl FnOnce(S) -> T) -> Job<M, T> {
        let Self { input, mapper, side: before, partitioner, partitions } = self;
        Job { input, mapper, side: side(before), partitioner, partitions }
    }
}

impl<M: Mapper, S> fmt::Debug for Job<M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("partitions", &self.partitions).finish_non_exhaustive()
    }
}
