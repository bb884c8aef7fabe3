//! A coordinator that is killed takes its workers and their children along, and the next one clears up after it.
//!
//! Signals that a coordinator sees are in `signals`.

use std::fs;
use std::time::Duration;

use gristmill_testkit::command::{Running, Signal, Stream};
use gristmill_testkit::process_tree::{Process, ProcessTree};
use gristmill_tests::boom;
use gristmill_tests::case::Case;
use rustix::process::{Pid, kill_process};

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture");
/// All that a worker may outlive its coordinator by.
const TWO_SECONDS: Duration = Duration::from_secs(2);
const LIMIT: Duration = Duration::from_secs(30);

fn signal(process: &Process, signal: Signal) {
    kill_process(Pid::from_raw(process.pid.cast_signed()).expect("a process id"), signal).expect("a signal");
}

/// The children of workers.
fn children(case: &Case) -> Vec<Process> {
    let name = case.path("left-child").display().to_string();
    let named = |process: &&Process| process.arguments.first() == Some(&name);
    ProcessTree::with_argument(&name).processes().iter().filter(named).cloned().collect()
}

/// A job whose two workers are mapping, each with a child.
fn start(case: &Case, options: &[&str]) -> Running {
    let child = case.path("left-child").display().to_string();
    let mut running = case
        .command(FIXTURE)
        .args(["words", "-w", "2", "-c", "200", "--slow", "1000", "--log-level", "info"])
        .args(["--leave-child", &child, "in.txt"])
        .args(options)
        .spawn();
    running.wait_for(Stream::Stderr, "reading", 2, LIMIT);
    let has_both = || children(case).len() == 2;
    assert!(gristmill_tests::wait::until(LIMIT, has_both), "the children did not start");
    running
}

/// Kills the coordinator after `prepare` has done something to its workers.
fn kill(case: &Case, options: &[&str], prepare: impl FnOnce(&ProcessTree)) {
    let running = start(case, options);
    let family = ProcessTree::descendants_of(running.pid());
    assert_eq!(family.processes().len(), 4, "two workers with a child each: {family}");
    prepare(&ProcessTree::children_of(running.pid()));
    running.signal(Signal::KILL);
    family.assert_gone_within(TWO_SECONDS);
    let finished = running.wait();
    assert_eq!(finished.signal(), Some(Signal::KILL.as_raw()), "{finished}");
    // The dead are ours now: nobody else collects them.
    assert!(gristmill_tests::wait::until(TWO_SECONDS, boom::reap_adopted), "a child is left");
}

fn with_case(check: impl FnOnce(&Case)) {
    let case = Case::new();
    case.file("in.txt", boom::text());
    check(&case);
    case.finish();
}

fn count_again(case: &Case) {
    boom::words(case, FIXTURE, "in.txt", "out").run().assert_code(0);
    boom::assert_counted(case, "out", &boom::text(), "after a kill");
}

#[test]
fn nobody_outlives_a_killed_coordinator_and_the_next_takes_over_its_work_folder() {
    with_case(|case| {
        kill(case, &["-o", "out"], |_| {});
        assert!(case.path("out.gristmill").exists() && !case.path("out").exists());
        count_again(case);
        assert!(!case.path("out.gristmill").exists());
    });
}

#[test]
fn a_stopped_worker_does_not_outlive_its_coordinator_either() {
    with_case(|case| {
        kill(case, &["-o", "out"], |workers| signal(&workers.processes()[0], Signal::STOP));
        count_again(case);
    });
}

#[test]
fn stopped_workers_and_children_do_not_outlive_it_either() {
    with_case(|case| {
        kill(case, &["-o", "out"], |workers| {
            workers.processes().iter().chain(&children(case)).for_each(|one| signal(one, Signal::STOP));
        });
        count_again(case);
    });
}

#[test]
fn the_scratch_of_a_dead_job_is_removed_by_the_next_and_that_of_a_live_one_is_not() {
    with_case(|case| {
        let scratch = || case.names("tmp").into_iter().filter(|name| name.starts_with("gristmill-")).count();
        kill(case, &[], |_| {});
        assert_eq!(scratch(), 1, "{:?}", case.names("tmp"));
        let live = start(case, &[]);
        assert_eq!(scratch(), 1, "that of the dead job is gone: {:?}", case.names("tmp"));
        let finished = case.command(FIXTURE).args(["words", "in.txt"]).run().assert_code(0);
        assert_eq!(scratch(), 1, "that of the live job is there: {finished}");
        live.signal(Signal::TERM);
        live.wait().assert_code(143);
        assert_eq!(fs::read_dir(case.path("tmp")).expect("a folder").count(), 0, "{:?}", case.names("tmp"));
        assert!(gristmill_tests::wait::until(TWO_SECONDS, boom::reap_adopted), "a child is left");
    });
}
