//! `--tune`: which chunk size, how many workers and how many partitions are best for this job on this input.
//!
//! ```text
//! input ─► sample ◄─► probe        grows until a run can be measured
//!            │
//!            ▼
//!         search ◄─► measure       compares settings ◄─► runs the job
//!            │
//!            ▼
//!         report (words), plot     says what is best and why
//! ```
//!
//! It changes nothing about how a job runs and keeps none of its results.

mod command_line;
mod measure;
mod measured;
mod plot;
mod plot_file;
mod probe;
mod report;
mod sample;
mod search;
mod space;
mod words;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use self::measure::Runs;
use self::plot_file::PlotFile;
use self::probe::probe;
use self::report::Outcome;
use self::sample::Source;
use self::search::{End, Found, search};
use self::space::Settled;
use super::cli::CommonArgs;
use super::logging::Logging;
use super::registry::Registered;
use super::session::Entered;
use crate::error::Error;
use crate::input::{Given, InputFile, find};
use crate::job::Stages;
use crate::options::RunOptions;
use crate::result::{AtPath, BoxError, chain};
use crate::workdir::WorkFolder;

const DEFAULT_TIME: Duration = Duration::from_secs(30);
const LEAST_TIME: Duration = Duration::from_secs(1);

/// The job to tune, as the command line gives it.
pub(super) struct Order<'a> {
    pub(super) entered: &'a Entered,
    pub(super) name: &'a str,
    pub(super) job: &'a Registered,
    pub(super) params: &'a [u8],
    pub(super) common: &'a CommonArgs,
    pub(super) logging: &'a Logging,
}

impl Order<'_> {
    fn options(&self) -> RunOptions {
        self.common.clone().into_options()
    }
}

/// Tunes, and prints what was found on standard output.
pub(super) fn run(order: &Order<'_>) -> Result<(), Error> {
    let options = order.options();
    let time = check(order, &options)?;
    let plot = order.common.tune.plot.as_deref();
    let plot = plot.map(|path| PlotFile::new(path, options.overwrite)).transpose()?;
    let rebuilt = order.entered.registry.rebuild(order.name, order.params);
    let stages = rebuilt.map_err(|error| Error::usage(error.to_string()))?;
    let settled = Settled::of(&options, &*stages)?;
    let parent = options.work_dir.clone().unwrap_or_else(std::env::temp_dir);
    // Named before the scratch folder is there: that may lie inside an input folder.
    let files = find_files(&options)?;
    let work = WorkFolder::scratch(&parent)?;
    let source = source(files, order, &work, &*stages)?;
    let mut runs = Runs::new(order, &source, work.paths.sample(), time);
    let first = probe(&mut runs, time, settled.planned_runs())?;
    let mut space = settled.space(&first, runs.sample.bytes);
    space.lines = plot.is_some();
    let mut found = search(&mut runs, &space);
    let stopped = stopped_by_signal(&mut found)?;
    let outcome = Outcome {
        job: order.name,
        source: &source,
        sample: &runs.sample,
        found: &found,
        start: space.start,
        settled: settled.sentences(&first),
    };
    print(&if order.common.json { outcome.json() } else { outcome.text() })?;
    if let Some(plot) = plot {
        plot.write(&plot::svg(order.name, &found.comparisons, runs.sample.bytes))?;
    }
    stopped.map_or(Ok(()), Err)
}

/// The error of a search that a signal has ended: what it knows by then is still told. Any other error is the job's.
fn stopped_by_signal(found: &mut Found) -> Result<Option<Error>, Error> {
    match std::mem::replace(&mut found.end, End::Stopped) {
        End::Failed(error) if error.signal().is_some() => Ok(Some(error)),
        End::Failed(error) => Err(error),
        end => {
            found.end = end;
            Ok(None)
        }
    }
}

/// Refuses what cannot work before anything is done, and says how much time there is.
fn check(order: &Order<'_>, options: &RunOptions) -> Result<Duration, Error> {
    let time = order.common.tune.time.unwrap_or(DEFAULT_TIME);
    if time < LEAST_TIME {
        return Err(Error::usage("--tune-time: must be at least a second"));
    }
    if options.overwrite && order.common.tune.plot.is_none() {
        return Err(Error::usage("--overwrite: with --tune it needs --tune-plot, as there is no output"));
    }
    if options.inputs.iter().any(|input| input == Path::new("-")) {
        return Err(Error::usage("--tune: standard input cannot be read again and again; name a file"));
    }
    if options.inputs.is_empty() && order.job.sample.is_empty() {
        return Err(Error::usage("--tune: no input is given"));
    }
    RunOptions { overwrite: false, ..order.options() }.check()?;
    Ok(time)
}

fn find_files(options: &RunOptions) -> Result<Vec<InputFile>, Error> {
    let given: Vec<Given> = options.inputs.iter().cloned().map(Given::Path).collect();
    find(&given).map_err(usage)
}

/// The user's input, or else the sample text that ships with the program, written out.
fn source(
    mut files: Vec<InputFile>,
    order: &Order<'_>,
    work: &WorkFolder,
    stages: &dyn Stages,
) -> Result<Source, Error> {
    if files.is_empty() {
        let folder = work.paths.spooled_input();
        fs::create_dir(&folder).at("make the folder", &folder)?;
        for (name, content) in order.job.sample {
            let path = folder.join(name);
            fs::write(&path, content).at("write", &path)?;
        }
        files = find(&[Given::Path(folder)]).map_err(usage)?;
    }
    for file in &files {
        stages.check(&file.path, file.size).map_err(usage)?;
    }
    let source = Source::new(files, stages.cut());
    if source.bytes == 0 { Err(Error::usage("--tune: the input is empty")) } else { Ok(source) }
}

fn usage(error: impl Into<BoxError>) -> Error {
    Error::usage(chain(&*error.into()))
}

/// Whoever reads it may have seen enough: that is no failure.
fn print(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(BoxError::from(format!("cannot write to standard output: {error}")).into())
        }
        _ => Ok(()),
    }
}
