//! The four things that can come after a mapper: nothing, a fold, a reducer, or a combiner and a reducer.
//!
//! Each says how pairs are held in the map phase and what happens to the groups in the reduce phase.

use std::path::Path;

use crate::api::{Combiner, Reducer, Values};
use crate::collect::PairSink;
use crate::counters::Counters;
use crate::datum::Datum;
use crate::flight::Stage;
use crate::key::KeyRef;
use crate::map::{CombineSink, KeepSink};
use crate::output::{PairWriter, Place};
use crate::reduce::{
    Folding, GroupWork, ReduceTask, Reducing, each_stretch, fold_partition, fold_values, one_by_one,
    reduce_groups, replay_group, stream_groups,
};
use crate::result::Result;
use crate::rows::{Buckets, Placement};
use crate::run::RowShape;
use crate::task::TaskEnv;

/// No shuffle: what the mapper emits is the output.
#[derive(Debug, Clone, Copy)]
pub struct MapOnly;

/// Everything that has a shuffle before it.
#[derive(Debug, Clone)]
pub struct Shuffled<S>(pub(super) S);

/// A combiner that is the whole reducer.
#[derive(Debug, Clone)]
pub struct Fold<C>(pub(super) C);

/// A combiner that still waits for its reducer; see [`super::Job::combine_with`].
#[derive(Debug, Clone)]
pub struct Combining<C>(pub(super) C);

/// A reducer that sees the one folded value of each key.
#[derive(Debug, Clone)]
pub struct Combine<C, R>(pub(super) C, pub(super) R);

/// A reducer that sees all values of each key.
#[derive(Debug, Clone)]
pub struct Group<R>(pub(super) R);

/// What comes after a mapper that emits `K` and `V`.
pub(crate) trait ReduceSide<K, V>: Clone + Send + Sync + 'static {
    /// Keys of the results.
    type OutKey: Datum;
    /// Values of the results.
    type OutValue: Datum;
    /// Whether the order of values is kept.
    const SHAPE: RowShape;

    /// Holds the pairs of a worker in the map phase.
    fn pair_sink(&self, placement: Placement, buckets: Buckets, env: &TaskEnv) -> Box<dyn PairSink<V>>;

    /// Reduces one partition.
    fn reduce(&self, task: &ReduceTask<'_>, writer: &mut PairWriter, counters: &mut Counters) -> Result;

    /// Gives a group that was stored in a run to the reducer, alone.
    fn replay(&self, run: &Path, env: &TaskEnv, writer: &mut PairWriter) -> Result;
}

fn combine_sink<V: Datum, C: Combiner<V>>(
    combiner: &C,
    placement: Placement,
    buckets: Buckets,
    env: &TaskEnv,
) -> Box<dyn PairSink<V>> {
    let sink = CombineSink::new(combiner.clone(), placement, buckets, env.memory, env.flight.clone());
    Box::new(if env.hardships.no_combine { sink.without_table() } else { sink })
}

impl<K: Datum, V: Datum, C: Combiner<V>> ReduceSide<K, V> for Fold<C> {
    type OutKey = K;
    type OutValue = V;
    const SHAPE: RowShape = RowShape::Plain;

    fn pair_sink(&self, placement: Placement, buckets: Buckets, env: &TaskEnv) -> Box<dyn PairSink<V>> {
        combine_sink(&self.0, placement, buckets, env)
    }

    fn replay(&self, run: &Path, env: &TaskEnv, writer: &mut PairWriter) -> Result {
        replay_group(run, env, &mut Folding::<K, V, C>::new(&self.0, writer))
    }

    fn reduce(&self, task: &ReduceTask<'_>, writer: &mut PairWriter, _: &mut Counters) -> Result {
        if task.care.is_careful() {
            return one_by_one(task, &mut Folding::<K, V, C>::new(&self.0, writer));
        }
        task.env.flight.stage(Stage::Reduce);
        let mut place = Place::<K>::default();
        fold_partition(task, &self.0, |key, value: V| writer.write_encoded(key, &value, &mut place))
    }
}

impl<K, V, C, R> ReduceSide<K, V> for Combine<C, R>
where
    K: Datum,
    V: Datum,
    C: Combiner<V>,
    R: Reducer<Key = K, Value = V>,
{
    type OutKey = R::OutKey;
    type OutValue = R::OutValue;
    const SHAPE: RowShape = RowShape::Plain;

    fn pair_sink(&self, placement: Placement, buckets: Buckets, env: &TaskEnv) -> Box<dyn PairSink<V>> {
        combine_sink(&self.0, placement, buckets, env)
    }

    fn reduce(&self, task: &ReduceTask<'_>, writer: &mut PairWriter, counters: &mut Counters) -> Result {
        if task.care.is_careful() {
            return one_by_one(task, &mut self.reducing(writer, counters));
        }
        let mut groups = 0..;
        reduce_groups(&self.1, writer, counters, task.env, |reduce| {
            fold_partition(task, &self.0, |key, value| {
                key.with_bytes(|key| {
                    task.begin_group(groups.next().unwrap_or_default(), key)?;
                    reduce(key, Values::folded(value))
                })
            })
        })
    }

    fn replay(&self, run: &Path, env: &TaskEnv, writer: &mut PairWriter) -> Result {
        replay_group(run, env, &mut self.reducing(writer, &mut Counters::default()))
    }
}

impl<K, V, R> ReduceSide<K, V> for Group<R>
where
    K: Datum,
    V: Datum,
    R: Reducer<Key = K, Value = V>,
{
    type OutKey = R::OutKey;
    type OutValue = R::OutValue;
    const SHAPE: RowShape = RowShape::WithSplit;

    fn pair_sink(&self, placement: Placement, buckets: Buckets, env: &TaskEnv) -> Box<dyn PairSink<V>> {
        Box::new(KeepSink::new(placement, buckets, env.memory))
    }

    fn reduce(&self, task: &ReduceTask<'_>, writer: &mut PairWriter, counters: &mut Counters) -> Result {
        if task.care.is_careful() {
            return one_by_one(task, &mut self.reducing(writer, counters));
        }
        let mut ordinal = 0;
        reduce_groups(&self.0, writer, counters, task.env, |reduce| {
            each_stretch(task, |groups| {
                stream_groups(groups, task, &mut ordinal, |key, values| reduce(key, Values::stream(values)))
            })
        })
    }

    fn replay(&self, run: &Path, env: &TaskEnv, writer: &mut PairWriter) -> Result {
        replay_group(run, env, &mut self.reducing(writer, &mut Counters::default()))
    }
}

impl<C: Clone + Send + Sync + 'static, R: Reducer> Combine<C, R>
where
    C: Combiner<R::Value>,
{
    /// Folding and reducing one group after the other.
    fn reducing<'a>(&'a self, writer: &'a mut PairWriter, counters: &'a mut Counters) -> impl GroupWork + 'a {
        Reducing::new(&self.1, writer, counters, |reducer: &mut R, key, values, out| {
            let value = fold_values(&self.0, values)?;
            reducer.reduce(KeyRef::new(key), Values::folded(value), out)
        })
    }
}

impl<R: Reducer> Group<R> {
    /// Reducing one group after the other.
    fn reducing<'a>(&'a self, writer: &'a mut PairWriter, counters: &'a mut Counters) -> impl GroupWork + 'a {
        Reducing::new(&self.0, writer, counters, |reducer: &mut R, key, values, out| {
            reducer.reduce(KeyRef::new(key), Values::stream(values), out)
        })
    }
}
