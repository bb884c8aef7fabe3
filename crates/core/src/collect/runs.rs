//! The run files of one worker's map session: numbering, commit, and what the scheduler is told.
//!
//! It does not hold pairs.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

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
    /// Bytes of rows for each partition that has any.
    pub(crate) partitions: Vec<(u32, u64)>,
}

/// Makes a session's run files, one after the other.
pub(crate) struct Runs {
    env: Arc<TaskEnv>,
    spills: u32,
    /// The file in the making and its name.
    open: Option<(String, RunWriter)>,
}

impl Runs {
    pub(crate) fn new(env: Arc<TaskEnv>) -> Self {
        Self { env, spills: 0, open: None }
    }

    /// The run file in the making and the ordinal of the next spill in it.
    pub(crate) fn next_spill(&mut self) -> Result<(&mut RunWriter, u32)> {
        let spill = self.spills;
        self.spills += 1;
        Ok((self.writer()?, spill))
    }

    /// The run file in the making.
    pub(crate) fn writer(&mut self) -> Result<&mut RunWriter> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.start()?,
        };
        Ok(&mut self.open.insert(open).1)
    }

    /// Commits the file in the making, if any, for `record`.
    pub(crate) fn commit(&mut self, record: CommitRecord) -> Result<Committed> {
        let (tasks, counters) = (record.tasks.clone(), record.counters.clone());
        let Some((name, writer)) = self.open.take() else {
            return Ok(Committed { run: None, tasks, counters, partitions: Vec::new() });
        };
        let index = writer.commit(&self.env.runs.join(&name), record, self.env.durable)?;
        self.spills = 0;
        let mut partitions = std::collections::BTreeMap::new();
        for segment in &index.segments {
            *partitions.entry(segment.label.partition).or_insert(0) += segment.raw_len;
        }
        Ok(Committed { run: Some(name), tasks, counters, partitions: partitions.into_iter().collect() })
    }

    /// The number goes on where the session before, given up after a failure, has left off: what that one committed
    /// must not be replaced.
    fn start(&self) -> Result<(String, RunWriter)> {
        let number = self.env.runs_begun.fetch_add(1, Relaxed);
        let name = format!("{}-{number}.run", self.env.run_prefix);
        let writer = RunWriter::create(&self.env.runs.join(&name), &self.env.spilling)?;
        Ok((name, writer))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::exec::Setup;
    use crate::flight::new_page;
    use crate::input::{Chunks, Cut, Plan};
    use crate::output::Format;
    use crate::workdir::WorkFolder;

    #[test]
    fn a_session_never_replaces_what_the_one_before_has_committed() {
        let parent = tempfile::tempdir().expect("a folder");
        let work = WorkFolder::scratch(parent.path()).expect("a work folder");
        let setup = Setup {
            job: "job".to_owned(),
            params: Vec::new(),
            paths: work.paths.clone(),
            partitions: 1,
            buckets: 1,
            format: Format::Text,
            memory: 1 << 20,
            flush_after: Duration::ZERO,
            durable: false,
            spilling: crate::run::SpillSettings::default(),
            session: 1,
            hardships: crate::hardships::Hardships::default(),
            inject: None,
        };
        let plan = Plan::cut(Vec::new(), Cut::Never, Chunks::of(1), None).expect("a plan");
        let env = setup.env("Worker-1", 1, Arc::new(plan), new_page().expect("a page"));
        let commit = || {
            let mut session = Runs::new(Arc::clone(&env));
            session.writer().expect("a run");
            session.commit(CommitRecord::default()).expect("a commit").run.expect("its name")
        };
        assert_ne!(commit(), commit());
        assert_eq!(std::fs::read_dir(&env.runs).expect("the runs").count(), 2);
    }
}
