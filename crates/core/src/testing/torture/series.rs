//! Makes the runs of a torture, one after the other, and judges each.
//!
//! It does not choose the trials.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::draw::Draw;
use super::family::{wait_gone, workers_of};
use super::output::{Output, Strictness};
use super::process::Process;
use super::trial::{Facts, Kills, Trial};
use super::{Difference, Torture, TortureError, TortureFailure, TortureReport};

/// A run may take this, and a multiple of what the undisturbed one took.
const PATIENCE: Duration = Duration::from_secs(30);
const MULTIPLE: u32 = 20;
/// Kills in one run, at most: every run is to end.
const MOST_WORKERS: u32 = 8;
const MOST_PROGRAMS: u32 = 3;
/// The workers of a program that was killed are gone after this.
const ORPHANS: Duration = Duration::from_secs(5);
/// So much of a log is told.
const LOG: usize = 64 << 10;

/// The runs of one torture.
pub(super) struct Series<'a> {
    torture: &'a Torture,
    /// Moments and victims of kills.
    draw: Draw,
    folder: TempDir,
    expected: Option<Expected>,
    limit: Duration,
    /// What a run takes without kills, about.
    pace: Duration,
    /// What was done to the program in the run at hand.
    story: Vec<String>,
    report: TortureReport,
}

/// What the undisturbed run came to.
struct Expected {
    status: ExitStatus,
    output: Output,
    counters: Value,
    partitions: u32,
}

/// Why a run is not as it should be.
enum Problem {
    Difference(Difference),
    Other(String),
    System(io::Error),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl<'a> Series<'a> {
    pub(super) fn new(torture: &'a Torture, seed: u64) -> Result<Self, TortureError> {
        let folder = tempfile::Builder::new().prefix("torture-").tempdir();
        let folder = folder
            .map_err(|source| TortureError::System { what: "cannot make a folder".to_owned(), source })?;
        let report =
            TortureReport { seed, runs: 0, killed_workers: 0, killed_programs: 0, elapsed: Duration::ZERO };
        let (draw, story) = (Draw::new(!seed), Vec::new());
        let (limit, pace) = (torture.limit, Duration::ZERO);
        Ok(Self { torture, draw, folder, expected: None, limit, pace, story, report })
    }

    /// The run that all others are compared with.
    pub(super) fn undisturbed(&mut self) -> Result<Facts, TortureError> {
        let began = Instant::now();
        let facts = self.first().map_err(|problem| match self.failure(&Trial::UNDISTURBED, problem) {
            TortureError::Failed(failure) => TortureError::Undisturbed(failure),
            error => error,
        })?;
        self.pace = began.elapsed();
        self.limit = PATIENCE + self.pace * MULTIPLE;
        Ok(facts)
    }

    fn first(&mut self) -> Result<Facts, Problem> {
        let status = self.run(&Trial::UNDISTURBED)?;
        // 3: done, with records set aside.
        if !matches!(status.code(), Some(0 | 3)) {
            return Err(Problem::Other(format!("the undisturbed run ended with {status}")));
        }
        let summary = self.summary()?.ok_or_else(|| Problem::Other("there is no summary".to_owned()))?;
        let number = |name: &str| summary[name].as_u64().unwrap_or_default();
        let partitions = u32::try_from(number("partitions")).unwrap_or(u32::MAX);
        let output = Output::read(&self.output())?;
        self.clean()?;
        let counters = self.counters(&summary);
        self.expected = Some(Expected { status, output, counters, partitions });
        let (input_bytes, other_partitions) = (number("input_bytes"), self.torture.other_partitions);
        Ok(Facts { input_bytes, partitions, other_partitions })
    }

    /// One more run, that has to end like the first.
    pub(super) fn trial(&mut self, trial: &Trial) -> Result<(), TortureError> {
        self.story.clear();
        let judged = self.run(trial).and_then(|status| self.judge(trial, status)).and_then(|()| self.clean());
        self.report.runs += 1;
        judged.map_err(|problem| self.failure(trial, problem))
    }

    pub(super) fn report(mut self, elapsed: Duration) -> TortureReport {
        self.report.elapsed = elapsed;
        self.report
    }

    fn judge(&self, trial: &Trial, status: ExitStatus) -> Result<(), Problem> {
        let Some(expected) = &self.expected else { return Ok(()) };
        if status != expected.status {
            return Err(Problem::Other(format!(
                "it ended with {status}, undisturbed with {}",
                expected.status
            )));
        }
        let same_parts = trial.partitions.is_none_or(|partitions| partitions == expected.partitions);
        let strictness = Strictness { same_parts, keep_order: self.torture.keep_order };
        let found = Output::read(&self.output())?;
        if let Some(difference) = expected.output.differs(&found, strictness) {
            return Err(Problem::Difference(difference));
        }
        // A program that was killed when all was done has no time to say so.
        let Some(summary) = self.summary()? else { return Ok(()) };
        let (wanted, counted) = (&expected.counters, self.counters(&summary));
        if counted != *wanted {
            return Err(Problem::Other(format!("other counters: {counted}, undisturbed {wanted}")));
        }
        Ok(())
    }

    fn counters(&self, summary: &Value) -> Value {
        let mut counters = summary["counters"].clone();
        if let Value::Object(counters) = &mut counters {
            self.torture.ignored_counters.iter().for_each(|name| drop(counters.remove(name)));
        }
        counters
    }

    fn run(&mut self, trial: &Trial) -> Result<ExitStatus, Problem> {
        match trial.kills {
            Kills::Nobody => {
                let began = Instant::now();
                let ended = self.run_out(trial, false);
                self.pace = (self.pace + began.elapsed()) / 2;
                ended
            }
            Kills::Workers => self.killing_workers(trial),
            Kills::Program => self.killing_program(trial),
        }
    }

    fn run_out(&mut self, trial: &Trial, resume: bool) -> Result<ExitStatus, Problem> {
        let process = self.start(trial, resume)?;
        self.wait(process)
    }

    fn killing_workers(&mut self, trial: &Trial) -> Result<ExitStatus, Problem> {
        let process = self.start(trial, false)?;
        let began = Instant::now();
        for _ in 0..MOST_WORKERS {
            let moment = self.draw.part_of(self.pace / 4);
            if process.ends_before(Instant::now() + moment)? {
                break;
            }
            let workers = workers_of(process.pid());
            if workers.is_empty() {
                continue;
            }
            let victim = workers[self.draw.below(workers.len() as u64) as usize];
            if victim.kill() {
                self.report.killed_workers += 1;
                self.story.push(format!(
                    "# after {:?}: kill -9 of a worker ({})",
                    began.elapsed(),
                    victim.pid
                ));
            }
        }
        self.wait(process)
    }

    fn killing_program(&mut self, trial: &Trial) -> Result<ExitStatus, Problem> {
        for deaths in 0..MOST_PROGRAMS {
            let mut process = self.start(trial, deaths > 0)?;
            let moment = self.draw.part_of(self.pace);
            if process.ends_before(Instant::now() + moment)? {
                return Ok(process.status()?);
            }
            let workers = workers_of(process.pid());
            let status = process.kill()?;
            if status.code().is_some() {
                // It was faster.
                return Ok(status);
            }
            self.report.killed_programs += 1;
            self.story.push(format!("# after {moment:?}: kill -9 of the program"));
            let left = wait_gone(workers, ORPHANS);
            if !left.is_empty() {
                return Err(Problem::Other(format!(
                    "workers outlive their program by {ORPHANS:?}: {left:?}"
                )));
            }
            if self.is_published()? {
                return Ok(self.expected.as_ref().map_or(status, |expected| expected.status));
            }
        }
        self.run_out(trial, true)
    }

    /// Whether the program was killed when all was done, and nothing is left to resume: at most an emptied work folder,
    /// which is removed here.
    fn is_published(&self) -> Result<bool, Problem> {
        let work = self.output().with_extension("gristmill");
        let published = self.output().join("_SUCCESS").exists() && !work.join("journal").exists();
        if published && work.exists() {
            fs::remove_dir_all(work)?;
        }
        Ok(published)
    }

    fn start(&mut self, trial: &Trial, resume: bool) -> Result<Process, Problem> {
        let append = |path: PathBuf| File::options().create(true).append(true).open(path);
        let mut command = self.torture.command(trial, &self.output(), resume);
        command.stdin(std::process::Stdio::null());
        command.stdout(File::create(self.summary_path())?).stderr(append(self.log_path())?);
        self.story.push(self.torture.line(trial, "found", resume));
        Ok(Process::start(&mut command)?)
    }

    fn wait(&self, mut process: Process) -> Result<ExitStatus, Problem> {
        if process.ends_before(Instant::now() + self.limit)? {
            return Ok(process.status()?);
        }
        let workers = workers_of(process.pid());
        process.kill()?;
        wait_gone(workers, ORPHANS);
        Err(Problem::Other(format!("it has not ended after {:?}, and was killed", self.limit)))
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("found")
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn summary_path(&self) -> PathBuf {
        self.folder.path().join("summary")
    }

    /// The summary that the last process has printed, if it came to that.
    fn summary(&self) -> Result<Option<Value>, Problem> {
        let printed = fs::read_to_string(self.summary_path())?;
        let Some(line) = printed.lines().last() else { return Ok(None) };
        let unreadable = |error| Problem::Other(format!("the summary cannot be read: {error}: {line}"));
        serde_json::from_str(line).map(Some).map_err(unreadable)
    }

    /// Removes what the run has left, which has to be its output alone.
    fn clean(&self) -> Result<(), Problem> {
        let names: Vec<_> = fs::read_dir(self.folder.path())?.collect::<io::Result<_>>()?;
        for entry in names {
            let path = entry.path();
            match entry.file_name().to_str() {
                Some("found") => fs::remove_dir_all(path)?,
                Some("log" | "summary") => fs::remove_file(path)?,
                _ => return Err(Problem::Other(format!("it has left {}", path.display()))),
            }
        }
        Ok(())
    }

    fn failure(&self, trial: &Trial, problem: Problem) -> TortureError {
        let (problem, difference) = match problem {
            Problem::Difference(difference) => (difference.to_string(), Some(difference)),
            Problem::Other(problem) => (problem, None),
            Problem::System(source) => {
                let what = format!("{} ({trial})", self.torture.program.display());
                return TortureError::System { what, source };
            }
        };
        let undisturbed = self.torture.line(&Trial::UNDISTURBED, "expected", false);
        let before = self.expected.is_some().then_some(undisturbed);
        let log = fs::read(self.log_path()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log[log.len().saturating_sub(LOG)..]).into_owned();
        TortureError::Failed(Box::new(TortureFailure {
            seed: self.report.seed,
            conditions: trial.to_string(),
            problem,
            difference,
            commands: before.into_iter().chain(self.story.iter().cloned()).collect(),
            log,
        }))
    }
}
