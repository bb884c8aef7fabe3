//! Sorted rows that a reduce attempt had no memory for, in files of its own, and their merge.
//!
//! It does not sort.

use std::sync::Arc;

use super::Merge;
use super::task::ReduceTask;
use crate::result::Result;
use crate::run::{Kind, Label, RowShape, RunFile, RunWriter, SegmentReader};

/// Segments that one merge reads at a time, at most.
const FAN_IN: usize = 64;
const LEAST_BUFFER: usize = 16 << 10;
const MOST_BUFFER: usize = 256 << 10;

/// The spills of a reduce attempt, oldest first.
pub(super) struct Spills<'a> {
    task: &'a ReduceTask<'a>,
    /// That of the rows in the spills.
    shape: RowShape,
    runs: Vec<Arc<RunFile>>,
    begun: u32,
}

impl<'a> Spills<'a> {
    pub(super) fn new(task: &'a ReduceTask<'a>, shape: RowShape) -> Self {
        Self { task, shape, runs: Vec::new(), begun: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Adds a spill that `write` fills with sorted rows.
    pub(super) fn add(&mut self, write: impl FnOnce(&mut RunWriter) -> Result) -> Result {
        let run = self.write(write)?;
        self.runs.push(run);
        Ok(())
    }

    fn write(&mut self, write: impl FnOnce(&mut RunWriter) -> Result) -> Result<Arc<RunFile>> {
        let env = self.task.env;
        let name =
            format!("{}-reduce-{}-{}-{}", env.run_prefix, self.task.partition, self.task.attempt, self.begun);
        self.begun += 1;
        let path = env.runs.join(name);
        // Nobody else reads it: without a name it is gone with this process at the latest.
        let mut writer = RunWriter::create_unnamed(&path, &env.spilling)?;
        writer.begin(Label { partition: self.task.partition, kind: Kind::Sorted, ..Label::default() })?;
        write(&mut writer)?;
        Ok(Arc::new(writer.into_unnamed()?))
    }

    /// All rows in order.
    pub(super) fn merge(mut self) -> Result<Merge> {
        let least = LEAST_BUFFER.max(self.task.env.spilling.block());
        let fan_in = self.task.env.hardships.fan_in((self.task.env.memory / 2 / least).clamp(2, FAN_IN));
        while self.runs.len() > fan_in {
            // Neighbours only: rows that are equal in key and split are told apart by the age of their spill. Each pass
            // goes through all rows once.
            let runs = std::mem::take(&mut self.runs);
            for neighbours in runs.chunks(fan_in) {
                let merged = match neighbours {
                    [only] => Arc::clone(only),
                    several => {
                        let mut merge = self.open(several)?;
                        self.write(|writer| merge.copy_to(writer))?
                    }
                };
                self.runs.push(merged);
            }
        }
        let runs = std::mem::take(&mut self.runs);
        self.open(&runs)
    }

    fn open(&self, runs: &[Arc<RunFile>]) -> Result<Merge> {
        let (ReduceTask { env, order, .. }, shape) = (*self.task, self.shape);
        let buffer = (env.memory / 2 / runs.len().max(1)).clamp(LEAST_BUFFER, MOST_BUFFER);
        let segments = runs.iter().filter(|run| !run.index.segments.is_empty());
        Merge::new(segments.map(|run| SegmentReader::new(Arc::clone(run), 0, shape, buffer)).collect(), order)
    }
}
