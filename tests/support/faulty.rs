//! Jobs that spill although their input is small, and runs of them in which a call on a file goes wrong.
//!
//! What a fault is and where it can be asked for is told in the library, at the option `--inject`. What a job owes
//! whoever has such a disk is checked here; which faults there are to be is the tests' business.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use gristmill_testkit::command::{Finished, TestCommand};

use crate::case::Case;

/// A run of a few tenths of a second that takes this long hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// A job of the program `shuffle`.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    /// The start of the names of its outputs.
    pub name: &'static str,
    /// How it is asked for.
    pub arguments: &'static [&'static str],
    /// Lines of its input, and the number of different keys.
    pub lines: (u32, u32),
    /// Workers, each with the least memory there may be.
    pub workers: u32,
}

/// One of each kind of reduce. With the least memory there is, all but the last spill in map and in reduce.
pub const JOBS: [Job; 4] = [
    Job {
        name: "combined",
        arguments: &["shuffle", "--what", "fold-u64"],
        lines: (90_000, 80_000),
        workers: 1,
    },
    Job {
        name: "grouped",
        arguments: &["shuffle", "--what", "group-text", "--width", "9000"],
        lines: (560, 90),
        workers: 1,
    },
    Job {
        name: "ordered",
        arguments: &["shuffle", "--what", "group-text", "--width", "9000", "--by", "range"],
        lines: (560, 90),
        workers: 1,
    },
    Job { name: "map-only", arguments: &["blocks", "--map-only"], lines: (30_000, 30_000), workers: 1 },
];

impl Job {
    /// Writes the input of the job.
    #[track_caller]
    pub fn input(&self, case: &Case) {
        let (lines, keys) = self.lines;
        let line = |n: u32| format!("key-{:06} {}\n", u64::from(n) * 7919 % u64::from(keys), n % 1000);
        case.file(self.input_name(), (0..lines).map(line).collect::<String>());
    }

    fn input_name(&self) -> String {
        format!("{}.txt", self.name)
    }

    /// A run into `output`.
    pub fn command(&self, case: &Case, program: &str, output: &str) -> TestCommand {
        let chunk = if self.lines.0 > 10_000 { "400K" } else { "2K" };
        case.command(program)
            .args(self.arguments)
            .args([&self.input_name(), "-o", output, "-c", chunk])
            .args(["-w", &self.workers.to_string(), "-m", &format!("{}MiB", 16 + 4 * self.workers)])
            .args(["-r", "2", "--progress", "never"])
            .limit(LIMIT)
    }
}

/// The process that misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The one that was started.
    Coordinator,
    /// The one that it starts.
    Worker,
}

/// The steps of a process, in order: what each of its calls is.
pub type Steps = BTreeMap<Role, Vec<String>>;

/// What the processes of `command` do when nothing goes wrong.
///
/// # Panics
/// When it does not end well.
#[track_caller]
pub fn steps(case: &Case, command: TestCommand) -> Steps {
    let file = case.path("points");
    command.arg("--inject").arg(format!("count:{}", file.display())).run().assert_code(0);
    let told = fs::read_to_string(&file).expect("both processes have told");
    fs::remove_file(&file).expect("it can be removed");
    let line = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        let role = if words.next().as_deref() == Some("worker") { Role::Worker } else { Role::Coordinator };
        (role, words.skip(1).collect())
    };
    told.lines().map(line).collect()
}

/// A fault at one point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Who misbehaves.
    pub role: Role,
    /// The number of the call, from 1.
    pub at: usize,
    /// How.
    pub kind: &'static str,
    /// What the call is.
    pub step: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} {} ({})", self.role, self.at, self.kind, self.step)
    }
}

impl Fault {
    /// As the option has it.
    #[must_use]
    pub fn spec(&self) -> String {
        let role = if self.role == Role::Worker { "worker" } else { "coordinator" };
        format!("{role}:{}:{}", self.at, self.kind)
    }

    fn dies(&self) -> bool {
        self.kind.starts_with("die")
    }
}

/// All kinds that make sense for a step.
fn kinds(step: &str) -> &'static [&'static str] {
    match step {
        "Write" => &["die-after", "enospc", "die-half", "short", "full", "eio", "die-before"],
        "RemoveAll" => &["die-after", "eio", "die-half", "enospc", "die-before"],
        _ => &["die-after", "eio", "die-before", "enospc"],
    }
}

/// The points that are worth a fault, from 1: of many equal steps after one another the first, one within, and the last.
fn points(steps: &[String]) -> Vec<usize> {
    let mut points = Vec::new();
    let mut from = 0;
    for stretch in steps.chunk_by(|one, next| one == next) {
        let mut some = vec![from + 1, from + stretch.len() / 2 + 1, from + stretch.len()];
        some.dedup();
        points.extend(some);
        from += stretch.len();
    }
    points.dedup();
    points
}

/// Faults for all that a job does: at the points that are worth one, or at all of them, so many kinds each, by turns.
#[must_use]
pub fn faults(steps: &Steps, per_point: impl Fn(Role) -> usize, all: bool) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (&role, steps) in steps {
        let points = if all { (1..=steps.len()).collect() } else { points(steps) };
        let mut turn = BTreeMap::<&str, usize>::new();
        for at in points {
            let (step, kinds) = (&steps[at - 1], kinds(&steps[at - 1]));
            let first = turn.entry(step).or_default();
            let many = per_point(role).min(kinds.len());
            for i in 0..many {
                let kind = kinds[(*first + i) % kinds.len()];
                faults.push(Fault { role, at, kind, step: step.clone() });
            }
            *first += many;
        }
    }
    faults
}

/// Gives everything to `check`, two at a time; those that fail do not keep the others from being checked.
///
/// # Panics
/// When some of them have.
#[track_caller]
pub fn two_at_a_time<T: Sync>(all: &[T], check: impl Fn(&T) + Sync) {
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some(one) = all.get(next.fetch_add(1, Relaxed)) {
            let checked = catch_unwind(AssertUnwindSafe(|| check(one)));
            failed.fetch_add(usize::from(checked.is_err()), Relaxed);
        }
    };
    thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
    let (failed, all) = (failed.into_inner(), all.len());
    assert!(failed == 0, "{failed} of {all} failed, as told above");
}

/// Part files by name.
pub type Parts = BTreeMap<String, Vec<u8>>;

/// A command, and what it should come to.
#[derive(Debug)]
pub struct Trial<'a> {
    /// Where it runs.
    pub case: &'a Case,
    /// The output folder.
    pub output: &'a str,
    /// What should be in it.
    pub wanted: &'a Parts,
    /// What was in it before, if there was anything.
    pub old: Option<&'a Parts>,
    /// What it is, for messages.
    pub about: String,
}

impl Trial<'_> {
    /// Checks what a run with a fault has come to, and that the work can be finished by `command`.
    pub fn check(&self, fault: &Fault, finished: &Finished, command: impl Fn() -> TestCommand) {
        let about = format!("{}: {fault}", self.about);
        match finished.code() {
            Some(0) => self.ended_well(&about, finished),
            None if fault.dies() && fault.role == Role::Coordinator => {}
            Some(1 | 2) if !fault.dies() => self.told_why(fault, finished),
            _ => panic!("{about}: {finished}"),
        }
        let found = self.found();
        let complete = found.as_ref() == Some(self.wanted);
        assert!(complete || found.as_ref() == self.old, "{about}: another output: {finished}");
        if finished.code() == Some(0) && !self.work().exists() {
            return self.clear();
        }
        let resumed = command().arg("--resume").run();
        // One that died, or could not remove a last file, when all was done may have left nothing to tell by.
        let was_done = complete
            && resumed.code() == Some(2)
            && resumed.stderr_text().contains("the job may be finished");
        assert!(resumed.code() == Some(0) || was_done, "{about}: {finished}\nthen: {resumed}");
        assert!(self.case.parts(self.output) == *self.wanted, "{about}: another output: {resumed}");
        let left = self.left();
        assert!(left.is_empty(), "{about}: {left:?} are left: {finished}\nthen: {resumed}");
        self.clear();
    }

    fn ended_well(&self, about: &str, finished: &Finished) {
        let (story, left) = (finished.stderr_text(), self.left());
        assert!(
            left.is_empty() || story.contains("the work folder cannot be removed"),
            "{about}: {left:?} are left: {finished}"
        );
        assert!(self.found().as_ref() == Some(self.wanted), "{about}: another output: {finished}");
    }

    /// The error names the file and the reason.
    fn told_why(&self, fault: &Fault, finished: &Finished) {
        let story = finished.stderr_text();
        let error = &story[story.find("error: ").unwrap_or(0)..];
        let reason = match fault.kind {
            "eio" => "Input/output error",
            _ => "No space left on device",
        };
        // Folders are synced for the names in them.
        let named = error.contains(self.output) || error.contains("cannot sync the folder ");
        assert!(error.contains(reason) && named, "{}: {fault}: {finished}", self.about);
    }

    fn found(&self) -> Option<Parts> {
        self.case.path(self.output).exists().then(|| self.case.parts(self.output))
    }

    fn work(&self) -> PathBuf {
        self.case.path(format!("{}.gristmill", self.output))
    }

    /// What has the output's name and is not the output.
    fn left(&self) -> Vec<String> {
        let ours = |name: &String| name.contains(&format!("{}.", self.output));
        self.case.names(".").into_iter().filter(ours).collect()
    }

    fn clear(&self) {
        fs::remove_dir_all(self.case.path(self.output)).expect("the output is there");
    }
}
