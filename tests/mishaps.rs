//! What is no failure of a task, or one of its own kind: a death in mid-commit, a flood on standard error, children of
//! workers, a job inside a worker, a worker that does not know its job.
//!
//! The failure matrix is in `faults`.

use std::time::Duration;

use gristmill_testkit::command::TestCommand;
use gristmill_testkit::process_tree::ProcessTree;
use gristmill_tests::boom;
use gristmill_tests::case::Case;

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture");

/// So many keys that a run is far larger than any buffer when the trap goes off, which comes late in key order.
fn large_text() -> String {
    let words: String = (0..20_000).map(|n| format!("a-rather-long-word-number-{n:06}\n")).collect();
    words + "boom\n"
}

#[test]
fn a_worker_killed_in_the_middle_of_a_commit() {
    let case = Case::new();
    let text = large_text();
    case.file("large.txt", &text);
    for attempts in ["1", "3"] {
        let output = format!("out-{attempts}");
        let finished = case
            .command(FIXTURE)
            .args(["words", "-o", &output, "-r", "1", "-c", "1MiB", "-w", "2", "--max-attempts", attempts])
            .arg("large.txt")
            .args(["--fault", "kill", "--at", "commit", "--once", "--mark"])
            .arg(case.path(format!("mark-{attempts}")))
            .run();
        assert!(case.path(format!("mark-{attempts}")).exists(), "{finished}");
        if attempts == "1" {
            let finished = finished.assert_code(1);
            assert!(finished.stderr_text().contains("map-0 failed in commit: "), "{finished}");
            boom::assert_nothing_left(&case, &output, &finished);
        } else {
            boom::assert_counted(&case, &output, &text, &finished.assert_code(0).to_string());
        }
    }
    case.finish();
}

#[test]
fn the_end_of_a_flood_on_standard_error_is_told() {
    let case = Case::new();
    case.file("in.txt", boom::text());
    let finished = boom::words(&case, FIXTURE, "in.txt", "out")
        .args(["-w", "2", "--flood-stderr", "2000", "--log-level", "off", "--fault", "abort", "--at", "map"])
        .run()
        .assert_code(1);
    let story = finished.stderr_text();
    assert!(story.contains("last line before: told to Abort at Map"), "{finished}");
    assert!(story.len() < 64 << 10, "{} bytes of story", story.len());
    boom::assert_nothing_left(&case, "none", &finished);
    // What was mapped before is kept.
    std::fs::remove_dir_all(case.path("out.gristmill")).unwrap_or_default();
    case.finish();
}

#[test]
fn what_user_code_prints_and_logs_never_mixes_with_results() {
    let case = Case::new();
    case.file("in.txt", boom::text());
    let run = |more: &[&str]| {
        case.command(FIXTURE)
            .args(["words", "-w", "2", "-r", "3", "-c", "200", "in.txt"])
            .args(more)
            .run()
            .assert_code(0)
    };
    let quiet = run(&[]);
    let log = ["--log-file", "log.txt", "--print", "--log", "5", "--flood-stderr", "3"];
    let noisy = run(&log);
    assert_eq!(noisy.stdout_text(), quiet.stdout_text(), "{noisy}");
    let log = std::fs::read_to_string(case.path("log.txt")).expect("the log");
    let count = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!((count("event "), count("boom")), (5 * 6, 2), "{log}");
    case.finish();
}

#[test]
fn children_of_workers_end_with_the_job() {
    let case = Case::new();
    case.file("in.txt", boom::text());
    let child = case.path("left-child").display().to_string();
    for (fault, code) in [(&[][..], 0), (&["--fault", "abort", "--at", "reduce"][..], 1)] {
        let output = format!("out-{code}");
        let finished = boom::words(&case, FIXTURE, "in.txt", &output)
            .args(["-w", "2", "--leave-child", &child])
            .args(fault)
            .run()
            .assert_code(code);
        ProcessTree::with_argument(&child).assert_gone_within(Duration::from_secs(2));
        assert!(gristmill_tests::wait::until(Duration::from_secs(2), boom::reap_adopted), "{finished}");
    }
    // The map output of the job that failed is kept.
    std::fs::remove_dir_all(case.path("out-1.gristmill")).expect("it is there");
    case.finish();
}

fn refused(command: TestCommand, wanted: &[&str]) {
    let finished = command.limit(Duration::from_secs(20)).run().assert_code(1);
    for text in wanted {
        assert!(finished.stderr_text().contains(text), "{text:?} is missing: {finished}");
    }
}

#[test]
fn a_job_inside_a_worker_is_refused() {
    let case = Case::new();
    case.file("in.txt", "one\n");
    let nested = || case.command(FIXTURE).args(["nested", "-w", "1", "in.txt"]);
    refused(nested(), &["map-0 failed in map: returned an error: a worker cannot start a job of its own"]);
    refused(nested().arg("--main"), &["map-0 failed in map", "a worker cannot start a job of its own"]);
    case.finish();
}

#[test]
fn a_worker_that_does_not_know_its_job_says_so() {
    let case = Case::new();
    case.file("in.txt", "one\n");
    refused(case.command(FIXTURE).args(["ghost", "-w", "1", "in.txt"]), &["could not start", "job", "ghost"]);
    case.finish();
}
