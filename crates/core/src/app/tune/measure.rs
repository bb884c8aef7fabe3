//! Real runs of the job on a sample: timed, stopped when they take too long, their results thrown away.
//!
//! It neither picks settings nor prints more than how far the tuning has come.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender};
use gristmill_pool::signals::{Cancel, Level};
use indicatif::{HumanBytes, MultiProgress, ProgressDrawTarget};
use rustix::process::Signal;

use super::Order;
use super::measured::{LEAST_RUNS, Run, Setting};
use super::probe::Prober;
use super::sample::{Sample, Source};
use super::search::{Axis, Bench};
use crate::app::session::Entered;
use crate::error::Error;
use crate::options::RunOptions;
use crate::progress::ShowProgress;
use crate::result::{BoxError, Result};

/// The runs of one tuning.
pub(super) struct Runs<'a> {
    order: &'a Order<'a>,
    source: &'a Source,
    /// Where prefixes of the input go.
    folder: PathBuf,
    pub(super) sample: Sample,
    current: Arc<Mutex<Cancel>>,
    began: Instant,
    time: Duration,
    /// The log is written for the first run alone: it would say the same again and again.
    logged: bool,
    show: bool,
}

impl<'a> Runs<'a> {
    pub(super) fn new(order: &'a Order<'a>, source: &'a Source, folder: PathBuf, time: Duration) -> Self {
        let show = order.options().progress != Some(ShowProgress::Never);
        let sample = Sample { inputs: Vec::new(), bytes: 0, prefixes: 0, whole: false };
        let current = pass_on(&order.entered.cancel);
        Self { order, source, folder, sample, current, began: Instant::now(), time, logged: false, show }
    }

    /// One run of the job, from its start to the removal of its scratch.
    fn once(&mut self, setting: &Setting, limit: Duration) -> Result<Option<Run>, Error> {
        let cancel = Cancel::new();
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = cancel.clone();
        self.refuse_stopped()?;
        let entered = Entered { registry: Arc::clone(&self.order.entered.registry), cancel: cancel.clone() };
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let logging = (!self.logged).then_some(self.order.logging);
        let options = self.options(setting);
        let stop = stop_after(limit, cancel)?;
        let began = Instant::now();
        let done = entered.launch(self.order.name, self.order.params.to_vec(), options, logging, &bars);
        self.logged = true;
        let summary = match done {
            Ok(finished) => finished.summary().clone(),
            Err(error) if error.signal().is_some() => {
                drop(stop);
                self.refuse_stopped()?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let wall = began.elapsed();
        let (tasks, workers, partitions) = (summary.map_tasks, summary.workers, summary.partitions);
        Ok(Some(Run { wall, tasks, workers, partitions }))
    }

    fn options(&self, setting: &Setting) -> RunOptions {
        let mut options = self.order.options();
        options.inputs.clone_from(&self.sample.inputs);
        (options.chunk_size, options.workers) = (setting.chunk, setting.workers);
        options.partitions = setting.partitions;
        options.overwrite = false;
        options.progress = Some(ShowProgress::Never);
        options.text = self.order.job.present.is_none();
        options
    }

    fn refuse_stopped(&self) -> Result<(), Error> {
        match self.order.entered.cancel.level() {
            Level::None => Ok(()),
            Level::Graceful(signal) | Level::Immediate(signal) => Err(Error::cancelled(signal)),
        }
    }

    fn say(&self, line: &str) {
        if self.show {
            // Nobody is helped by a tuning that fails because its progress cannot be shown.
            drop(writeln!(io::stderr(), "tune: {line}"));
        }
    }
}

impl Prober for Runs<'_> {
    fn take(&mut self, want: u64) -> Result<(u64, bool), Error> {
        self.sample = self.source.take(want, &self.folder)?;
        let (bytes, all) = (HumanBytes(self.sample.bytes), HumanBytes(self.source.bytes));
        self.say(&format!("trying a sample of {bytes} of {all}"));
        Ok((self.sample.bytes, self.sample.whole))
    }

    fn run(&mut self, limit: Duration) -> Result<Option<Run>, Error> {
        let options = self.order.options();
        let (chunk, workers, partitions) = (options.chunk_size, options.workers, options.partitions);
        self.once(&Setting { chunk, workers, partitions }, limit)
    }
}

impl Bench for Runs<'_> {
    fn begin(&mut self, axis: Axis, settings: usize) {
        let what = match axis {
            Axis::ChunkSize => "chunk sizes",
            Axis::Workers => "numbers of workers",
            Axis::Partitions => "numbers of partitions",
            Axis::Line => "chunk sizes with another number of workers",
        };
        let left = self.left().as_secs();
        self.say(&format!("comparing {settings} {what}, {LEAST_RUNS} runs each or more; {left} s left"));
    }

    fn run(&mut self, setting: &Setting, limit: Duration) -> Result<Option<Run>, Error> {
        self.once(setting, limit)
    }

    fn left(&self) -> Duration {
        self.time.saturating_sub(self.began.elapsed())
    }
}

/// Every run has a token of its own, as one that was raised stays so: signals are passed on to the one in use.
fn pass_on(signals: &Cancel) -> Arc<Mutex<Cancel>> {
    let current = Arc::new(Mutex::new(Cancel::new()));
    let used = Arc::clone(&current);
    signals.on_change(move |level| {
        if let Level::Graceful(signal) | Level::Immediate(signal) = level {
            let run = used.lock().unwrap_or_else(PoisonError::into_inner).clone();
            run.request(signal);
        }
    });
    current
}

/// Raises `cancel` after `limit`, unless what it returns is dropped before.
fn stop_after(limit: Duration, cancel: Cancel) -> Result<Sender<()>> {
    let (stop, stopped) = crossbeam_channel::bounded::<()>(0);
    let wait = move || {
        if stopped.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            cancel.request(Signal::TERM.as_raw());
        }
    };
    thread::Builder::new().name("run-limit".to_owned()).spawn(wait).map_err(BoxError::from)?;
    Ok(stop)
}
