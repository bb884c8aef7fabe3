//! A program that has been entered: runs jobs, from its command line or on its own account.
//!
//! It prints results and errors and knows exit statuses.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgMatches, Args, Command, FromArgMatches};
use gristmill_ipc::codec;
use gristmill_pool::signals::{Cancel, Level, install_handlers};
use gristmill_pool::{Identity, worker};
use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

use super::cli::CommonArgs;
use super::logging::{self, Logging};
use super::registry::{Registered, Registry};
use crate::coordinate::{self, Finished, Launch};
use crate::error::Error;
use crate::exec::{self, LogTail};
use crate::options::RunOptions;
use crate::result::{BoxError, Result};

/// How long the log may take to be written at the end.
const DRAIN: Duration = Duration::from_secs(2);
/// A third signal ends the program after this time, whatever it is at.
const AT_ONCE: Duration = Duration::from_millis(500);
/// Raised whenever coordinator and workers would no longer understand each other.
const PROTOCOL: u32 = 1;

/// The means to run jobs, in a process that is no worker.
pub struct Entered {
    registry: Arc<Registry>,
    cancel: Cancel,
}

impl Entered {
    /// In a worker this serves orders and never returns.
    pub(super) fn new(registry: Registry) -> Self {
        let registry = Arc::new(registry);
        // User code in a worker may come here again: what it gets refuses to run jobs.
        if !worker::is_worker()
            && let Some(link) = worker::enter(&identity(&registry))
        {
            exec::worker::serve(link, |name, params| registry.rebuild(name, params));
        }
        Self { registry, cancel: Cancel::new() }
    }

    /// Runs the job called `name` and returns its results. No signal handler is installed and nothing is printed.
    ///
    /// # Errors
    /// When the job is refused, fails or is cancelled.
    pub fn run<P: Serialize>(&self, name: &str, params: &P, options: RunOptions) -> Result<Finished, Error> {
        let params = codec::encode(params).map_err(BoxError::from)?;
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        self.launch(name, params, options, None, &bars)
    }

    /// A token that stops the jobs of this program when it is raised.
    #[must_use]
    pub fn cancel_token(&self) -> Cancel {
        self.cancel.clone()
    }

    fn launch(
        &self,
        name: &str,
        params: Vec<u8>,
        options: RunOptions,
        logging: Option<&Logging>,
        bars: &MultiProgress,
    ) -> Result<Finished, Error> {
        let stages = self.registry.rebuild(name, &params).map_err(|error| Error::usage(error.to_string()))?;
        coordinate::run(Launch {
            job: name,
            stages,
            params,
            options,
            identity: identity(&self.registry),
            log: logging.map(|logging| (logging.listener.handle(), logging.filter.clone())),
            tail: logging.map_or_else(LogTail::default, |logging| logging.tail.clone()),
            cancel: &self.cancel,
            bars,
        })
    }
}

/// Coordinator and workers must agree on the jobs that there are.
fn identity(registry: &Registry) -> Identity {
    let jobs: Vec<&str> = registry.jobs.keys().map(String::as_str).collect();
    Identity { app: format!("gristmill with the jobs {}", jobs.join(", ")), version: env!("CARGO_PKG_VERSION").to_owned(), protocol: PROTOCOL }
}

/// Runs what the command line asks for.
pub(super) fn main((entered, about): (Entered, Option<&'static str>)) -> ExitCode {
    if let Err(error) = coordinate::refuse_in_worker() {
        eprintln!("error: {error}");
        return ExitCode::from(error.exit_status());
    }
    let matches = command(&entered.registry, about).get_matches();
    let jobs = &entered.registry.jobs;
    let (name, matches) = match matches.subcommand() {
        Some((name, matches)) => (name.to_owned(), matches.clone()),
        None => (first_command(&entered.registry).map_or_else(String::new, |(name, _)| name.clone()), matches),
    };
    let Some(job) = jobs.get(&name) else {
        eprintln!("error: this program has no job");
        return ExitCode::from(2);
    };
    match run_command(&entered, &name, job, &matches) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}

fn command(registry: &Registry, about: Option<&'static str>) -> Command {
    let with_job = |command: Command, job: &Registered| {
        let command = job.command.as_ref().map_or(command.clone(), |(augment, _)| augment(command));
        CommonArgs::augment_args(command)
    };
    let named: Vec<_> = registry.jobs.iter().filter(|(_, job)| job.command.is_some()).collect();
    let program = Command::new(program_name()).version(env!("CARGO_PKG_VERSION"));
    let program = match named.as_slice() {
        [(_, job)] => with_job(program, job),
        jobs => {
            let subcommands = jobs.iter().map(|(name, job)| with_job(Command::new((*name).clone()), job));
            program.subcommand_required(true).arg_required_else_help(true).subcommands(subcommands)
        }
    };
    // Last: otherwise the comment on a job's options would be the description of the program.
    program.about(about).long_about(None)
}

fn program_name() -> String {
    let program = std::env::args_os().next().unwrap_or_default();
    std::path::Path::new(&program).file_name().map_or("job".into(), |name| name.to_string_lossy().into_owned())
}

fn first_command(registry: &Registry) -> Option<(&String, &Registered)> {
    registry.jobs.iter().find(|(_, job)| job.command.is_some())
}

fn run_command(entered: &Entered, name: &str, job: &Registered, matches: &ArgMatches) -> Result<(), Error> {
    let usage = |error: clap::Error| -> Error { error.exit() };
    let common = CommonArgs::from_arg_matches(matches).map_err(usage)?;
    let params = match &job.command {
        Some((_, parse)) => parse(matches).map_err(usage)?,
        None => Vec::new(),
    };
    crate::os::raise_descriptor_limit();
    let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
    let logging = logging::start(&common.log, &bars)?;
    let handlers = install_handlers(&entered.cancel).map_err(BoxError::from)?;
    exit_on_third_signal(&entered.cancel);
    let json = common.json;
    let mut options = common.into_options().sample(job.sample);
    options.text = job.present.is_none();
    let done = entered.launch(name, params.clone(), options, Some(&logging), &bars);
    let shown = done.and_then(|finished| Ok(show(job, &params, &finished, json)?));
    stop_logging(logging);
    drop(handlers);
    shown
}

fn show(job: &Registered, params: &[u8], finished: &Finished, json: bool) -> Result {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let shown = match (&job.present, finished.output()) {
        (_, Some(_)) if json => print_json(finished, &mut out),
        (_, Some(_)) => Ok(()),
        (Some(present), None) => {
            drop(out);
            return ignore_closed_pipe(present(params, finished));
        }
        (None, None) => finished.copy_text(&mut out),
    };
    ignore_closed_pipe(shown.and_then(|()| Ok(out.flush()?)))
}

fn print_json(finished: &Finished, out: &mut impl Write) -> Result {
    let mut summary = serde_json::to_value(finished.summary())?;
    summary["counters"] = finished.counters().iter().collect();
    summary["output"] = finished.output().map(|path| path.display().to_string()).into();
    Ok(writeln!(out, "{summary}")?)
}

/// Whoever reads the results may have seen enough: `wordcount | head` is no failure.
fn ignore_closed_pipe(shown: Result) -> Result {
    match shown {
        Err(error)
            if error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) =>
        {
            Ok(())
        }
        other => other,
    }
}

fn stop_logging(logging: Logging) {
    let report = logging.listener.stop(DRAIN);
    if !report.is_complete() {
        eprintln!("warning: the log is incomplete: {report:?}");
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

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").field("jobs", &self.registry.jobs.keys()).finish_non_exhaustive()
    }
}
