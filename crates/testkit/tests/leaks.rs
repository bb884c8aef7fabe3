//! The leak check finds what a test leaves behind, and nothing else.
//!
//! A test binary of its own, so that no other test of the kit is blamed.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::Duration;

use gristmill_testkit::command::TestCommand;
use gristmill_testkit::leaks::LeakCheck;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// For leaks that will not go away.
const SHORT: Duration = Duration::from_millis(50);

/// What the check says about `test`, which leaves something behind and returns it.
fn complaint<T>(check: LeakCheck, test: impl FnOnce() -> T) -> (String, T) {
    let left = test();
    let check = check.grace(SHORT);
    let payload =
        catch_unwind(AssertUnwindSafe(|| check.finish())).expect_err("the leak should have been found");
    (payload.downcast_ref::<String>().cloned().expect("a formatted message"), left)
}

#[test]
fn a_tidy_test_passes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let check = LeakCheck::start().folder(folder.path()).entries(folder.path(), "job");
    fs::write(folder.path().join("job"), "x").expect("writing to a temporary folder");
    fs::remove_file(folder.path().join("job")).expect("removing it again");
    assert!(Command::new("true").status().expect("`true` can be run").success());
    check.finish();
}

#[test]
fn a_child_that_exits_in_time_passes() {
    let check = LeakCheck::start();
    let mut child = Command::new("sh").args(["-c", "sleep 0.2"]).spawn().expect("a shell");
    let reaper = std::thread::spawn(move || child.wait());
    check.finish();
    assert!(reaper.join().expect("waiting does not panic").is_ok());
}

#[test]
fn a_running_child_is_named_with_its_arguments() {
    let (message, running) = complaint(LeakCheck::start(), || TestCommand::new("sleep").arg("61").spawn());
    assert!(message.contains(&format!("child pid {}", running.pid())), "{message}");
    assert!(message.contains(r#"["sleep", "61"]"#), "{message}");
}

#[test]
fn a_zombie_is_found() {
    let spawn = || {
        let child = Command::new("true").spawn().expect("`true` can be run");
        let pid = Pid::from_child(&child);
        waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).expect("it exits");
        child
    };
    let (message, mut child) = complaint(LeakCheck::start(), spawn);
    child.wait().expect("the child was not waited for");
    assert!(message.contains("state Z"), "{message}");
}

#[test]
fn an_open_file_is_named() {
    let (message, _file) = complaint(LeakCheck::start(), || File::open("/dev/zero").expect("/dev/zero"));
    assert!(message.contains("-> /dev/zero"), "{message}");
}

#[test]
fn files_are_found_below_a_folder_and_by_their_prefix() {
    let (own, shared) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let check = LeakCheck::start().folder(own.path()).entries(shared.path(), "job-");
    let (message, ()) = complaint(check, || {
        fs::create_dir(own.path().join("deep")).expect("a folder");
        for path in [own.path().join("deep/a"), shared.path().join("job-1"), shared.path().join("other")] {
            fs::write(path, "x").expect("a file");
        }
    });
    assert!(
        message.contains("deep/a") && message.contains("job-1") && !message.contains("other"),
        "{message}"
    );
}

#[test]
fn dropping_the_check_finishes_it() {
    let check = LeakCheck::start().grace(SHORT);
    // A device that no other test leaks: theirs may still be open when this check begins.
    let file = File::open("/dev/full").expect("/dev/full");
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(check)));
    drop(file);
    assert!(dropped.is_err());
}

#[test]
fn a_second_check_in_one_test_is_refused() {
    let _first = LeakCheck::start();
    assert!(catch_unwind(LeakCheck::start).is_err());
}
