//! The run files of one worker's map session: numbering, commit, and what the scheduler is told.
//!
//! It does not hold pairs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::counters::Counters;
use crate::result::Result;
use crate::run::{CommitRecord, RunWriter};
use crate::task::TaskEnv;

/// A commit: one run file and the attempts that it stands for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Committed {
    /// Name of the file in the folder of runs; `None` if no task emitted anything.
    pub(crate) run: Option<String>,
    pub(crate) tasks: Vec<(u32, u32)>,
    pub(crate) counters: Counters,
    /// Bytes for each partition that has any.
    pub(crate) partitions: Vec<(u32, u64)>,
}

/// Makes a session's run files, one after the other.
pub(crate) struct Runs {
    env: Arc<TaskEnv>,
    files: u32,
    spills: u32,
    writer: Option<RunWriter>,
}

impl Runs {
    pub(crate) fn new(env: Arc<TaskEnv>) -> Self {
        Self { env, files: 0, spills: 0, writer: None }
    }

    /// The run file in the making and the ordinal of the next spill in it.
    pub(crate) fn next_spill(&mut self) -> Result<(&mut RunWriter, u32)> {
        let spill = self.spills;
        self.spills += 1;
        Ok((self.writer()?, spill))
    }

    /// The run file in the making.
    pub(crate) fn writer(&mut self) -> Result<&mut RunWriter> {
        if self.writer.is_none() {
            self.writer = Some(RunWriter::create(&self.env.runs.join(self.name()))?);
        }
        self.writer.as_mut().ok_or_else(|| "no run was started".into())
    }

    /// Commits the file in the making, if any, for `record`.
    pub(crate) fn commit(&mut self, record: CommitRecord) -> Result<Committed> {
        let (tasks, counters) = (record.tasks.clone(), record.counters.clone());
        let Some(writer) = self.writer.take() else {
            return Ok(Committed { run: None, tasks, counters, partitions: Vec::new() });
        };
        let name = self.name();
        let index = writer.commit(&self.env.runs.join(&name), record, self.env.durable)?;
        self.files += 1;
        self.spills = 0;
        let mut partitions = std::collections::BTreeMap::new();
        for segment in &index.segments {
            *partitions.entry(segment.partition).or_insert(0) += segment.len;
        }
        Ok(Committed { run: Some(name), tasks, counters, partitions: partitions.into_iter().collect() })
    }

    fn name(&self) -> String {
        format!("{}-{}.run", self.env.run_prefix, self.files)
    }
}
