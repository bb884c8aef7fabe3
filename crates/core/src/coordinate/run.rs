//! One run, step by step.
//!
//! Each step's work is done elsewhere.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use gristmill_log::ListenerHandle;
use gristmill_pool::signals::Cancel;
use gristmill_pool::{CrewConfig, Grace, Identity, Program};
use indicatif::MultiProgress;

use super::finished::{Finished, Results, Summary};
use super::output_folder::OutputFolder;
use super::{input_list, memory, planning};
use crate::error::Error;
use crate::exec::{Executor, Inline, LogTail, Processes, Setup, Threads, write_plan};
use crate::flight::PAGE_WORDS;
use crate::input::Plan;
use crate::job::Stages;
use crate::options::{ExecutorKind, RunOptions, SpillCompression};
use crate::os;
use crate::output::Format;
use crate::output::part::part_name;
use crate::progress::{Progress, ShowProgress};
use crate::result::Result;
use crate::run::{SpillLimit, SpillSettings};
use crate::schedule::{Finish, Limits, Scheduler};
use crate::workdir::WorkFolder;

/// A job and everything it needs from its program.
pub(crate) struct Launch<'a> {
    pub(crate) job: &'a str,
    pub(crate) stages: Arc<dyn Stages>,
    pub(crate) params: Vec<u8>,
    pub(crate) options: RunOptions,
    pub(crate) identity: Identity,
    pub(crate) log: Option<(ListenerHandle, String)>,
    pub(crate) tail: LogTail,
    pub(crate) cancel: &'a Cancel,
    pub(crate) bars: &'a MultiProgress,
}

/// Finished map work is committed at least this often.
const FLUSH_AFTER: Duration = Duration::from_millis(500);
const DEFAULT_TASK_TIMEOUT: Duration = Duration::from_secs(600);
const DEFAULT_MAX_ATTEMPTS: u32 = 1;

/// After a failure: the job has two seconds to end.
const AFTER_FAILURE: Grace = Grace { ask: Duration::from_millis(500), terminate: Duration::from_millis(300) };
/// After a signal: running tasks may come to a good end.
const AFTER_SIGNAL: Grace = Grace { ask: Duration::from_secs(2), terminate: Duration::from_secs(1) };
/// At the end workers have nothing left to do.
const AT_THE_END: Grace = Grace { ask: Duration::from_secs(2), terminate: Duration::from_secs(1) };

/// Runs the job to its end.
pub(crate) fn run(mut launch: Launch<'_>) -> Result<Finished, Error> {
    let began = Instant::now();
    refuse_in_worker()?;
    launch.options.check()?;
    os::raise_descriptor_limit();
    input_list::check(launch.stages.input_list())?;
    let options = &launch.options;
    let folder = |path| OutputFolder::new(path, options.overwrite, launch.stages.input_list());
    let output = options.output.as_deref().map(folder).transpose()?;
    let work = work_folder(options, output.as_ref())?;
    output.as_ref().map_or(Ok(()), |output| output.rehearse(&work.paths.trial()))?;
    let workers = workers(&launch.options);
    let (plan, partitions) =
        planning::plan(&mut launch.options, &*launch.stages, workers, &work.paths, launch.cancel)?;
    let plan = Arc::new(plan);
    let limits = limits(&launch.options, workers, partitions);
    let mut executor = executor(&launch, &work, &plan, &limits)?;
    let show = launch.options.progress.unwrap_or(ShowProgress::Never);
    let mut progress = Progress::new(show, launch.bars);
    let scheduler =
        Scheduler::new(launch.job, Arc::clone(&plan), limits.clone(), &mut *executor, &mut progress);
    let done = scheduler.run(&work.paths.manifest(), launch.cancel);
    drop(progress);
    executor.stop(match &done {
        Ok(_) => AT_THE_END,
        Err(error) if error.signal().is_some() => AFTER_SIGNAL,
        Err(_) => AFTER_FAILURE,
    });
    drop(executor);
    finish(&launch, done?, &plan, &limits, output, work, began)
}

/// Workers of workers would be out of reach of the memory budget and of whoever ends the job.
pub(crate) fn refuse_in_worker() -> Result<(), Error> {
    if gristmill_pool::worker::is_worker() {
        return Err(Error::usage("a worker cannot start a job of its own"));
    }
    Ok(())
}

/// Beside the output, so that publishing is a rename; scratch otherwise.
fn work_folder(options: &RunOptions, output: Option<&OutputFolder>) -> Result<WorkFolder, Error> {
    match (&options.work_dir, output) {
        (Some(parent), Some(output)) if !same_file_system(parent, output.path()) => {
            let parent = parent.display();
            Err(Error::usage(format!("--work-dir {parent}: must be on the file system of the output folder")))
        }
        (Some(parent), _) => WorkFolder::scratch(parent),
        (None, Some(output)) => WorkFolder::beside(output.path()),
        (None, None) => WorkFolder::scratch(&std::env::temp_dir()),
    }
}

/// Whether the output can be published from `parent` by a rename. What does not exist is found out later.
fn same_file_system(parent: &Path, output: &Path) -> bool {
    let beside = output.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    match (parent.metadata(), beside.metadata()) {
        (Ok(one), Ok(other)) => one.dev() == other.dev(),
        _ => true,
    }
}

fn workers(options: &RunOptions) -> usize {
    match (options.executor, options.workers) {
        (ExecutorKind::Inline, _) => 1,
        (_, Some(workers)) => workers,
        (_, None) => available_parallelism().map_or(1, usize::from),
    }
}

fn limits(options: &RunOptions, workers: usize, partitions: u32) -> Limits {
    let timeout = options.task_timeout.unwrap_or(DEFAULT_TASK_TIMEOUT);
    let ends_tasks = options.executor == ExecutorKind::Processes && !timeout.is_zero();
    Limits {
        workers,
        partitions,
        max_attempts: options.max_attempts.unwrap_or(DEFAULT_MAX_ATTEMPTS),
        task_timeout: ends_tasks.then_some(timeout),
    }
}

fn executor(
    launch: &Launch<'_>,
    work: &WorkFolder,
    plan: &Arc<Plan>,
    limits: &Limits,
) -> Result<Box<dyn Executor>, Error> {
    let options = &launch.options;
    let text = options.output.is_some() || options.text;
    let setup = Setup {
        job: launch.job.to_owned(),
        params: launch.params.clone(),
        paths: work.paths.clone(),
        partitions: limits.partitions,
        buckets: planning::buckets(plan.total_bytes, limits.partitions),
        format: match text {
            true if launch.stages.raw_output() => Format::Raw,
            true => Format::Text,
            false => Format::Pairs,
        },
        memory: memory::per_worker(options.memory, limits.workers)?,
        flush_after: FLUSH_AFTER,
        durable: options.durable,
        spilling: spilling(launch, limits.workers)?,
    };
    let (stages, plan) = (Arc::clone(&launch.stages), Arc::clone(plan));
    Ok(match options.executor {
        ExecutorKind::Inline => Box::new(Inline::new(&setup, stages, plan, launch.cancel)?),
        ExecutorKind::Threads => Box::new(Threads::new(limits.workers, &setup, stages, plan)?),
        ExecutorKind::Processes => {
            write_plan(&work.paths.plan(), &plan)?;
            let config = crew(launch, work, &setup)?;
            Box::new(
                Processes::new(config, limits.workers, launch.tail.clone(), launch.cancel)
                    .map_err(|error| Error::usage(format!("no worker can be started: {error}")))?,
            )
        }
    })
}

fn spilling(launch: &Launch<'_>, workers: usize) -> Result<SpillSettings, Error> {
    let asked = launch.options.spill_compression;
    let compression = match (launch.stages.map_only(), asked) {
        (false, asked) => asked,
        (true, SpillCompression::Auto | SpillCompression::None) => SpillCompression::None,
        (true, _) => {
            return Err(Error::usage(
                "--spill-compression: a map-only job has no rows between map and reduce",
            ));
        }
    };
    let limit = launch.options.max_spill.map(|bytes| SpillLimit::new(bytes, workers));
    Ok(SpillSettings { compression, limit })
}

fn crew(launch: &Launch<'_>, work: &WorkFolder, setup: &Setup) -> Result<CrewConfig> {
    let mut config = CrewConfig::new(Program::this()?, launch.identity.clone(), work.paths.spool());
    config.welcome = gristmill_ipc::codec::encode(setup)?;
    config.page_words = PAGE_WORDS;
    config.log.clone_from(&launch.log);
    Ok(config)
}

fn finish(
    launch: &Launch<'_>,
    done: Finish,
    plan: &Plan,
    limits: &Limits,
    output: Option<OutputFolder>,
    work: WorkFolder,
    began: Instant,
) -> Result<Finished, Error> {
    let parts = work.paths.parts();
    let results = match output {
        Some(output) => {
            if let Some(name) = launch.stages.input_list() {
                input_list::write(&parts.join(name), plan)?;
            }
            output.publish(&parts, launch.options.durable)?;
            Results::Folder(output.path().to_owned())
        }
        None => {
            let map_only = launch.stages.map_only();
            let parts = (0..limits.partitions).map(|p| parts.join(part_name(map_only, p))).collect();
            Results::Collected { parts, types: launch.stages.types(), text: launch.options.text, _work: work }
        }
    };
    let summary = Summary {
        job: launch.job.to_owned(),
        input_files: plan.files.len(),
        input_bytes: plan.total_bytes,
        map_tasks: plan.splits.len(),
        partitions: limits.partitions,
        workers: limits.workers,
        records: done.records,
        bytes: done.bytes,
        elapsed: began.elapsed(),
    };
    Ok(Finished { counters: done.counters, summary, results })
}
