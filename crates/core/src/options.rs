//! The options of one run of a job: what the command line sets, and what a program sets that has none.
//!
//! It checks what can be checked without touching a file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::disk::Inject;
use crate::error::Error;
use crate::hardships::Hardships;
use crate::input::{InputError, Plan};
use crate::progress::ShowProgress;
use crate::workdir::Unfinished;

/// What runs the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum ExecutorKind {
    /// Worker processes: a crash ends one attempt at a task, not the program.
    #[default]
    Processes,
    /// Threads of this process: as fast, without the walls.
    Threads,
    /// Calls in this thread, one at a time: for a debugger.
    Inline,
}

/// Whether the rows between map and reduce are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, Serialize, Deserialize)]
pub enum SpillCompression {
    /// With LZ4 where a worker finds that this is faster than writing all bytes; otherwise not.
    #[default]
    Auto,
    /// Never.
    None,
    /// With LZ4: fast.
    Lz4,
    /// With Zstandard: smaller and slower.
    Zstd,
}

/// Spools items into a file and plans their splits: path, items per chunk, ranges of a map-only job.
pub(crate) type SpoolItems = Box<dyn FnOnce(&Path, u64, Option<u32>) -> Result<Plan, InputError> + Send>;

/// In-memory items, spooled when the job starts.
pub(crate) struct GivenItems {
    pub(crate) type_name: &'static str,
    pub(crate) spool: SpoolItems,
}

/// Files that ship inside a program: name and content.
pub(crate) type Sample = &'static [(&'static str, &'static [u8])];

/// How to run a job.
///
/// ```
/// use gristmill::{ExecutorKind, RunOptions};
///
/// let options = RunOptions::new().inputs(["notes.txt"]).executor(ExecutorKind::Threads).workers(2);
/// ```
#[derive(Default)]
#[must_use]
pub struct RunOptions {
    pub(crate) inputs: Vec<PathBuf>,
    pub(crate) items: Option<GivenItems>,
    pub(crate) sample: Sample,
    pub(crate) output: Option<PathBuf>,
    pub(crate) overwrite: bool,
    pub(crate) workers: Option<usize>,
    pub(crate) chunk_size: Option<u64>,
    pub(crate) partitions: Option<u32>,
    pub(crate) memory: Option<u64>,
    pub(crate) executor: ExecutorKind,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) task_timeout: Option<Duration>,
    pub(crate) max_bad_records: u64,
    pub(crate) durable: bool,
    pub(crate) resume: bool,
    pub(crate) restart: bool,
    pub(crate) from_reduce: bool,
    pub(crate) max_tasks_per_worker: Option<u32>,
    pub(crate) verify: bool,
    pub(crate) worker_memory: Option<u64>,
    pub(crate) spill_compression: SpillCompression,
    pub(crate) max_spill: Option<u64>,
    pub(crate) work_dir: Option<PathBuf>,
    pub(crate) progress: Option<ShowProgress>,
    pub(crate) text: bool,
    pub(crate) hardships: Hardships,
    /// What is to go wrong, in a test.
    pub(crate) inject: Option<Inject>,
}

impl RunOptions {
    /// The defaults, with no input.
    pub fn new() -> Self {
        Self::default()
    }

    /// Files, folders, globs or `-` for standard input, in this order. A file named twice is read twice.
    pub fn inputs(mut self, inputs: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        self.inputs.extend(inputs.into_iter().map(Into::into));
        self
    }

    /// In-memory items, for a mapper over [`crate::Items`]; the chunk size counts items then. Pass
    /// the collection itself, not a reference: the items are spooled to a file when the job starts.
    pub fn items<T, I>(mut self, items: I) -> Self
    where
        T: Serialize,
        I: IntoIterator<Item = T> + Send + 'static,
    {
        let spool: SpoolItems =
            Box::new(|path, chunk, ranges| crate::input::spool_items(items, path, chunk, ranges));
        self.items = Some(GivenItems { type_name: std::any::type_name::<crate::input::Items<T>>(), spool });
        self
    }

    /// Files that ship inside the program, read when no other input is given.
    pub fn sample(mut self, files: &'static [(&'static str, &'static [u8])]) -> Self {
        self.sample = files;
        self
    }

    /// Writes part files into this new folder instead of collecting the results.
    pub fn output(mut self, folder: impl Into<PathBuf>) -> Self {
        self.output = Some(folder.into());
        self
    }

    /// Replaces an output folder that exists, when the job has ended well and not before.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Number of workers; by default as many as the machine runs threads at a time.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Bytes of input per map task, or items. By default an eighth of a worker's share of the input, from 256 KiB to
    /// 16 MiB, or 1,000 items.
    pub fn chunk_size(mut self, chunk_size: u64) -> Self {
        self.chunk_size = Some(chunk_size);
        self
    }

    /// Number of partitions, which is the number of reduce tasks and part files.
    pub fn partitions(mut self, partitions: u32) -> Self {
        self.partitions = Some(partitions);
        self
    }

    /// Bytes that the buffers of all processes together may take up.
    pub fn memory(mut self, bytes: u64) -> Self {
        self.memory = Some(bytes);
        self
    }

    /// What runs the tasks.
    pub fn executor(mut self, executor: ExecutorKind) -> Self {
        self.executor = executor;
        self
    }

    /// Attempts at a task before the job fails; by default 4.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts);
        self
    }

    /// How long a task may go without finishing a record; by default ten minutes. Zero means for ever.
    pub fn task_timeout(mut self, limit: Duration) -> Self {
        self.task_timeout = Some(limit);
        self
    }

    /// How many records, or groups in reduce, may be set aside because user code fails at them twice, by an error, a panic,
    /// a crash or a hang. The job goes on without them; they are put into a folder `OUTPUT.quarantine` beside the output.
    /// By default none: a task that fails again and again fails the job.
    pub fn max_bad_records(mut self, records: u64) -> Self {
        self.max_bad_records = records;
        self
    }

    /// Makes committed work survive a power loss, not only the death of processes.
    pub fn durable(mut self, durable: bool) -> Self {
        self.durable = durable;
        self
    }

    /// Goes on with the work that an unfinished job has left beside the output, if there is any. It has to be the same
    /// job: inputs, program, parameters and partitions.
    pub fn resume(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }

    /// Removes the work that an unfinished job has left beside the output, if there is any, and starts afresh.
    pub fn restart(mut self, restart: bool) -> Self {
        self.restart = restart;
        self
    }

    /// Resumes with the map output of the unfinished job, whose map tasks have to be complete, and reduces all of it,
    /// with this program even if it is another.
    pub fn from_reduce(mut self, from_reduce: bool) -> Self {
        self.from_reduce = from_reduce;
        self
    }

    /// Replaces a worker process when it has carried out so many tasks.
    pub fn max_tasks_per_worker(mut self, tasks: u32) -> Self {
        self.max_tasks_per_worker = Some(tasks);
        self
    }

    /// Runs a sample of tasks a second time in the end, and fails the job if they come to something else: its mapper,
    /// combiner or reducer is not deterministic then.
    pub fn verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// Bytes of memory that each worker process may take up, user code and its libraries included. A worker that
    /// wants more dies, and its task is tried again.
    pub fn worker_memory(mut self, bytes: u64) -> Self {
        self.worker_memory = Some(bytes);
        self
    }

    /// Whether the rows between map and reduce are compressed; by default where it is faster.
    pub fn spill_compression(mut self, compression: SpillCompression) -> Self {
        self.spill_compression = compression;
        self
    }

    /// Bytes on disk that the rows between map and reduce may take up at any time, over all workers. The job fails
    /// when it needs more; by default there is no limit.
    pub fn max_spill(mut self, bytes: u64) -> Self {
        self.max_spill = Some(bytes);
        self
    }

    /// Where the scratch folder is made; by default beside the output, or in the folder for temporary files.
    pub fn work_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.work_dir = Some(folder.into());
        self
    }

    /// When progress is shown on standard error; in a program's own runs never, unless it says so.
    pub fn progress(mut self, progress: ShowProgress) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Refuses what cannot work or would have no effect.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let zero = [
            ("--workers", self.workers == Some(0)),
            ("--chunk-size", self.chunk_size == Some(0)),
            ("--partitions", self.partitions == Some(0)),
            ("--max-attempts", self.max_attempts == Some(0)),
            ("--max-spill", self.max_spill == Some(0)),
            ("--max-tasks-per-worker", self.max_tasks_per_worker == Some(0)),
            ("--worker-memory", self.worker_memory == Some(0)),
        ];
        if let Some((name, _)) = zero.iter().find(|(_, zero)| *zero) {
            return Err(Error::usage(format!("{name} 0: must be at least 1")));
        }
        if self.partitions.is_some_and(|partitions| partitions > MAX_PARTITIONS) {
            return Err(Error::usage(format!("--partitions: the limit is {MAX_PARTITIONS}")));
        }
        if self.workers.is_some_and(|workers| workers > MAX_WORKERS) {
            return Err(Error::usage(format!("--workers: the limit is {MAX_WORKERS}")));
        }
        if self.overwrite && self.output.is_none() {
            return Err(Error::usage("--overwrite: needs an output folder (--output)"));
        }
        if self.max_bad_records > 0 && self.output.is_none() {
            return Err(Error::usage(
                "--max-bad-records: needs an output folder (--output): what is set aside is put beside it",
            ));
        }
        if self.items.is_some() && !self.inputs.is_empty() {
            return Err(Error::usage("a job reads either files or in-memory items, not both"));
        }
        self.check_resume()?;
        self.check_executor()
    }

    fn check_resume(&self) -> Result<(), Error> {
        let asked = [("--resume", self.resume), ("--restart", self.restart), ("--from", self.from_reduce)];
        let asked: Vec<_> = asked.iter().filter(|(_, asked)| *asked).map(|(name, _)| *name).collect();
        if asked.contains(&"--restart") && asked.len() > 1 {
            return Err(Error::usage(format!("--restart: cannot be combined with {}", asked[0])));
        }
        match asked.first() {
            Some(name) if self.output.is_none() => Err(Error::usage(format!(
                "{name}: needs an output folder (--output): work is kept beside it, and only there"
            ))),
            _ => Ok(()),
        }
    }

    /// What is to become of the work that an unfinished job has left.
    pub(crate) fn unfinished(&self) -> Unfinished {
        match () {
            () if self.resume || self.from_reduce => Unfinished::Resume,
            () if self.restart => Unfinished::Restart,
            () => Unfinished::Refuse,
        }
    }

    fn check_executor(&self) -> Result<(), Error> {
        if self.executor == ExecutorKind::Inline && self.workers.is_some_and(|workers| workers > 1) {
            return Err(Error::usage("--workers: the inline executor runs one task at a time"));
        }
        if self.executor != ExecutorKind::Processes && self.task_timeout.is_some_and(|limit| !limit.is_zero())
        {
            return Err(Error::usage(
                "--task-timeout: only worker processes can be ended; this executor has none",
            ));
        }
        let of_processes = [
            ("--max-tasks-per-worker", self.max_tasks_per_worker.is_some()),
            ("--worker-memory", self.worker_memory.is_some()),
        ];
        if self.executor != ExecutorKind::Processes
            && let Some((name, _)) = of_processes.iter().find(|(_, asked)| *asked)
        {
            return Err(Error::usage(format!("{name}: is for worker processes; this executor has none")));
        }
        Ok(())
    }
}

const MAX_PARTITIONS: u32 = 1 << 16;
const MAX_WORKERS: usize = 4096;

impl std::fmt::Debug for RunOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunOptions")
            .field("inputs", &self.inputs)
            .field("output", &self.output)
            .field("executor", &self.executor)
            .finish_non_exhaustive()
    }
}
