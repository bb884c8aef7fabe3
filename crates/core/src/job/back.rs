//! What a job does after its mapper: with a shuffle, or without one.
//!
//! What becomes of the groups is in `sides`.

use std::any::type_name;
use std::sync::Arc;

use super::builder::Job;
use super::sides::{MapOnly, ReduceSide, Shuffled};
use crate::api::Mapper;
use crate::collect::{Collector, Runs};
use crate::counters::Counters;
use crate::flight::Stage;
use crate::map::{MapSession, OutputSession, ShuffleSession, sample_keys};
use crate::output::PairWriter;
use crate::output::part::PartFile;
use crate::reduce::{KeyOrder, ReduceTask, Shuffle, concatenate};
use crate::result::Result;
use crate::rows::Buckets;
use crate::task::TaskEnv;

/// The part of a job that depends on what comes after the mapper.
#[diagnostic::on_unimplemented(
    message = "this job is not complete: `{Self}` cannot stand at its end",
    label = "this is not a complete job",
    note = "after `combine_with` a `reduce_with` has to follow; `fold_with` takes a combiner that is the whole reducer"
)]
pub(crate) trait Back<M: Mapper>: Sized + Send + Sync {
    const MAP_ONLY: bool;

    /// Names of the types of the results' keys and values.
    fn out_types() -> (&'static str, &'static str);

    fn map_session(job: &Job<M, Self>, env: &Arc<TaskEnv>) -> Result<Box<dyn MapSession>>;

    /// Writes the results of one partition to `part`; returns how many they are, and what was counted.
    fn reduce(
        job: &Job<M, Self>,
        env: &TaskEnv,
        shuffle: &Shuffle,
        task: (u32, u32),
        part: &mut PartFile,
    ) -> Result<(u64, Counters)>;
}

impl<M: Mapper> Back<M> for MapOnly {
    const MAP_ONLY: bool = true;

    fn out_types() -> (&'static str, &'static str) {
        (type_name::<M::Key>(), type_name::<M::Value>())
    }

    fn map_session(job: &Job<M, Self>, env: &Arc<TaskEnv>) -> Result<Box<dyn MapSession>> {
        Ok(Box::new(OutputSession::new(Arc::clone(env), job.input.clone(), job.mapper.clone())))
    }

    fn reduce(
        _job: &Job<M, Self>,
        env: &TaskEnv,
        shuffle: &Shuffle,
        (partition, _): (u32, u32),
        part: &mut PartFile,
    ) -> Result<(u64, Counters)> {
        env.flight.stage(Stage::Output);
        Ok((concatenate(shuffle, partition, &env.flight, part.file())?, Counters::default()))
    }
}

impl<M: Mapper, S: ReduceSide<M::Key, M::Value>> Back<M> for Shuffled<S> {
    const MAP_ONLY: bool = false;

    fn out_types() -> (&'static str, &'static str) {
        (type_name::<S::OutKey>(), type_name::<S::OutValue>())
    }

    fn map_session(job: &Job<M, Self>, env: &Arc<TaskEnv>) -> Result<Box<dyn MapSession>> {
        let buckets = Buckets::new(S::SHAPE, env.partitions, env.buckets, env.memory / 2);
        let placement = job.partitioning.placement(env, || sample_keys(env, &job.input, &job.mapper))?;
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
        part: &mut PartFile,
    ) -> Result<(u64, Counters)> {
        let mut counters = Counters::default();
        let mut writer = PairWriter::new(env.format, part.sink()?);
        // What is partitioned by range is in order at little cost.
        let order = match job.partitioning.hashed_buckets(env) {
            Some(buckets) if job.any_order => KeyOrder::Hash(buckets),
            _ => KeyOrder::Key,
        };
        let ordered_buckets = order != KeyOrder::Key || job.partitioning.is_range();
        let task = ReduceTask { env, shuffle, partition, attempt, shape: S::SHAPE, order, ordered_buckets };
        job.side.0.reduce(&task, &mut writer, &mut counters)?;
        env.flight.stage(Stage::Output);
        Ok((writer.finish()?, counters))
    }
}
