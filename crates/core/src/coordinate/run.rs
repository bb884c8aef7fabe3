//! One run, step by step.
//!
//! Each step's work is done elsewhere.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use gristmill_log::ListenerHandle;
use gristmill_pool::signals::Cancel;
use gristmill_pool::{CrewConfig, Grace, Identity, Program};
use indicatif::MultiProgress;
use xxhash_rust::xxh3::xxh3_64;

use super::finished::{Finished, Results, Summary};
use super::output_folder::OutputFolder;
use super::{aside, input_list, memory, planning, resume};
use crate::disk::{self, Role};
use crate::error::Error;
use crate::exec::{Executor, Inline, LogTail, Processes, Setup, Threads, write_plan};
use crate::flight::PAGE_WORDS;
use crate::input::Plan;
use crate::job::Stages;
use crate::journal::{InputFigures, JobEntry, Journal, Past, ProgramFile, Publication};
use crate::options::{ExecutorKind, RunOptions, SpillCompression};
use crate::os;
use crate::output::Format;
use crate::output::part::part_name;
use crate::progress::{Progress, ShowProgress};
use crate::quarantine::{Keeper, QuarantineFolder};
use crate::result::{AtPath, BoxError, Result};
use crate::run::{SpillLimit, SpillSettings};
use crate::schedule::{Commits, Finish, Limits, Scheduler};
use crate::workdir::{Unfinished, WorkFolder};

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
const DEFAULT_MAX_ATTEMPTS: u32 = 4;

/// After a failure: the job has two seconds to end.
const AFTER_FAILURE: Grace = Grace { ask: Duration::from_millis(500), terminate: Duration::from_millis(300) };
/// After a signal: running tasks may come to a good end.
const AFTER_SIGNAL: Grace = Grace { ask: Duration::from_secs(2), terminate: Duration::from_secs(1) };
/// At the end workers have nothing left to do.
const AT_THE_END: Grace = Grace { ask: Duration::from_secs(2), terminate: Duration::from_secs(1) };

/// Runs the job to its end.
pub(crate) fn run(launch: Launch<'_>) -> Result<Finished, Error> {
    refuse_in_worker()?;
    disk::arm(launch.options.inject.as_ref(), Role::Coordinator);
    let finished = run_job(launch)?;
    disk::report().map_err(BoxError::from)?;
    Ok(finished)
}

fn run_job(mut launch: Launch<'_>) -> Result<Finished, Error> {
    let began = Instant::now();
    launch.options.check()?;
    check_descriptors(&launch.options, os::raise_descriptor_limit())?;
    input_list::check(launch.stages.input_list())?;
    if let Some(finished) = published_before(&launch, began)? {
        return Ok(finished);
    }
    let options = &launch.options;
    let folder = |path| {
        let output = OutputFolder::new(path, options.overwrite, launch.stages.input_list());
        output.map_err(|error| match options.resume {
            true => error.advise("there is no unfinished work to resume: the job may be finished".to_owned()),
            false => error,
        })
    };
    let output = options.output.as_deref().map(folder).transpose()?;
    let (mut work, past) = work_folder(options, output.as_ref())?;
    let quarantine = aside::folder(options, output.as_ref(), past.as_ref(), &work)?;
    output.as_ref().map_or(Ok(()), |output| output.prepare(&work.paths))?;
    let mut start = start(&mut launch, &mut work, past)?;
    let done = run_tasks(&launch, &work, &mut start);
    match done {
        Ok((done, executor)) => finish(&launch, done, start, executor, output.zip(quarantine), work, began),
        Err(error) if launch.options.output.is_some() && !start.commits.is_empty() => {
            work.keep();
            let root = work.paths.root().display().to_string();
            let advice = "what was done is kept there: --resume goes on with it, --restart starts afresh";
            Err(error.advise(format!("{root}: {advice}")))
        }
        Err(error) => {
            work.give_up();
            Err(error)
        }
    }
}

/// All that is fixed before the first task, and what is done already.
struct Start {
    plan: Arc<Plan>,
    limits: Limits,
    commits: Commits,
    session: u32,
}

/// Plans the job, or goes on with the plan of a job that was not finished.
fn start(launch: &mut Launch<'_>, work: &mut WorkFolder, past: Option<Past>) -> Result<Start, Error> {
    let workers = workers(&launch.options);
    if let Some(past) = past {
        let plan = resume::plan_of(&past, &work.paths)?;
        let now = job_entry(launch, past.job.partitions, past.job.plan)?;
        let (stages, around) = (Arc::clone(&launch.stages), (&work.paths, launch.cancel));
        resume::check_same_job(&past, &plan, &now, &mut launch.options, &*stages, around)?;
        let limits = limits(&launch.options, workers, past.job.partitions);
        let (commits, session) =
            resume::restore(past, &plan, &work.paths, stages.map_only(), &launch.options)?;
        return Ok(Start { plan: Arc::new(plan), limits, commits, session });
    }
    if launch.options.unfinished() == Unfinished::Resume {
        if launch.options.from_reduce {
            return Err(Error::usage("--from reduce: there is no unfinished job with map output"));
        }
        tracing::warn!(target: "gristmill", "there is no unfinished work to resume: the job starts afresh");
    }
    let (plan, partitions) =
        planning::plan(&mut launch.options, &*launch.stages, workers, &work.paths, launch.cancel)?;
    let limits = limits(&launch.options, workers, partitions);
    let options = &launch.options;
    let mut commits = Commits::default();
    if options.output.is_some() || options.executor == ExecutorKind::Processes {
        let hash = write_plan(&work.paths.plan(), &plan, options.durable)?;
        if options.output.is_some() {
            let job = job_entry(launch, partitions, hash)?;
            if options.durable {
                work.sync()?;
            }
            commits = Commits::new(Journal::create(&work.paths.journal(), job, options.durable)?);
        }
    }
    Ok(Start { plan: Arc::new(plan), limits, commits, session: 1 })
}

fn job_entry(launch: &Launch<'_>, partitions: u32, plan: u64) -> Result<JobEntry> {
    Ok(JobEntry {
        job: launch.job.to_owned(),
        params: launch.params.clone(),
        command: std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect(),
        partitions,
        format: format(launch),
        program: ProgramFile::this()?,
        plan,
    })
}

/// Carries out all tasks. When that fails, no worker is left; otherwise they were told to leave and may be about to.
fn run_tasks(
    launch: &Launch<'_>,
    work: &WorkFolder,
    start: &mut Start,
) -> Result<(Finish, Box<dyn Executor>), Error> {
    let mut executor = executor(launch, work, start)?;
    let show = launch.options.progress.unwrap_or(ShowProgress::Never);
    let mut progress = Progress::new(show, launch.bars);
    let (plan, limits) = (Arc::clone(&start.plan), start.limits.clone());
    let keeper = Keeper::new(work.paths.quarantine(), Arc::clone(&plan), launch.options.durable);
    start.commits.keep_aside(keeper);
    let scheduler =
        Scheduler::new(launch.job, plan, limits, &mut *executor, &mut progress, &mut start.commits)
            .setting_aside(launch.options.max_bad_records, launch.stages.samples());
    let done = scheduler.run(&work.paths.manifest(), launch.cancel);
    drop(progress);
    match &done {
        Ok(_) => executor.dismiss(),
        Err(error) if error.signal().is_some() => executor.stop(AFTER_SIGNAL),
        Err(_) => executor.stop(AFTER_FAILURE),
    }
    done.map(|done| (done, executor))
}

/// A job that died when all was done but for removing its work folder.
fn published_before(launch: &Launch<'_>, began: Instant) -> Result<Option<Finished>, Error> {
    let options = &launch.options;
    let Some(output) = options.output.as_deref().filter(|output| options.resume && output.exists()) else {
        return Ok(None);
    };
    let Some((mut work, past)) = WorkFolder::left_at(&work_root(options, output))? else { return Ok(None) };
    let Some(published) = resume::published(&past, output) else { return Ok(None) };
    work.give_up();
    tracing::warn!(target: "gristmill", "the job was finished before: its output is {}", output.display());
    let limits = limits(options, workers(options), past.job.partitions);
    let commits = Commits::restored(None, past.runs, past.empty, past.parts).with_aside(past.aside);
    let (records, bytes) = commits.size();
    let done = Finish { counters: commits.counters(), records, bytes, lost: Vec::new() };
    let summary = summary(launch, &done, &commits, published.input, &limits, began);
    let results = Results::Folder(output.to_owned());
    let (aside, quarantine) = aside::told(&commits, &QuarantineFolder::beside(output, false));
    Ok(Some(Finished { counters: done.counters, summary, results, lost: done.lost, aside, quarantine }))
}

/// Workers of workers would be out of reach of the memory budget and of whoever ends the job.
pub(crate) fn refuse_in_worker() -> Result<(), Error> {
    if gristmill_pool::worker::is_worker() {
        return Err(Error::usage("a worker cannot start a job of its own"));
    }
    Ok(())
}

/// Beside the output, so that publishing is a rename; scratch otherwise.
fn work_folder(
    options: &RunOptions,
    output: Option<&OutputFolder>,
) -> Result<(WorkFolder, Option<Past>), Error> {
    match (&options.work_dir, output) {
        (Some(parent), Some(output)) if !same_file_system(parent, output.path()) => {
            let parent = parent.display();
            Err(Error::usage(format!("--work-dir {parent}: must be on the file system of the output folder")))
        }
        (_, Some(output)) => {
            let root = work_root(options, output.path());
            WorkFolder::of_output(root, output.path(), options.unfinished())
        }
        (Some(parent), None) => Ok((WorkFolder::scratch(parent)?, None)),
        (None, None) => Ok((WorkFolder::scratch(&std::env::temp_dir())?, None)),
    }
}

/// `OUTPUT.gristmill` beside the output. In a folder for the work of many jobs, which may have outputs of one name in
/// several places, the whole path counts.
fn work_root(options: &RunOptions, output: &Path) -> PathBuf {
    let output: PathBuf = output.components().collect();
    let mut name = output.file_name().unwrap_or_default().to_owned();
    let Some(parent) = &options.work_dir else {
        name.push(".gristmill");
        return output.with_file_name(name);
    };
    let whole = std::path::absolute(&output).unwrap_or(output);
    name.push(format!("-{:016x}.gristmill", xxh3_64(whole.as_os_str().as_bytes())));
    parent.join(name)
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

/// Channels that find no descriptor free when a worker starts fail in ways that tell nobody why.
fn check_descriptors(options: &RunOptions, limit: Option<u64>) -> Result<(), Error> {
    const OWN: u64 = 24;
    const EACH_WORKER: u64 = 10;
    let workers = workers(options);
    let needed = OWN + EACH_WORKER * workers as u64;
    match limit {
        Some(limit) if options.executor == ExecutorKind::Processes && limit < needed => {
            Err(Error::usage(format!(
                "{limit} open files are allowed (ulimit -n), and {workers} workers need {needed} at least"
            )))
        }
        _ => Ok(()),
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
        max_tasks_per_worker: options.max_tasks_per_worker,
        verify: options.verify,
    }
}

fn format(launch: &Launch<'_>) -> Format {
    match launch.options.output.is_some() || launch.options.text {
        true if launch.stages.raw_output() => Format::Raw,
        true => Format::Text,
        false => Format::Pairs,
    }
}

fn executor(launch: &Launch<'_>, work: &WorkFolder, start: &Start) -> Result<Box<dyn Executor>, Error> {
    let (options, limits) = (&launch.options, &start.limits);
    let setup = Setup {
        job: launch.job.to_owned(),
        params: launch.params.clone(),
        paths: work.paths.clone(),
        partitions: limits.partitions,
        buckets: planning::buckets(start.plan.total_bytes, limits.partitions),
        format: format(launch),
        memory: options.hardships.memory(memory::per_worker(options.memory, limits.workers)?),
        flush_after: FLUSH_AFTER,
        durable: options.durable,
        spilling: spilling(launch, limits.workers)?,
        session: start.session,
        hardships: options.hardships,
        inject: options.inject.clone(),
    };
    let (stages, plan) = (Arc::clone(&launch.stages), Arc::clone(&start.plan));
    Ok(match options.executor {
        ExecutorKind::Inline => Box::new(Inline::new(&setup, stages, plan, launch.cancel)?),
        ExecutorKind::Threads => Box::new(Threads::new(limits.workers, &setup, stages, plan)?),
        ExecutorKind::Processes => {
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
    config.memory_limit = launch.options.worker_memory;
    Ok(config)
}

fn finish(
    launch: &Launch<'_>,
    done: Finish,
    mut start: Start,
    mut executor: Box<dyn Executor>,
    output: Option<(OutputFolder, QuarantineFolder)>,
    work: WorkFolder,
    began: Instant,
) -> Result<Finished, Error> {
    let parts = work.paths.parts();
    let (plan, limits) = (&start.plan, &start.limits);
    let input = InputFigures::of(plan);
    let Some((output, quarantine)) = output else {
        executor.stop(AT_THE_END);
        let map_only = launch.stages.map_only();
        let parts = (0..limits.partitions).map(|p| parts.join(part_name(map_only, p))).collect();
        let (types, text) = (launch.stages.types(), launch.options.text);
        let summary = summary(launch, &done, &start.commits, input, limits, began);
        let results = Results::Collected { parts, types, text, _work: work };
        let (aside, quarantine) = (Vec::new(), None);
        return Ok(Finished {
            counters: done.counters,
            summary,
            results,
            lost: done.lost,
            aside,
            quarantine,
        });
    };
    let mut work = work;
    let published = aside::publish(launch, &quarantine, &work, &mut start.commits)
        .and_then(|()| publish(launch, &output, &parts, plan, &mut start.commits));
    // The workers have left meanwhile; none may be there when the work folder goes.
    executor.stop(AT_THE_END);
    if let Err(error) = published {
        work.keep();
        let root = work.paths.root().display();
        return Err(error.advise(format!("{root}: what was done is kept there: --resume goes on with it")));
    }
    work.give_up();
    drop(work);
    let summary = summary(launch, &done, &start.commits, input, limits, began);
    let results = Results::Folder(output.path().to_owned());
    let (aside, quarantine) = aside::told(&start.commits, &quarantine);
    Ok(Finished { counters: done.counters, summary, results, lost: done.lost, aside, quarantine })
}

fn publish(
    launch: &Launch<'_>,
    output: &OutputFolder,
    parts: &Path,
    plan: &Plan,
    commits: &mut Commits,
) -> Result<(), Error> {
    if let Some(name) = launch.stages.input_list() {
        input_list::write(&parts.join(name), plan)?;
    }
    let folder = parts.metadata().at("examine", parts)?;
    let folder = (folder.dev(), folder.ino());
    commits.publishing(Publication { folder, input: InputFigures::of(plan) })?;
    Ok(output.publish(parts, launch.options.durable)?)
}

fn summary(
    launch: &Launch<'_>,
    done: &Finish,
    commits: &Commits,
    input: InputFigures,
    limits: &Limits,
    began: Instant,
) -> Summary {
    Summary {
        job: launch.job.to_owned(),
        input_files: input.files,
        input_bytes: input.bytes,
        map_tasks: input.map_tasks,
        partitions: limits.partitions,
        workers: limits.workers,
        records: done.records,
        bytes: done.bytes,
        lost_attempts: done.lost.len(),
        set_aside: commits.aside().len() as u64,
        elapsed: began.elapsed(),
    }
}
