//! Interrupts and terminations of a running job: in time, without losses, without leftovers.
//!
//! Deaths of the coordinator that it cannot see coming are in `orphans`.

use std::time::{Duration, Instant};

use gristmill_testkit::command::{Finished, Running, Signal, Stream};
use gristmill_tests::boom;
use gristmill_tests::case::Case;

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture");

/// What a job may take to end when user code goes on for ever: two grace periods and a little more.
const GRACE: Duration = Duration::from_secs(5);
/// What it may take when user code finishes its records.
const PROMPT: Duration = Duration::from_millis(1500);
/// What it may take after the third signal, and well below the time of grace.
const AT_ONCE: Duration = Duration::from_millis(1500);
const LIMIT: Duration = Duration::from_secs(30);

/// A mapper that never ends a record, in one worker; the others are at work.
const HANGING: [&str; 8] = ["--slow", "20", "--log-level", "info", "--fault", "hang", "--at", "map"];
/// Mappers that take their time, six seconds in all.
const SLOW: [&str; 4] = ["--slow", "200", "--log-level", "info"];

/// A job under way, which has come to a certain point.
struct Job<'a> {
    case: &'a Case,
    running: Running,
}

impl<'a> Job<'a> {
    fn start(case: &'a Case, options: &[&str]) -> Self {
        case.file("in.txt", boom::text());
        let running = boom::words(case, FIXTURE, "in.txt", "out").args(options).spawn();
        Self { case, running }
    }

    /// A job whose mappers are at work in both workers.
    fn slow(case: &'a Case, options: &[&str]) -> Self {
        let mut job = Self::start(case, &[&SLOW, options].concat());
        job.running.wait_for(Stream::Stderr, "reading", 2, LIMIT);
        job
    }

    /// A job in which a mapper hangs.
    fn hanging(case: &'a Case, options: &[&str]) -> Self {
        let mut job = Self::start(case, &[&HANGING, options].concat());
        job.running.wait_for_stderr("told to Hang at Map", LIMIT);
        job
    }

    /// The job ends with `code` in time, says which signal it was, and leaves nothing.
    fn ends(self, code: i32, within: Duration) -> Finished {
        let asked = Instant::now();
        let finished = self.running.wait().assert_code(code);
        assert!(asked.elapsed() <= within, "it took {:?} to end: {finished}", asked.elapsed());
        let name = if code == 130 { "stopped by SIGINT" } else { "stopped by SIGTERM" };
        assert!(finished.stderr_text().contains(name), "{name:?} is missing: {finished}");
        assert!(finished.stdout.is_empty(), "{finished}");
        boom::assert_nothing_left(self.case, "out", &finished);
        finished
    }
}

fn test(check: impl FnOnce(&Case)) {
    let case = Case::new();
    check(&case);
    case.finish();
}

#[test]
fn one_signal_ends_a_job_at_its_next_records() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        for executor in [&["-w", "2"][..], &["-w", "2", "--executor", "threads"]] {
            test(|case| {
                let job = Job::slow(case, executor);
                job.running.signal(signal);
                job.ends(code, PROMPT);
            });
        }
    }
}

#[test]
fn one_signal_ends_an_inline_job() {
    test(|case| {
        let mut job = Job::start(case, &[&SLOW[..], &["--executor", "inline"]].concat());
        job.running.wait_for_stderr("reading", LIMIT);
        job.running.signal(Signal::INT);
        job.ends(130, PROMPT);
    });
}

#[test]
fn one_signal_ends_a_job_that_hangs_within_the_grace_time() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        test(|case| {
            let job = Job::hanging(case, &["-w", "2"]);
            job.running.signal(signal);
            job.ends(code, GRACE);
        });
    }
}

#[test]
fn workers_that_ignore_sigterm_are_killed_after_the_grace_time() {
    test(|case| {
        let job = Job::hanging(case, &["-w", "2", "--ignore-sigterm"]);
        job.running.signal(Signal::INT);
        job.ends(130, GRACE);
    });
}

#[test]
fn a_second_signal_is_still_graceful_and_the_first_one_counts() {
    test(|case| {
        let mut job = Job::hanging(case, &["-w", "2"]);
        job.running.signal(Signal::TERM);
        // The idle worker ends first, which says that the signal was taken: two at once have no order.
        job.running.wait_for_stderr("ended: exited with status 0", LIMIT);
        job.running.signal(Signal::INT);
        let finished = job.ends(143, GRACE);
        assert!(!finished.stderr_text().contains("killed by SIGKILL"), "{finished}");
    });
}

/// Signals again and again, as an impatient person does: equal ones that follow too closely count as one.
fn insist(job: &Job<'_>, signal: Signal) {
    while !job.running.exits_within(Duration::from_millis(50)) {
        job.running.signal(signal);
    }
}

#[test]
fn the_third_signal_ends_everything_at_once() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        test(|case| {
            let job = Job::hanging(case, &["-w", "2", "--ignore-sigterm"]);
            let began = Instant::now();
            insist(&job, signal);
            assert!(began.elapsed() < AT_ONCE, "the third signal was not obeyed");
            job.ends(code, PROMPT);
        });
    }
}

/// User code in a thread cannot be ended, so the program ends under it and leaves its scratch to the next start.
#[test]
fn the_third_signal_ends_a_program_that_hangs_in_a_thread() {
    for executor in ["threads", "inline"] {
        test(|case| {
            let job = Job::hanging(case, &["--executor", executor]);
            let began = Instant::now();
            insist(&job, Signal::INT);
            assert!(began.elapsed() < AT_ONCE, "the third signal was not obeyed");
            let finished = job.running.wait().assert_code(130);
            assert!(!case.path("out").exists(), "{finished}");
            boom::words(case, FIXTURE, "in.txt", "out").arg("--restart").run().assert_code(0);
            boom::assert_counted(case, "out", &boom::text(), "after a forced end");
        });
    }
}

#[test]
fn ctrl_c_reaches_the_workers_through_the_coordinator_alone() {
    test(|case| {
        let job = Job::slow(case, &["-w", "2"]);
        job.running.signal_group(Signal::INT);
        let finished = job.ends(130, PROMPT);
        let story = finished.stderr_text();
        assert!(!story.contains("killed by"), "a worker was hit: {finished}");
        assert_eq!(story.matches("ended: exited with status 0").count(), 2, "{finished}");
    });
}

/// Whoever was to feed the job does not: a signal ends the wait.
#[test]
fn a_signal_ends_the_wait_for_standard_input() {
    test(|case| {
        let mut running = case
            .command(FIXTURE)
            .args(["words", "-", "-o", "out", "-w", "2", "--log-level", "info"])
            .hold_stdin()
            .spawn();
        running.wait_for_stderr("reading standard input", LIMIT);
        running.signal(Signal::INT);
        Job { case, running }.ends(130, PROMPT);
    });
}
