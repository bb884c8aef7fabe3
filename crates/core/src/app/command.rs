//! Runs what the command line asks for: picks the job, sets up log and signals, reports how it ended.
//!
//! It knows exit statuses. How results are shown is in `show`.

use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgMatches, Args, Command, FromArgMatches};
use gristmill_pool::signals::{Cancel, Level, install_handlers};
use indicatif::{MultiProgress, ProgressDrawTarget};

use super::cli::CommonArgs;
use super::logging::{self, Logging};
use super::registry::{Registered, Registry};
use super::session::Entered;
use super::show::show;
use super::tune;
use crate::coordinate::{self, Finished};
use crate::error::Error;
use crate::os::tell;
use crate::result::{BoxError, Result};

/// How long the log may take to be written at the end.
const DRAIN: Duration = Duration::from_secs(2);
/// A third signal ends the program after this time, whatever it is at.
const AT_ONCE: Duration = Duration::from_millis(500);

/// The exit status of a job that was done but for records that were set aside.
const SET_ASIDE: u8 = 3;

/// Runs what the command line asks for.
pub(super) fn main(entered: &Entered, about: Option<&'static str>) -> ExitCode {
    if let Err(error) = coordinate::refuse_in_worker() {
        tell(format_args!("error: {error}"));
        return ExitCode::from(error.exit_status());
    }
    let matches = command(&entered.registry, about).get_matches();
    let jobs = &entered.registry.jobs;
    let (name, matches) = match matches.subcommand() {
        Some((name, matches)) => (name.to_owned(), matches.clone()),
        None => {
            (first_command(&entered.registry).map_or_else(String::new, |(name, _)| name.clone()), matches)
        }
    };
    let Some(job) = jobs.get(&name) else {
        tell(format_args!("error: this program has no job"));
        return ExitCode::from(2);
    };
    match run_command(entered, &name, job, &matches) {
        Ok(status) => status,
        Err(error) => {
            tell(format_args!("error: {error}"));
            ExitCode::from(error.exit_status())
        }
    }
}

fn command(registry: &Registry, about: Option<&'static str>) -> Command {
    let with_job = |command: Command, job: &Registered| {
        let command = match &job.options {
            Some(options) => (options.augment)(command),
            None => command,
        };
        // Otherwise the comment on a job's options would be the description of the job.
        CommonArgs::augment_args(command).about(None).long_about(None)
    };
    let named: Vec<_> = registry.jobs.iter().filter(|(_, job)| job.options.is_some()).collect();
    let program = Command::new(program_name()).version(env!("CARGO_PKG_VERSION"));
    let program = match named.as_slice() {
        [(_, job)] => with_job(program, job),
        jobs => {
            let subcommands = jobs.iter().map(|(name, job)| with_job(Command::new((*name).clone()), job));
            program.subcommand_required(true).arg_required_else_help(true).subcommands(subcommands)
        }
    };
    program.about(about)
}

fn program_name() -> String {
    let program = std::env::args_os().next().unwrap_or_default();
    std::path::Path::new(&program)
        .file_name()
        .map_or("job".into(), |name| name.to_string_lossy().into_owned())
}

fn first_command(registry: &Registry) -> Option<(&String, &Registered)> {
    registry.jobs.iter().find(|(_, job)| job.options.is_some())
}

fn run_command(
    entered: &Entered,
    name: &str,
    job: &Registered,
    matches: &ArgMatches,
) -> Result<ExitCode, Error> {
    let usage = |error: clap::Error| -> Error { error.exit() };
    let common = CommonArgs::from_arg_matches(matches).map_err(usage)?;
    let params = match &job.options {
        Some(options) => (options.parse)(matches).map_err(usage)?,
        None => Vec::new(),
    };
    let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
    let logging = logging::start(&common.log, &bars)?;
    let handlers = install_handlers(&entered.cancel).map_err(BoxError::from)?;
    exit_on_third_signal(&entered.cancel);
    let ended = if common.tune.wanted {
        tune::run(&tune::Order { entered, name, job, params: &params, common: &common, logging: &logging })
            .map(|()| ExitCode::SUCCESS)
    } else if let (Some(id), Some(output)) = (&common.replay, &common.output) {
        entered.replay(name, &params, output, id).map(|()| ExitCode::SUCCESS)
    } else {
        let json = common.json;
        let mut options = common.into_options().sample(job.sample);
        options.text = job.present.is_none();
        let done = entered.launch(name, params.clone(), options, Some(&logging), &bars);
        done.and_then(|finished| Ok(show(job, &params, &finished, json).map(|()| status(&finished))?))
    };
    stop_logging(logging);
    drop(handlers);
    ended
}

/// Says what was set aside.
fn status(finished: &Finished) -> ExitCode {
    let (records, Some(folder)) = (finished.summary().set_aside, finished.quarantine()) else {
        return ExitCode::SUCCESS;
    };
    let were = if records == 1 { "record was" } else { "records were" };
    tell(format_args!("{records} {were} set aside in {} (--replay ID runs one alone)", folder.display()));
    ExitCode::from(SET_ASIDE)
}

fn stop_logging(logging: Logging) {
    drop(logging.hangup);
    let report = logging.listener.stop(DRAIN);
    if !report.is_complete() {
        tell(format_args!("warning: the log is incomplete: {report}"));
    }
}

/// User code in a thread cannot be ended: a third signal must not wait for it.
fn exit_on_third_signal(cancel: &Cancel) {
    let (asked, third) = crossbeam_channel::bounded::<i32>(1);
    cancel.on_change(move |level| {
        if let Level::Immediate(signal) = level {
            // Full: it was told before.
            asked.try_send(signal).unwrap_or_default();
        }
    });
    let waiting = std::thread::Builder::new().name("third-signal".to_owned()).spawn(move || {
        if let Ok(signal) = third.recv() {
            crossbeam_channel::after(AT_ONCE).recv().ok();
            std::process::exit(128 + signal);
        }
    });
    if let Err(error) = waiting {
        tracing::warn!(target: "gristmill", "a third signal will not end the program at once: {error}");
    }
}
