//! A job with its types hidden: what workers run and the coordinator plans.
//!
//! It decides nothing: each method hands over to the typed parts.

use std::any::type_name;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use super::builder::Job;
use super::sides::{MapOnly, ReduceSide, Shuffled};
use crate::api::Mapper;
use crate::collect::{Collector, Runs};
use crate::counters::Counters;
use crate::flight::Stage;
use crate::input::{Cut, Input};
use crate::map::{MapSession, OutputSession, Placed, ShuffleSession};
use crate::output::PairWriter;
use crate::output::part::{PartFile, part_name};
use crate::reduce::{Reduced, Shuffle, concatenate};
use crate::result::Result;
use crate::task::TaskEnv;

/// A complete job, of whatever types. Every [`Job`] is one, but for those that still wait for a reducer.
pub trait AnyJob: sealed::Erase {}

pub(crate) mod sealed {
    use super::{Arc, Stages};

    /// Only the library's own jobs can be erased.
    pub trait Erase {
        #[doc(hidden)]
        #[allow(private_interfaces)]
        fn erase(self) -> Arc<dyn Stages>;
    }
}

/// Names of a job's types, to check what a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Types {
    pub(crate) input: &'static str,
    pub(crate) out_key: &'static str,
    pub(crate) out_value: &'static str,
}

/// The typed parts of a job behind one face.
pub(crate) trait Stages: Send + Sync {
    fn types(&self) -> Types;
    /// The number of partitions that the job itself asks for.
    fn partitions(&self) -> Option<u32>;
    fn map_only(&self) -> bool;
    /// How files may be cut.
    fn cut(&self) -> Cut;
    /// Whether a file can hold the job's kind of records.
    fn check(&self, path: &Path, size: u64) -> Result;
    /// The map side of one worker.
    fn map_session(&self, env: &Arc<TaskEnv>) -> Box<dyn MapSession>;
    /// One attempt at a reduce task, committed when it returns.
    fn reduce(
        &self,
        env: &TaskEnv,
        shuffle: &Shuffle,
        partition: u32,
        attempt: u32,
    ) -> Result<(Reduced, Counters)>;
}

impl<M: Mapper> Stages for Job<M, MapOnly> {
    fn types(&self) -> Types {
        Types {
            input: type_name::<M::Input>(),
            out_key: type_name::<M::Key>(),
            out_value: type_name::<M::Value>(),
        }
    }

    fn partitions(&self) -> Option<u32> {
        self.partitions
    }

    fn map_only(&self) -> bool {
        true
    }

    fn cut(&self) -> Cut {
        self.input.cut()
    }

    fn check(&self, path: &Path, size: u64) -> Result {
        self.input.check(path, size)
    }

    fn map_session(&self, env: &Arc<TaskEnv>) -> Box<dyn MapSession> {
        Box::new(OutputSession::new(Arc::clone(env), self.input.clone(), self.mapper.clone()))
    }

    fn reduce(
        &self,
        env: &TaskEnv,
        shuffle: &Shuffle,
        task: u32,
        attempt: u32,
    ) -> Result<(Reduced, Counters)> {
        env.flight.stage(Stage::Output);
        let mut part = PartFile::create(&env.parts, &part_name(true, task), attempt)?;
        let records = concatenate(shuffle, task, &env.flight, part.file())?;
        env.flight.stage(Stage::Commit);
        Ok((Reduced { records, bytes: part.commit(env.durable)? }, Counters::default()))
    }
}

impl<M: Mapper, S: ReduceSide<M::Key, M::Value>> Stages for Job<M, Shuffled<S>> {
    fn types(&self) -> Types {
        Types {
            input: type_name::<M::Input>(),
            out_key: type_name::<S::OutKey>(),
            out_value: type_name::<S::OutValue>(),
        }
    }

    fn partitions(&self) -> Option<u32> {
        self.partitions
    }

    fn map_only(&self) -> bool {
        false
    }

    fn cut(&self) -> Cut {
        self.input.cut()
    }

    fn check(&self, path: &Path, size: u64) -> Result {
        self.input.check(path, size)
    }

    fn map_session(&self, env: &Arc<TaskEnv>) -> Box<dyn MapSession> {
        let partitioner = Arc::clone(&self.partitioner);
        let placement = Arc::new(Placed { partitioner, partitions: env.partitions, key: PhantomData });
        let sink = self.side.0.pair_sink(placement);
        let collector = Collector::new(sink, Runs::new(Arc::clone(env)), env.memory);
        Box::new(ShuffleSession::new(Arc::clone(env), self.input.clone(), self.mapper.clone(), collector))
    }

    fn reduce(
        &self,
        env: &TaskEnv,
        shuffle: &Shuffle,
        task: u32,
        attempt: u32,
    ) -> Result<(Reduced, Counters)> {
        let mut counters = Counters::default();
        let part = PartFile::create(&env.parts, &part_name(false, task), attempt)?;
        let mut writer = PairWriter::new(env.format, part.sink()?);
        let mut merge = shuffle.merge(task, S::SHAPE, env.memory)?;
        self.side.0.reduce(&mut merge, &mut writer, &mut counters, &env.flight)?;
        env.flight.stage(Stage::Output);
        let records = writer.finish()?;
        env.flight.stage(Stage::Commit);
        Ok((Reduced { records, bytes: part.commit(env.durable)? }, counters))
    }
}

impl<M: Mapper, S> sealed::Erase for Job<M, S>
where
    Self: Stages + 'static,
{
    #[allow(private_interfaces)]
    fn erase(self) -> Arc<dyn Stages> {
        Arc::new(self)
    }
}

impl<M: Mapper, S> AnyJob for Job<M, S> where Self: Stages + 'static {}
