//! The command runner against small shell programs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::*;
use crate::process_tree::ProcessTree;

const MOMENT: Duration = Duration::from_secs(10);

fn shell(script: &str) -> TestCommand {
    TestCommand::new("sh").args(["-c", script, "testkit"]).limit(MOMENT)
}

fn panic_text(test: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(test)).expect_err("the test kit should have failed the test");
    payload.downcast_ref::<String>().cloned().expect("a formatted message")
}

#[test]
fn returns_output_code_and_duration() {
    let done = shell("cat; echo \"$1 $TESTKIT_X $PWD\" >&2; exit 3")
        .arg("one")
        .env("TESTKIT_X", "two")
        .current_dir("/")
        .stdin("three\n")
        .run()
        .assert_code(3);
    assert_eq!((done.stdout_text().as_str(), done.stderr_text().as_str()), ("three\n", "one two /\n"));
    assert_eq!(done.signal(), None);
    assert!(done.elapsed < MOMENT);
}

#[test]
fn large_input_and_output_do_not_block_each_other() {
    let input = vec![b'x'; 4 << 20];
    assert_eq!(TestCommand::new("cat").stdin(input.clone()).run().stdout, input);
}

#[test]
fn input_that_is_not_read_is_no_failure() {
    shell("exit 0").stdin(vec![b'x'; 4 << 20]).run().assert_code(0);
}

#[test]
fn a_running_program_is_awaited_fed_and_signalled() {
    let mut running =
        shell("echo one; echo two; read line; echo \"got $line\" >&2; kill -STOP $$").hold_stdin().spawn();
    assert_eq!(running.wait_for_stdout("tw", MOMENT), "two");
    assert_eq!(running.wait_for_stdout("on", MOMENT), "one", "lines may be awaited in any order");
    running.write_stdin(b"three\n").expect("the program reads its input");
    assert_eq!(running.wait_for_stderr("got", MOMENT), "got three");
    assert!(!running.exits_within(Duration::ZERO));
    running.signal(Signal::KILL);
    assert_eq!(running.wait().signal(), Some(9));
}

#[test]
fn the_group_gets_a_signal_together() {
    let mut running = shell("sh -c 'echo ready; read line; echo never'; exit 4").hold_stdin().spawn();
    running.wait_for_stdout("ready", MOMENT);
    running.signal_group(Signal::TERM);
    let done = running.wait();
    assert_eq!((done.signal(), done.stdout_text().as_str()), (Some(15), "ready\n"));
}

#[test]
fn the_limit_kills_everything_and_shows_what_was_printed() {
    let marker = format!("testkit-limit-{}", std::process::id());
    // The grandchild leads a session of its own: killing the group alone would leave it.
    let script = "setsid sh -c 'echo deep; sleep 60; :' \"$1\" & echo shallow >&2; wait";
    let command = shell(script).arg(&marker).limit(Duration::from_millis(300));
    let message = panic_text(|| drop(command.run()));
    for part in ["has not ended within 300ms", "deep", "shallow"] {
        assert!(message.contains(part), "{part:?} is missing in {message}");
    }
    ProcessTree::with_argument(&marker).assert_gone_within(MOMENT);
}

#[test]
fn a_line_that_never_comes_is_reported_as_soon_as_the_stream_ends() {
    let mut running = shell("echo something").spawn();
    let message = panic_text(|| drop(running.wait_for_stdout("nothing", MOMENT)));
    assert!(message.contains("has not printed") && message.contains("something"), "{message}");
}

#[test]
fn output_held_open_by_a_process_left_behind_is_a_failure() {
    let marker = format!("testkit-left-{}", std::process::id());
    let command = shell("sh -c 'sleep 60; :' \"$1\" & echo started").arg(&marker);
    let message = panic_text(|| drop(command.limit(Duration::from_millis(300)).run()));
    assert!(message.contains("left behind holds its output open"), "{message}");
    ProcessTree::with_argument(&marker).assert_gone_within(MOMENT);
}

#[test]
fn an_unexpected_code_shows_what_was_printed() {
    let message = panic_text(|| drop(shell("echo why >&2; exit 2").run().assert_code(0)));
    assert!(message.contains("expected exit code 0") && message.contains("why"), "{message}");
}
