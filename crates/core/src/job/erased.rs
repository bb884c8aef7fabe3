//! A job with its types hidden: what workers run and the coordinator plans.
//!
//! It decides nothing: each method hands over to the typed parts.

use std::any::type_name;
use std::path::Path;
use std::sync::Arc;

use super::back::Back;
use super::builder::Job;
use crate::api::Mapper;
use crate::counters::Counters;
use crate::flight::Stage;
use crate::input::{Cut, Input};
use crate::map::MapSession;
use crate::output::part::{PartFile, part_name};
use crate::reduce::{Reduced, Shuffle};
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

impl<M: Mapper, S: Back<M>> Stages for Job<M, S> {
    fn types(&self) -> Types {
        let (out_key, out_value) = S::out_types();
        Types { input: type_name::<M::Input>(), out_key, out_value }
    }

    fn partitions(&self) -> Option<u32> {
        self.partitions
    }

    fn map_only(&self) -> bool {
        S::MAP_ONLY
    }

    fn cut(&self) -> Cut {
        self.input.cut()
    }

    fn check(&self, path: &Path, size: u64) -> Result {
        self.input.check(path, size)
    }

    fn map_session(&self, env: &Arc<TaskEnv>) -> Box<dyn MapSession> {
        S::map_session(self, env)
    }

    fn reduce(
        &self,
        env: &TaskEnv,
        shuffle: &Shuffle,
        task: u32,
        attempt: u32,
    ) -> Result<(Reduced, Counters)> {
        let mut part = PartFile::create(&env.parts, &part_name(S::MAP_ONLY, task), attempt)?;
        let (records, counters) = S::reduce(self, env, shuffle, task, &mut part)?;
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
