//! The watchdog aborts a hanging test and says where it hung; it leaves a test that ends alone.

use std::sync::mpsc;
use std::time::Duration;

use gristmill_testkit::command::{Finished, Signal, TestCommand};
use gristmill_testkit::process_tree::ProcessTree;
use gristmill_testkit::watchdog::Watchdog;

const VICTIM: &str = "GRISTMILL_TESTKIT_VICTIM";

/// This test does nothing unless the others run it again in a process of its own.
#[test]
fn victim() {
    let Ok(marker) = std::env::var(VICTIM) else { return };
    let _watchdog = Watchdog::new(Duration::from_millis(500));
    if marker == "tidy" {
        return;
    }
    let child = TestCommand::new("sh").args(["-c", "echo up; sleep 60; :", &marker]).spawn();
    // Nobody ever sends: the hang that the watchdog is for, with a bound in case it does not work.
    let (_sender, receiver) = mpsc::channel::<()>();
    assert!(receiver.recv_timeout(Duration::from_secs(20)).is_err());
    drop(child);
}

fn run_victim(marker: &str) -> Finished {
    let own = std::env::current_exe().expect("a test knows its executable");
    TestCommand::new(own).args(["--exact", "victim"]).env(VICTIM, marker).run()
}

#[test]
fn a_hanging_test_is_aborted_with_a_dump_and_its_children_end() {
    let marker = format!("testkit-watchdog-{}", std::process::id());
    let done = run_victim(&marker);
    assert_eq!(done.signal(), Some(Signal::ABORT.as_raw()), "{done}");
    let dump = done.stderr_text();
    for part in ["watchdog: victim has not ended within 500ms", "waits in", "descendants:", &marker, "State:"]
    {
        assert!(dump.contains(part), "{part:?} is missing in\n{dump}");
    }
    ProcessTree::with_argument(&marker).assert_gone_within(Duration::from_secs(10));
}

#[test]
fn a_test_that_ends_in_time_is_left_alone() {
    run_victim("tidy").assert_code(0);
}
