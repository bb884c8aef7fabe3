//! A map session without a shuffle: what a mapper emits is the job's output.
//!
//! Each task's output becomes segments of the worker's run file; reduce tasks later put them together in the order of
//! the splits.

use std::sync::{Arc, Mutex, PoisonError};

use super::attempt;
use super::pending::Pending;
use super::session::MapSession;
use crate::api::{Mapper, Target};
use crate::collect::{Committed, Runs};
use crate::flight::{Flight, Stage};
use crate::input::Buffers;
use crate::output::{ByteSink, PairWriter};
use crate::result::Result;
use crate::run::{Kind, Label};
use crate::task::{Care, TaskEnv};

/// The map side of one worker of a map-only job.
pub(crate) struct OutputSession<M: Mapper> {
    env: Arc<TaskEnv>,
    input: M::Input,
    mapper: M,
    runs: Arc<Mutex<Runs>>,
    buffers: Buffers,
    pending: Pending,
}

impl<M: Mapper> OutputSession<M> {
    pub(crate) fn new(env: Arc<TaskEnv>, input: M::Input, mapper: M) -> Self {
        let runs = Arc::new(Mutex::new(Runs::new(Arc::clone(&env))));
        Self { env, input, mapper, runs, buffers: Buffers::default(), pending: Pending::default() }
    }
}

impl<M: Mapper> MapSession for OutputSession<M> {
    fn run(&mut self, task: u32, attempt: u32, care: &Care) -> Result<Option<Committed>> {
        self.pending.begin();
        let partition = self.env.plan.splits.get(task as usize).map_or(0, |split| split.partition);
        let segments = Segments {
            runs: Arc::clone(&self.runs),
            flight: self.env.flight.clone(),
            partition,
            task,
            spill: 0,
        };
        let mut writer = PairWriter::new(self.env.format, Box::new(segments));
        let target = Target::Direct(&mut writer);
        let counters =
            attempt::run(&self.env, &self.input, &self.mapper, (task, care), &mut self.buffers, target)?;
        writer.finish()?;
        self.pending.done(task, attempt, &counters);
        if care.commit || self.pending.due(&self.env) { self.flush() } else { Ok(None) }
    }

    fn flush(&mut self) -> Result<Option<Committed>> {
        let Some(record) = self.pending.take() else { return Ok(None) };
        self.env.flight.stage(Stage::Commit);
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).commit(record).map(Some)
    }
}

/// One task's output on its way into the run file.
struct Segments {
    runs: Arc<Mutex<Runs>>,
    flight: Flight,
    partition: u32,
    task: u32,
    spill: u32,
}

impl ByteSink for Segments {
    fn write(&mut self, bytes: &[u8], pairs: u64) -> Result {
        // No record is to blame if this fails, and the page keeps saying so.
        let before = self.flight.enter(Stage::Commit);
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let writer = runs.writer()?;
        let (partition, spill, task) = (self.partition, self.spill, self.task);
        writer.begin(Label { partition, spill, task, kind: Kind::Output, ..Label::default() })?;
        self.spill += 1;
        writer.write(bytes, pairs)?;
        self.flight.stage(before);
        Ok(())
    }
}
