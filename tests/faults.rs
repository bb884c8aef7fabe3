//! The failure matrix: every way to fail at every place of a job, and what the user gets.
//!
//! A cell fails once with the story that the user is owed, and recovers once with more attempts. Aborts and their like
//! are only survived by worker processes: with the other executors they end the whole program, so those are tested
//! with errors and panics alone.

use std::fmt;
use std::thread;
use std::time::{Duration, SystemTime};

use gristmill_testkit::command::{Finished, TestCommand};
use gristmill_tests::boom;
use gristmill_tests::case::Case;

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture");

/// Places where a map task fails, and those where a reduce task does.
const MAP_PLACES: [&str; 6] = ["start", "setup", "map", "combine", "cleanup", "commit"];
const REDUCE_PLACES: [&str; 2] = ["reduce", "output"];

/// How long a job may live on after its failure.
const TWO_SECONDS: Duration = Duration::from_secs(2);
/// The time limit for a task that hangs.
const TASK_TIMEOUT: Duration = Duration::from_secs(1);

/// One way to fail at one place.
#[derive(Clone, Copy)]
struct Cell {
    executor: &'static str,
    fault: &'static str,
    at: &'static str,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.executor, self.fault, self.at)
    }
}

impl Cell {
    fn in_processes(&self) -> bool {
        self.executor == "processes"
    }

    /// Whether the worker itself ends, and not only the attempt.
    fn ends_worker(&self) -> bool {
        self.at == "start" || !["err", "panic"].contains(&self.fault)
    }

    fn command(&self, case: &Case, output: &str) -> TestCommand {
        let mark = case.path(format!("mark-{output}"));
        let mut command = boom::words(case, FIXTURE, "in.txt", output)
            .args(["--executor", self.executor, "--fault", self.fault, "--at", self.at, "--mark"])
            .arg(mark);
        if self.executor != "inline" {
            command = command.args(["-w", "2"]);
        }
        if self.fault == "hang" {
            command = command.args(["--task-timeout", "1s"]);
        }
        command
    }

    /// The job fails in time with its story, and leaves no more than what can be gone on with.
    fn fails(&self, case: &Case) {
        let output = format!("{self}-fails");
        let finished = self.command(case, &output).args(["--max-attempts", "1"]).run();
        let ended = SystemTime::now();
        assert_eq!(finished.code(), Some(1), "{self}: {finished}");
        let failed = boom::marked_at(&case.path(format!("mark-{output}")));
        let took = ended.duration_since(failed).unwrap_or_default();
        let patience = if self.fault == "hang" { TASK_TIMEOUT } else { Duration::ZERO };
        // Every start fails here: the last of three is the failure, and the mark is from the first.
        let starts = if self.at == "start" && self.fault != "hang" { 2 } else { 1 };
        assert!(took <= patience + TWO_SECONDS * starts, "{self}: ended only {took:?} after: {finished}");
        assert!(finished.stdout.is_empty(), "{self}: {finished}");
        self.check_story(&finished);
        assert!(!case.path(&output).exists(), "{self}");
        // Work is kept if there was any, and then the error says so.
        let work = case.path(format!("{output}.gristmill"));
        let kept = finished.stderr_text().contains("--resume goes on with it");
        assert_eq!(work.exists(), kept, "{self}: {finished}");
        if kept {
            std::fs::remove_dir_all(work).expect("it can be removed");
        }
    }

    /// After the job has failed, the same command goes on with what was done, and the output is that of an undisturbed
    /// run.
    fn resumes(&self, case: &Case, undisturbed: &str) {
        let output = format!("{self}-resumes");
        let command = || self.command(case, &output).args(["--once", "--max-attempts", "1"]);
        // A worker that cannot start is started again.
        let code = i32::from(self.at != "start");
        let finished = command().run().assert_code(code);
        if code == 1 {
            assert!(!case.path(&output).exists(), "{self}: {finished}");
            command().arg("--resume").run().assert_code(0);
        }
        assert!(case.parts(&output) == case.parts(undisturbed), "{self}: another output: {finished}");
        assert!(!case.path(format!("{output}.gristmill")).exists(), "{self}: {finished}");
    }

    fn check_story(&self, finished: &Finished) {
        let story = finished.stderr_text();
        // Earlier deaths at start are logged: the error is what counts.
        let story = &story[story.find("error: ").unwrap_or(0)..];
        for wanted in self.wanted() {
            assert!(story.contains(&wanted), "{self}: {wanted:?} is missing: {finished}");
        }
        // A commit is that of several tasks: the last of them is blamed.
        if ["map", "combine", "cleanup"].contains(&self.at) {
            let split = split_in(story);
            assert!(split.contains(&boom::offset()), "{self}: the trap is not in {split:?}: {finished}");
        }
    }

    fn wanted(&self) -> Vec<String> {
        let told = format!("told to {} at {}", capitalised(self.fault), capitalised(self.at));
        let mut wanted = vec!["job: words, attempt ".to_owned()];
        wanted.push(match self.fault {
            "err" if self.at == "start" => "exited with status 1".to_owned(),
            "panic" if self.at == "start" => "exited with status 101".to_owned(),
            "err" if self.at == "commit" => format!("returned an error: cannot encode: {told}"),
            "err" if self.at == "output" => format!("Shown` as text: {told}"),
            "err" => format!("returned an error: {told}: the test wants it"),
            "panic" => format!(": {told}"),
            "abort" => "the worker was killed by SIGABRT".to_owned(),
            "segfault" => "the worker was killed by SIGSEGV".to_owned(),
            "exit" => "the worker exited with status 7".to_owned(),
            "kill" => "the worker was killed by SIGKILL, which the coordinator did not send".to_owned(),
            "hang" => "nothing was finished within 1s (--task-timeout)".to_owned(),
            other => panic!("no such fault: {other}"),
        });
        if self.fault == "panic" {
            wanted.extend(["panicked at tests/fixture/fault.rs:", "misbehave", &told].map(str::to_owned));
        }
        if self.ends_worker() {
            wanted.extend(["end of its standard error:", "last log records:", &told].map(str::to_owned));
        }
        wanted.extend(self.wanted_place());
        wanted
    }

    fn wanted_place(&self) -> Vec<String> {
        let mut wanted = Vec::new();
        if self.in_processes() {
            wanted.extend(["worker: Worker-", "(process "].map(str::to_owned));
        }
        if self.at == "start" {
            wanted.push("error: Worker-".to_owned());
            wanted.push(" could not start: ".to_owned());
            return wanted;
        }
        wanted.push("attempt 1 of 1".to_owned());
        if MAP_PLACES.contains(&self.at) {
            wanted.push("error: map-".to_owned());
            wanted.push("input: in.txt, bytes ".to_owned());
        } else {
            wanted.push("error: reduce-".to_owned());
            wanted.push("key: \"boom\"".to_owned());
        }
        match self.at {
            "map" => wanted.push(format!("last record: at byte {}, 5 bytes long", boom::offset())),
            "combine" => wanted.push(format!("last record: at byte {}, 5 bytes long", boom::offset() + 5)),
            _ => {}
        }
        wanted
    }

    /// With more attempts the job ends well and the output is that of an undisturbed run.
    fn recovers(&self, case: &Case, undisturbed: &str) {
        let output = format!("{self}-recovers");
        let finished = self.command(case, &output).args(["--once", "--max-attempts", "3"]).run();
        assert_eq!(finished.code(), Some(0), "{self}: {finished}");
        boom::marked_at(&case.path(format!("mark-{output}")));
        assert!(case.parts(&output) == case.parts(undisturbed), "{self}: another output: {finished}");
    }
}

fn capitalised(word: &str) -> String {
    word[..1].to_uppercase() + &word[1..]
}

/// The byte range in a line such as `input: FILE, bytes 200..400`.
fn split_in(story: &str) -> std::ops::Range<u64> {
    let range = story.split(", bytes ").nth(1).and_then(|rest| rest.lines().next()).expect("a byte range");
    let (start, end) = range.split_once("..").expect("a range");
    start.parse().expect("a number")..end.parse().expect("a number")
}

/// Runs the cells of one fault, so many at a time.
fn matrix(executor: &'static str, fault: &'static str, places: &[&'static str], at_a_time: usize) {
    let case = Case::limited(Duration::from_secs(120));
    case.file("in.txt", boom::text());
    boom::words(&case, FIXTURE, "in.txt", "undisturbed").run().assert_code(0);
    boom::assert_counted(&case, "undisturbed", &boom::text(), "undisturbed");
    let cells: Vec<_> = places.iter().map(|&at| Cell { executor, fault, at }).collect();
    let in_parallel = |check: &(dyn Fn(&Cell) + Sync)| {
        for some in cells.chunks(at_a_time) {
            thread::scope(|scope| some.iter().for_each(|cell| drop(scope.spawn(|| check(cell)))));
        }
    };
    in_parallel(&|cell| cell.fails(&case));
    in_parallel(&|cell| cell.recovers(&case, "undisturbed"));
    in_parallel(&|cell| cell.resumes(&case, "undisturbed"));
    case.finish();
}

fn everywhere() -> Vec<&'static str> {
    MAP_PLACES.into_iter().chain(REDUCE_PLACES).collect()
}

fn in_processes(fault: &'static str) {
    matrix("processes", fault, &everywhere(), 2);
}

#[test]
fn errors() {
    in_processes("err");
}

#[test]
fn panics() {
    in_processes("panic");
}

#[test]
fn aborts() {
    in_processes("abort");
}

#[test]
fn segmentation_faults() {
    in_processes("segfault");
}

#[test]
fn exits() {
    in_processes("exit");
}

#[test]
fn kills() {
    in_processes("kill");
}

#[test]
fn hangs() {
    matrix("processes", "hang", &everywhere(), 4);
}

/// Without processes there is no start of a worker.
#[test]
fn errors_and_panics_in_other_executors() {
    for executor in ["inline", "threads"] {
        for fault in ["err", "panic"] {
            matrix(executor, fault, &everywhere()[1..], 2);
        }
    }
}
