//! What a worker must know before its first order, in whatever executor it lives.
//!
//! It starts no worker.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;
use std::{fs, io};

use gristmill_ipc::codec;
use serde::{Deserialize, Serialize};

use crate::flight::Flight;
use crate::input::Plan;
use crate::output::Format;
use crate::result::{AtPath, Result};
use crate::run::{SpillSettings, Spilling};
use crate::task::TaskEnv;
use crate::workdir::WorkPaths;

/// The part of a job that travels to its workers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Setup {
    pub(crate) job: String,
    /// The job's parameters, encoded.
    pub(crate) params: Vec<u8>,
    pub(crate) paths: WorkPaths,
    pub(crate) partitions: u32,
    /// Buckets in each partition.
    pub(crate) buckets: u32,
    pub(crate) format: Format,
    /// Bytes of buffers for each worker.
    pub(crate) memory: usize,
    pub(crate) flush_after: Duration,
    pub(crate) durable: bool,
    pub(crate) spilling: SpillSettings,
}

impl Setup {
    /// The surroundings of the worker called `worker`, the `incarnation`th of its name.
    pub(crate) fn env(
        &self,
        worker: &str,
        incarnation: u32,
        plan: Arc<Plan>,
        flight: Flight,
    ) -> Arc<TaskEnv> {
        let (runs, run_prefix) = (self.paths.runs(), format!("{worker}-{incarnation}"));
        let spilling = Arc::new(Spilling::new(self.spilling, &runs, &run_prefix, self.memory));
        Arc::new(TaskEnv {
            job: self.job.clone(),
            worker: worker.to_owned(),
            plan,
            runs,
            parts: self.paths.parts(),
            manifest: self.paths.manifest(),
            run_prefix,
            runs_begun: AtomicU32::new(0),
            partitions: self.partitions,
            buckets: self.buckets,
            format: self.format,
            memory: self.memory,
            flush_after: self.flush_after,
            durable: self.durable,
            spilling,
            flight,
        })
    }
}

/// Writes the plan where workers find it.
pub(crate) fn write_plan(path: &Path, plan: &Plan) -> Result {
    Ok(fs::write(path, codec::encode(plan)?).at("write the plan", path)?)
}

/// Reads the plan that the coordinator wrote.
pub(crate) fn read_plan(path: &Path) -> Result<Plan> {
    let bytes = fs::read(path).at("read the plan", path)?;
    let bad = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    Ok(codec::decode(&bytes).map_err(bad).at("read the plan", path)?)
}
