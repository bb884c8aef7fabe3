//! What a worker must know before its first order, in whatever executor it lives.
//!
//! It starts no worker.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use gristmill_ipc::codec;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::disk::{self, Inject};
use crate::flight::Flight;
use crate::hardships::Hardships;
use crate::input::Plan;
use crate::output::Format;
use crate::result::{AtPath, Result};
use crate::run::{SpillSettings, Spilling};
use crate::task::{Blames, TaskEnv};
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
    /// Which coordinator of the job this is, from 1.
    pub(crate) session: u32,
    pub(crate) hardships: Hardships,
    /// What is to go wrong, in a test.
    pub(crate) inject: Option<Inject>,
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
        let session = if self.session > 1 { format!("s{}-", self.session) } else { String::new() };
        let (runs, run_prefix) = (self.paths.runs(), format!("{session}{worker}-{incarnation}"));
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
            hardships: self.hardships,
            flight,
            quarantine: self.paths.quarantine(),
            borders: self.paths.borders(),
            blames: Blames::default(),
        })
    }
}

/// Writes the plan where workers find it.
///
/// Returns the XXH3-64 of its file.
pub(crate) fn write_plan(path: &Path, plan: &Plan, durable: bool) -> Result<u64> {
    let bytes = codec::encode(plan)?;
    let file = disk::create(path).at("write the plan", path)?;
    disk::write_all(&file, &bytes).at("write the plan", path)?;
    if durable {
        disk::sync(&file).at("sync", path)?;
    }
    Ok(xxh3_64(&bytes))
}

/// Reads the plan that the coordinator wrote.
pub(crate) fn read_plan(path: &Path) -> Result<Plan> {
    let bytes = disk::read(path).at("read the plan", path)?;
    let bad = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    Ok(codec::decode(&bytes).map_err(bad).at("read the plan", path)?)
}
