//! `--resume`, `--restart` and `--from reduce`: what is done is not done again, and what has changed is named.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use gristmill_testkit::command::{Finished, TestCommand};
use gristmill_tests::boom;
use gristmill_tests::case::Case;

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture");
/// Map tasks of the text, and partitions.
const MAP_TASKS: usize = 6;

/// A folder with an input, an undisturbed output, and a job that fails once.
struct Job {
    case: Case,
    program: String,
}

impl Job {
    fn new() -> Self {
        let case = Case::new();
        case.file("in.txt", boom::text());
        boom::words(&case, FIXTURE, "in.txt", "undisturbed").run().assert_code(0);
        Self { case, program: FIXTURE.to_owned() }
    }

    /// The job, which fails `at` some place the first time.
    fn command(&self, at: &str) -> TestCommand {
        let mark = self.case.path("mark");
        boom::words(&self.case, &self.program, "in.txt", "out")
            .args(["--fault", "err", "--at", at, "--once", "--max-attempts", "1", "-w", "1", "--mark"])
            .arg(mark)
    }

    fn fails(&self, at: &str) -> Finished {
        let finished = self.command(at).run().assert_code(1);
        assert!(finished.stderr_text().contains("out.gristmill: what was done is kept there"), "{finished}");
        finished
    }

    #[track_caller]
    fn ends_well(&self, command: TestCommand) -> Finished {
        let finished = command.run().assert_code(0);
        assert!(self.case.parts("out") == self.case.parts("undisturbed"), "another output: {finished}");
        assert!(!self.case.path("out.gristmill").exists(), "{finished}");
        finished
    }

    /// Refused with all of `wanted`, and then resumed as if nothing had happened.
    #[track_caller]
    fn refused(&self, command: TestCommand, wanted: &[&str]) {
        let finished = command.run().assert_code(2);
        for wanted in wanted {
            assert!(finished.stderr_text().contains(wanted), "{wanted:?} is missing: {finished}");
        }
        assert!(!self.case.path("out").exists() && self.case.path("out.gristmill").exists(), "{finished}");
    }

    /// A copy of the program, to be changed.
    fn copy_program(&mut self) -> PathBuf {
        let copy = self.case.path("program");
        fs::copy(FIXTURE, &copy).expect("a copy");
        self.program = copy.display().to_string();
        copy
    }

    fn finish(self) {
        self.case.finish();
    }
}

/// Another build of the same program, as far as anybody can tell.
fn rebuild(program: &PathBuf) {
    OpenOptions::new()
        .append(true)
        .open(program)
        .expect("the program")
        .write_all(b"\0")
        .expect("a byte more");
}

fn records_read(log: &str) -> usize {
    log.lines().filter(|line| line.contains("reading in.txt")).count()
}

#[test]
fn what_is_committed_is_not_done_again() {
    let job = Job::new();
    job.fails("reduce");
    let log = ["--log-level", "info"];
    let finished = job.ends_well(job.command("reduce").arg("--resume").args(log));
    let story = finished.stderr_text();
    assert!(story.contains(&format!("resumed: {MAP_TASKS} of {MAP_TASKS} map tasks")), "{finished}");
    assert!(story.contains("covers map tasks 0-5"), "{finished}");
    assert_eq!(records_read(&story), 0, "nothing is mapped again: {finished}");
    job.finish();
}

#[test]
fn an_unfinished_job_is_in_the_way_until_somebody_decides() {
    let job = Job::new();
    job.fails("reduce");
    let wanted = ["out.gristmill", "an unfinished job", "6 map tasks", "--resume", "--restart"];
    job.refused(job.command("reduce"), &wanted);
    let finished = job.ends_well(job.command("reduce").arg("--restart").args(["--log-level", "info"]));
    assert_eq!(records_read(&finished.stderr_text()), MAP_TASKS, "{finished}");
    job.finish();
}

#[test]
fn the_splits_stay_and_everything_else_about_the_run_may_change() {
    for more in [
        &["-c", "17"][..],
        &["--executor", "threads", "-w", "3"],
        &["--executor", "inline"],
        &["-w", "4", "--memory", "64MiB", "--durable", "--spill-compression", "lz4"],
    ] {
        let job = Job::new();
        job.fails("reduce");
        let chunk = more.contains(&"-c");
        let mut command = job.case.command(FIXTURE).args(["words", "-r", "3", "-o", "out", "in.txt"]);
        if !chunk {
            command = command.args(["-c", "200"]);
        }
        let fault =
            ["--fault", "err", "--at", "reduce", "--once", "--progress", "never", "--resume", "--mark"];
        let command = command.args(fault).arg(job.case.path("mark")).args(more);
        let finished = job.ends_well(command);
        assert!(finished.stderr_text().contains("resumed: 6 of 6 map tasks"), "{finished}");
        job.finish();
    }
}

#[test]
fn a_job_that_has_changed_is_refused_and_the_change_is_named() {
    let mut job = Job::new();
    let program = job.copy_program();
    job.fails("reduce");
    let resume = || job.command("reduce").arg("--resume");
    job.refused(resume().args(["--slow", "1"]), &["the job's parameters", "--slow 1", "--restart"]);
    let input = job.case.path("in.txt");
    let times = fs::metadata(&input).expect("the input").modified().expect("a time");
    let touch = |time: SystemTime| {
        File::options().write(true).open(&input).expect("the input").set_modified(time).expect("its time");
    };
    touch(times + Duration::from_secs(1));
    job.refused(resume(), &["input in.txt: was modified since"]);
    touch(times);
    let text = fs::read(&input).expect("the input");
    fs::write(&input, [&text[..], b"more\n"].concat()).expect("the input");
    job.refused(resume(), &["input in.txt: had ", " and has "]);
    fs::write(&input, &text).expect("the input");
    touch(times);
    job.case.file("more.txt", "more\n");
    job.refused(resume().arg("more.txt"), &["input more.txt: is new"]);
    rebuild(&program);
    job.refused(resume(), &["the program ", "was built anew"]);
    job.ends_well(job.command("reduce").args(["--from", "reduce"]));
    job.finish();
}

#[test]
fn a_memory_that_is_too_small_for_the_workers_costs_nothing_that_was_done() {
    let job = Job::new();
    job.fails("reduce");
    let little = job.command("reduce").args(["--resume", "--memory", "1MiB"]);
    job.refused(little, &["--memory", "at least", "--resume goes on with it"]);
    job.ends_well(job.command("reduce").arg("--resume"));
    job.finish();
}

#[test]
fn partitions_that_are_asked_for_have_to_be_those_there_were() {
    let job = Job::new();
    job.fails("reduce");
    let arguments =
        ["words", "-r", "2", "-c", "200", "-o", "out", "--progress", "never", "in.txt", "--resume"];
    let command =
        job.case.command(FIXTURE).args(arguments).args(["--fault", "err", "--at", "reduce", "--once"]);
    job.refused(command.arg("--mark").arg(job.case.path("mark")), &["partitions (-r): there were 3, now 2"]);
    job.ends_well(job.command("reduce").arg("--resume"));
    job.finish();
}

#[test]
fn map_output_is_reused_only_if_it_is_whole() {
    let mut job = Job::new();
    let program = job.copy_program();
    // Slow enough for commits on the way.
    let slow = || job.command("map").args(["--slow", "30"]);
    slow().run().assert_code(1);
    job.refused(slow().args(["--from", "reduce"]), &["--from reduce: only ", " of 6 map tasks are done"]);
    job.ends_well(slow().arg("--resume"));
    fs::remove_dir_all(job.case.path("out")).expect("it is there");
    fs::remove_file(job.case.path("mark")).expect("it is there");
    job.fails("reduce");
    rebuild(&program);
    let finished = job.ends_well(job.command("reduce").args(["--from", "reduce", "--log-level", "info"]));
    assert_eq!(records_read(&finished.stderr_text()), 0, "{finished}");
    job.finish();
}

#[test]
fn standard_input_is_read_once() {
    let job = Job::new();
    let command = || {
        let arguments = ["words", "-r", "3", "-c", "200", "-o", "out", "--progress", "never", "-"];
        let fault = ["--fault", "err", "--at", "reduce", "--once", "--max-attempts", "1", "--mark"];
        job.case.command(FIXTURE).args(arguments).args(fault).arg(job.case.path("mark"))
    };
    command().stdin(boom::text()).run().assert_code(1);
    job.ends_well(command().arg("--resume").stdin("something else"));
    job.finish();
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let job = Job::new();
    let run = |arguments: &[&str]| {
        let command = job.case.command(FIXTURE).args(["words", "in.txt", "--progress", "never"]);
        command.args(arguments).run().assert_code(2).stderr_text()
    };
    for option in ["--resume", "--restart"] {
        assert!(run(&[option]).contains(&format!("{option}: needs an output folder")));
    }
    assert!(run(&["--from", "reduce"]).contains("--from: needs an output folder"));
    assert!(run(&["-o", "out", "--resume", "--restart"]).contains("cannot be used with"));
    assert!(run(&["-o", "out", "--from", "reduce"]).contains("there is no unfinished job with map output"));
    assert!(run(&["-o", "undisturbed", "--resume"]).contains("undisturbed: exists already"));
    // Nothing to resume is no mistake: whoever restarts a job does not know how far it came.
    job.ends_well(boom::words(&job.case, FIXTURE, "in.txt", "out").arg("--resume"));
    job.finish();
}

#[test]
fn a_job_that_was_published_and_not_cleaned_up_is_finished() {
    let job = Job::new();
    job.fails("reduce");
    // As if the program had died in the middle of the very end: the journal is still there, the output too.
    let kept = job.case.path("kept");
    let copy = |from: PathBuf, to: PathBuf| {
        let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status();
        assert!(copied.expect("cp runs").success());
    };
    copy(job.case.path("out.gristmill"), kept.clone());
    job.ends_well(job.command("reduce").arg("--resume"));
    // This journal knows nothing of the output: it is an earlier one, and the output is in its way.
    fs::rename(&kept, job.case.path("out.gristmill")).expect("it is there");
    let finished = job.command("reduce").arg("--resume").run().assert_code(2);
    assert!(finished.stderr_text().contains("out: exists already"), "{finished}");
    job.ends_well(job.command("reduce").args(["--resume", "--overwrite"]));
    job.finish();
}

#[test]
fn two_programs_cannot_work_on_one_output() {
    let job = Job::new();
    let slow = boom::words(&job.case, FIXTURE, "in.txt", "out").args(["--slow", "100", "-w", "1"]);
    let mut first = slow.args(["--log-level", "info"]).spawn();
    first.wait_for_stderr("reading in.txt", Duration::from_secs(10));
    for option in ["--resume", "--restart", "--overwrite"] {
        let second = boom::words(&job.case, FIXTURE, "in.txt", "out").arg(option).run().assert_code(2);
        assert!(second.stderr_text().contains("another job is writing to the same output"), "{second}");
    }
    first.wait().assert_code(0);
    assert!(job.case.parts("out") == job.case.parts("undisturbed"));
    job.finish();
}
