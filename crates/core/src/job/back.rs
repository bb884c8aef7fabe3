//! What a job does after its mapper: with a shuffle, or without one.
//!
//! What becomes of the groups is in `sides`.

use std::any::type_name;
use std::path::Path;
use std::sync::Arc;

use super::builder::Job;
use super::sides::{MapOnly, ReduceSide, Shuffled};
use crate::api::Mapper;
use crate::collect::{Collector, Matters, Runs};
use crate::counters::Counters;
use crate::flight::Stage;
use crate::map::{MapSession, OutputSession, ShuffleSession, sample_keys};
use crate::output::PairWriter;
use crate::output::part::PartFile;
use crate::reduce::{KeyOrder, ReduceTask, Shuffle, concatenate};
use crate::result::Result;
use crate::rows::Buckets;
use crate::run::RowShape;
use crate::task::{Care, TaskEnv};

/// The part of a job that depends on what comes after the mapper.
#[diagnostic::on_unimplemented(
    message = "this job is not complete: `{Self}` cannot stand at its end",
    label = "this is not a complete job",
    note = "after `combine_with` a `reduce_with` has to follow; `fold_with` takes a combiner that is the whole reducer"
)]
pub(crate) trait Back<M: Mapper>: Sized + Send + Sync {
    const MAP_ONLY: bool;

    /// What of the mapper's pairs shows in the output.
    const MATTERS: Matters;

    /// Names of the types of the results' keys and values.
    fn out_types() -> (&'static str, &'static str);

    fn map_session(job: &Job<M, Self>, env: &Arc<TaskEnv>, care: &Care) -> Result<Box<dyn MapSession>>;

    /// Writes the results of one partition to `part`; returns how many they are, and what was counted.
    fn reduce(
        job: &Job<M, Self>,
        env: &TaskEnv,
        shuffle: &Shuffle,
        task: (u32, u32),
        care: &Care,
        part: &mut PartFile,
    ) -> Result<(u64, Counters)>;

    /// Gives a stored group to the reducer; what it emits goes to `writer`.
    fn replay(job: &Job<M, Self>, run: &Path, env: &TaskEnv, writer: &mut PairWriter) -> Result;
}

impl<M: Mapper> Back<M> for MapOnly {
    const MAP_ONLY: bool = true;
    const MATTERS: Matters = Matters::Order;

    fn out_types() -> (&'static str, &'static str) {
        (type_name::<M::Key>(), type_name::<M::Value>())
    }

    fn map_session(job: &Job<M, Self>, env: &Arc<TaskEnv>, _care: &Care) -> Result<Box<dyn MapSession>> {
        Ok(Box::new(OutputSession::new(Arc::clone(env), job.input.clone(), job.mapper.clone())))
    }

    fn reduce(
        _job: &Job<M, Self>,
        env: &TaskEnv,
        shuffle: &Shuffle,
        (partition, _): (u32, u32),
        _care: &Care,
        part: &mut PartFile,
    ) -> Result<(u64, Counters)> {
        env.flight.stage(Stage::Output);
        Ok((concatenate(shuffle, partition, &env.flight, part)?, Counters::default()))
    }

    fn replay(_job: &Job<M, Self>, _run: &Path, _env: &TaskEnv, _writer: &mut PairWriter) -> Result {
        Err("this job has no groups".into())
    }
}

impl<M: Mapper, S: ReduceSide<M::Key, M::Value>> Back<M> for Shuffled<S> {
    const MAP_ONLY: bool = false;
    const MATTERS: Matters = match S::SHAPE {
        RowShape::WithSplit => Matters::OrderInKey,
        RowShape::Plain => Matters::Pairs,
    };

    fn out_types() -> (&'static str, &'static str) {
        (type_name::<S::OutKey>(), type_name::<S::OutValue>())
    }

    fn map_session(job: &Job<M, Self>, env: &Arc<TaskEnv>, care: &Care) -> Result<Box<dyn MapSession>> {
        let buckets = Buckets::new(S::SHAPE, env.partitions, env.buckets, env.memory / 2);
        let placement =
            job.partitioning.placement(env, || sample_keys(env, &job.input, &job.mapper, care))?;
        let sink = job.side.0.pair_sink(placement, buckets, env);
        let collector = Collector::new(sink, Runs::new(Arc::clone(env)), env.flight.clone());
        let (input, mapper) = (job.input.clone(), job.mapper.clone());
        Ok(Box::new(ShuffleSession::new(Arc::clone(env), input, mapper, collector)))
    }

    fn reduce(
        job: &Job<M, Self>,
        env: &TaskEnv,
        shuffle: &Shuffle,
        (partition, attempt): (u32, u32),
        care: &Care,
        part: &mut PartFile,
    ) -> Result<(u64, Counters)> {
        let mut counters = Counters::default();
        let mut writer = PairWriter::new(env.format, part.sink(&env.flight));
        // What is partitioned by range is in order at little cost.
        let order = match job.partitioning.hashed_buckets(env) {
            Some(buckets) if job.any_order => KeyOrder::Hash(buckets),
            _ => KeyOrder::Key,
        };
        let ordered_buckets = order != KeyOrder::Key || job.partitioning.is_range();
        let shape = S::SHAPE;
        let task = ReduceTask { env, shuffle, partition, attempt, shape, order, ordered_buckets, care };
        job.side.0.reduce(&task, &mut writer, &mut counters)?;
        env.flight.stage(Stage::Output);
        Ok((writer.finish()?, counters))
    }

    fn replay(job: &Job<M, Self>, run: &Path, env: &TaskEnv, writer: &mut PairWriter) -> Result {
        job.side.0.replay(run, env, writer)
    }
}
