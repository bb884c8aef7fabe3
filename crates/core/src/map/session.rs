//! A map session with a shuffle behind it: pairs stay in one sink across tasks and are committed together.
//!
//! It does not combine, sort or write: its collector does.

use std::sync::Arc;

use super::attempt;
use super::pending::Pending;
use crate::api::{Mapper, Target};
use crate::collect::{Collector, Committed};
use crate::flight::Stage;
use crate::input::Buffers;
use crate::result::Result;
use crate::task::{Care, TaskEnv};

/// A worker's map side, from its first map task to its last.
pub(crate) trait MapSession: Send {
    /// Runs one attempt at a map task. What it emitted may stay in memory: the attempt counts once a
    /// [`Committed`] names it, which may be this call's result.
    fn run(&mut self, task: u32, attempt: u32, care: &Care) -> Result<Option<Committed>>;

    /// Commits whatever was not committed yet.
    fn flush(&mut self) -> Result<Option<Committed>>;
}

/// The map side of one worker.
pub(crate) struct ShuffleSession<M: Mapper> {
    env: Arc<TaskEnv>,
    input: M::Input,
    mapper: M,
    collector: Collector<M::Value>,
    buffers: Buffers,
    pending: Pending,
}

impl<M: Mapper> ShuffleSession<M> {
    pub(crate) fn new(env: Arc<TaskEnv>, input: M::Input, mapper: M, collector: Collector<M::Value>) -> Self {
        Self { env, input, mapper, collector, buffers: Buffers::default(), pending: Pending::default() }
    }
}

impl<M: Mapper> MapSession for ShuffleSession<M> {
    fn run(&mut self, task: u32, attempt: u32, care: &Care) -> Result<Option<Committed>> {
        self.pending.begin();
        self.collector.begin(task)?;
        let target = Target::Shuffle(&mut self.collector);
        let counters =
            attempt::run(&self.env, &self.input, &self.mapper, (task, care), &mut self.buffers, target)?;
        self.collector.check()?;
        self.pending.done(task, attempt, &counters);
        if care.commit || self.pending.due(&self.env) { self.flush() } else { Ok(None) }
    }

    fn flush(&mut self) -> Result<Option<Committed>> {
        let Some(record) = self.pending.take() else { return Ok(None) };
        self.env.flight.stage(Stage::Commit);
        self.collector.finish()?.commit(record).map(Some)
    }
}
