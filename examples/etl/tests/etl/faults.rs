//! Workers and whole runs that die in the middle: nothing is inserted twice, nothing is missing, nobody is left.
//!
//! The program is the one whose workers die on command.

use std::path::Path;

use gristmill_testkit::command::Signal;
use gristmill_testkit::process_tree::ProcessTree;

use crate::loads::{set_aside, spoil};
use crate::plain::{computed, found};
use crate::support::{Bench, LIMIT, SOON, assert_says, lines};

/// A worker is killed at a step, once: the task is tried again, and all is there once.
pub(crate) fn survives_a_kill(bench: &Bench, step: &str) {
    let finished = bench.faulty(&format!("{step}:41"), &["--batch", "6"]).run().assert_code(0);
    assert!(bench.path("mark").exists(), "the worker was killed: {finished}");
    assert_says(&finished, "orders.jsonl, from line 41 on: once more, because its worker is gone");
    assert_eq!(
        lines(&finished)[..2],
        [
            "tasks: 20 loaded, 0 loaded before",
            "documents: 400 read, 0 not selected, 0 in the table before, 0 set aside"
        ]
    );
    assert_eq!(lines(&finished)[2], "table orders: 400 rows inserted");
    assert_eq!(found(bench), computed(&bench.export()));
    assert_eq!(bench.count("etl_tasks"), 20);
}

#[test]
fn a_worker_killed_before_the_commit() {
    let bench = Bench::new();
    survives_a_kill(&bench, "before");
    bench.finish();
}

#[test]
fn a_worker_killed_after_the_commit() {
    let bench = Bench::new();
    survives_a_kill(&bench, "after");
    bench.finish();
}

#[test]
fn what_a_killed_worker_had_set_aside_is_set_aside_once() {
    for step in ["before", "after"] {
        let bench = Bench::new();
        spoil(&bench);
        // Line 101 cannot be read.
        let fault = format!("{step}:101");
        bench.faulty(&fault, &["--quarantine", "bad.jsonl"]).run().assert_code(3);
        assert!(bench.path("mark").exists());
        let found: Vec<_> = set_aside(&bench).into_iter().map(|(line, _)| line).collect();
        assert_eq!(found, [17, 101, 206, 301]);
        bench.finish();
    }
}

#[test]
fn a_task_over_which_every_worker_dies_ends_the_run() {
    let bench = Bench::new();
    let finished = bench.faulty("always:41", &["--retries", "2"]).run().assert_code(1);
    assert_says(&finished, "error: orders.jsonl, lines 41 to 60: tried 3 times: ");
    assert_says(&finished, "killed by SIGKILL");
    let all = bench.export();
    let rest = [&all[..40], &all[60..]].concat();
    assert_eq!(found(&bench), computed(&rest));
    // Without the fault it goes on from there.
    let finished = bench.etl(&[]).run().assert_code(0);
    assert_eq!(lines(&finished)[0], "tasks: 1 loaded, 19 loaded before");
    assert_eq!(found(&bench), computed(&all));
    bench.finish();
}

#[test]
fn a_worker_that_hangs_is_killed_after_its_time() {
    let bench = Bench::new();
    bench.faulty("hang:41", &["--task-timeout", "2s"]).run().assert_code(0);
    assert!(bench.path("mark").exists());
    assert_eq!(found(&bench), computed(&bench.export()));
    bench.finish();
}

/// Waits until a worker hangs at its step.
fn hangs(mark: &Path) {
    let end = std::time::Instant::now() + SOON;
    while !mark.exists() {
        assert!(std::time::Instant::now() < end, "no worker has come to its step");
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
}

#[test]
fn signals_end_it_in_good_order() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let bench = Bench::new();
        let running = bench.faulty("hang:41", &[]).spawn();
        hangs(&bench.path("mark"));
        let workers = ProcessTree::descendants_of(running.pid());
        running.signal(signal);
        let finished = running.wait().assert_code(code);
        assert_says(&finished, "error: interrupted\n");
        workers.assert_gone_within(SOON);
        bench.etl(&[]).run().assert_code(0);
        assert_eq!(found(&bench), computed(&bench.export()));
        bench.finish();
    }
}

#[test]
fn a_run_that_is_killed_leaves_nobody_and_is_gone_on_with() {
    let bench = Bench::new();
    let running = bench.faulty("hang:41", &[]).limit(LIMIT).spawn();
    hangs(&bench.path("mark"));
    let workers = ProcessTree::descendants_of(running.pid());
    assert!(!workers.is_empty());
    running.signal(Signal::KILL);
    workers.assert_gone_within(SOON);
    assert_eq!(running.wait().signal(), Some(9));
    bench.etl(&[]).run().assert_code(0);
    assert_eq!(found(&bench), computed(&bench.export()));
    bench.finish();
}
