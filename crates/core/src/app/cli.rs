//! The command line that every job has.
//!
//! It turns arguments into options; it runs nothing.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};

use super::log_args::LogArgs;
use super::sizes::{duration, size};
use super::torture::hardships;
use crate::disk::Inject;
use crate::hardships::Hardships;
use crate::options::{ExecutorKind, RunOptions, SpillCompression};
use crate::progress::ShowProgress;

// Options of the framework; a job's own come beside them. No doc comment: it would become the program's description.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("outcome").args(["output", "tune"]))]
#[command(group = ArgGroup::new("log_rotation").args(["log_max_bytes", "log_when"]).multiple(true))]
pub(super) struct CommonArgs {
    /// Files, folders (recursive), globs, or '-' for standard input
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,

    /// Write part files and _SUCCESS into this new folder; without it the result prints
    #[arg(short, long, value_name = "DIR", help_heading = "Output")]
    pub(super) output: Option<PathBuf>,
    /// Replace an existing output folder, at the end and not before
    #[arg(long, help_heading = "Output")]
    overwrite: bool,
    /// Print a summary as JSON on standard output (needs --output or --tune)
    #[arg(long, requires = "outcome", help_heading = "Output")]
    pub(super) json: bool,
    /// Make committed work survive a power loss, not only the death of processes
    #[arg(long, help_heading = "Output")]
    durable: bool,

    /// Number of workers [default: as many as the machine runs at a time]
    #[arg(short, long, value_name = "N", help_heading = "Execution")]
    workers: Option<usize>,
    /// Input bytes per map task, e.g. 4MiB (in-memory items: number of items) [default: by input and workers]
    #[arg(short, long, value_name = "SIZE", value_parser = size, help_heading = "Execution")]
    chunk_size: Option<u64>,
    /// Number of reduce partitions [default: by the size of the input]
    #[arg(short = 'r', long, value_name = "N", help_heading = "Execution")]
    partitions: Option<u32>,
    /// Memory for the buffers of all processes together [default: a quarter of the machine's]
    #[arg(short, long, value_name = "SIZE", value_parser = size, help_heading = "Execution")]
    memory: Option<u64>,
    /// What runs the tasks
    #[arg(long, value_enum, default_value_t, value_name = "KIND", help_heading = "Execution")]
    executor: ExecutorKind,
    /// Attempts at a task before the job fails [default: 4]
    #[arg(long, value_name = "N", help_heading = "Faults")]
    max_attempts: Option<u32>,
    /// Longest time without a finished record, e.g. 10min; 0 for no limit [default: 10min]
    #[arg(long, value_name = "DUR", value_parser = duration, help_heading = "Faults")]
    task_timeout: Option<Duration>,
    /// Set up to N records aside that the job fails at twice, in OUTPUT.quarantine, and go on without them [default: 0]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, help_heading = "Faults")]
    max_bad_records: u64,
    /// Do not do the job: run one record that was set aside alone, in this process (with the job's own command line)
    #[arg(long, value_name = "ID", requires = "output", help_heading = "Faults",
          conflicts_with_all = ["tune", "json", "resume", "restart", "from"])]
    pub(super) replay: Option<String>,
    /// Go on with the work that an unfinished job has left beside the output folder, if there is any
    #[arg(long, help_heading = "Faults")]
    resume: bool,
    /// Remove that work and start afresh
    #[arg(long, conflicts_with_all = ["resume", "from"], help_heading = "Faults")]
    restart: bool,
    /// Resume with the finished map output, and reduce all of it with this program, even if it was changed
    #[arg(long, value_name = "PHASE", value_enum, help_heading = "Faults")]
    from: Option<Phase>,
    /// Run a sample of tasks twice; fail if mapper, combiner or reducer turn out not to be deterministic
    #[arg(long, help_heading = "Faults")]
    verify: bool,
    /// Memory of each worker process, user code included; one that wants more dies, and its task is tried again
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Faults")]
    worker_memory: Option<u64>,
    /// Replace a worker process when it has carried out N tasks
    #[arg(long, value_name = "N", help_heading = "Faults")]
    max_tasks_per_worker: Option<u32>,
    /// Have a call that writes or names a file go wrong, for tests; what there is to ask for: crates/core/src/disk
    #[arg(long, value_name = "SPEC", hide = true)]
    inject: Option<Inject>,
    /// Compression of the rows between map and reduce; auto: lz4 where that is faster than writing all bytes
    #[arg(long, value_enum, default_value_t, value_name = "CODEC", help_heading = "Execution")]
    spill_compression: SpillCompression,
    /// Disk space for the rows between map and reduce, over all workers; the job fails if it needs more [default: no
    /// limit]
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Execution")]
    max_spill: Option<u64>,
    /// Folder for scratch files [default: beside the output, or the folder for temporary files]
    #[arg(long, value_name = "DIR", help_heading = "Execution")]
    work_dir: Option<PathBuf>,
    /// Make the job harder than it is, without changing its output
    #[arg(long, value_name = "KEY[,KEY…]", value_parser = hardships, hide = true)]
    torture: Option<Hardships>,

    #[command(flatten)]
    pub(super) tune: TuneArgs,

    /// When to show progress on standard error
    #[arg(long, value_enum, default_value_t, value_name = "WHEN", help_heading = "Messages")]
    progress: ShowProgress,
    #[command(flatten)]
    pub(super) log: LogArgs,
}

/// Where a job may be resumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Phase {
    Reduce,
}

// Options of the tuning. No doc comment here either.
#[derive(Debug, Clone, Args)]
pub(super) struct TuneArgs {
    /// Do not do the job: try it on a sample of the input and say which chunk size, how many workers and partitions are
    /// best
    #[arg(id = "tune", long = "tune", help_heading = "Tuning")]
    pub(super) wanted: bool,
    /// How long this may take [default: 30s]
    #[arg(long = "tune-time", value_name = "DUR", value_parser = duration, requires = "tune", help_heading = "Tuning")]
    pub(super) time: Option<Duration>,
    /// Draw what was measured into this new SVG file
    #[arg(long = "tune-plot", value_name = "FILE", requires = "tune", help_heading = "Tuning")]
    pub(super) plot: Option<PathBuf>,
}

impl CommonArgs {
    /// The options as a run takes them.
    pub(super) fn into_options(self) -> RunOptions {
        RunOptions {
            inputs: self.inputs,
            output: self.output,
            overwrite: self.overwrite,
            workers: self.workers,
            chunk_size: self.chunk_size,
            partitions: self.partitions,
            memory: self.memory,
            executor: self.executor,
            max_attempts: self.max_attempts,
            task_timeout: self.task_timeout,
            max_bad_records: self.max_bad_records,
            durable: self.durable,
            resume: self.resume,
            restart: self.restart,
            from_reduce: self.from.is_some(),
            max_tasks_per_worker: self.max_tasks_per_worker,
            worker_memory: self.worker_memory,
            verify: self.verify,
            spill_compression: self.spill_compression,
            max_spill: self.max_spill,
            work_dir: self.work_dir,
            hardships: self.torture.unwrap_or_default(),
            progress: Some(self.progress),
            inject: self.inject,
            ..RunOptions::default()
        }
    }
}
