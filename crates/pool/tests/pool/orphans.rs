//! A parent that is killed takes its workers and their children along, whatever state they are in.
//!
//! The parent is a fixture process here, so that it can be killed.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::support::LIMIT;
use gristmill_testkit::leaks::LeakCheck;
use gristmill_testkit::process_tree::ProcessTree;
use gristmill_testkit::watchdog::Watchdog;
use rustix::process::{Pid, Signal, kill_process};

/// All that a worker may outlive its parent by.
const TWO_SECONDS: Duration = Duration::from_secs(2);

struct Parent {
    process: Child,
    lines: Receiver<String>,
}

impl Parent {
    fn start(spool: &Path, command: &str, tmpdir: &Path) -> Self {
        Self::start_as("parent", spool, command, tmpdir)
    }

    fn start_as(role: &str, spool: &Path, command: &str, tmpdir: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_pool-fixture"))
            .arg(role)
            .arg(spool)
            .arg(command)
            .env("TMPDIR", tmpdir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the fixture");
        let (sender, lines) = channel();
        let stdout = BufReader::new(process.stdout.take().expect("standard output"));
        std::thread::spawn(move || {
            for line in stdout.lines() {
                sender.send(line.expect("a line")).unwrap_or_default();
            }
        });
        Self { process, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(LIMIT).expect("a line in time")
    }

    fn kill(mut self) {
        self.process.kill().expect("kill");
        self.process.wait().expect("wait");
    }

    fn end(mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().expect("wait").success());
    }
}

/// Two workers, each with a child, whose parent is killed after `prepare` has done something to the family.
fn family_ends_with_parent(prepare: impl FnOnce(&ProcessTree)) {
    let _watchdog = Watchdog::new(Duration::from_secs(60));
    let check = LeakCheck::start();
    let folder = tempfile::tempdir().expect("temporary folder");
    let parent = Parent::start(folder.path(), "child sleep 1000", folder.path());
    for _ in 0..2 {
        assert!(parent.line().starts_with("message"));
    }
    let family = ProcessTree::descendants_of(parent.process.id());
    assert_eq!(family.processes().len(), 4, "{family:?}");
    prepare(&ProcessTree::children_of(parent.process.id()));
    parent.kill();
    family.assert_gone_within(TWO_SECONDS);
    check.finish();
}

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.cast_signed()).expect("a process id");
    kill_process(pid, signal).expect("signal");
}

#[test]
fn nobody_outlives_a_killed_parent() {
    family_ends_with_parent(|_| {});
}

#[test]
fn a_stopped_worker_does_not_outlive_its_parent_either() {
    family_ends_with_parent(|workers| signal(workers.processes()[0].pid, Signal::STOP));
}

#[test]
fn a_stopped_family_does_not_outlive_its_parent_either() {
    family_ends_with_parent(|workers| {
        workers.processes().iter().for_each(|worker| signal(worker.pid, Signal::STOP))
    });
}

/// The kernel does nothing for stopped groups when their new parent is in the same session.
#[test]
fn a_stopped_family_that_is_inherited_ends_too() {
    let _watchdog = Watchdog::new(Duration::from_secs(60));
    let check = LeakCheck::start();
    let folder = tempfile::tempdir().expect("temporary folder");
    let reaper = Parent::start_as("reaper", folder.path(), "child sleep 1000", folder.path());
    for _ in 0..2 {
        assert!(reaper.line().starts_with("message"));
    }
    let parents = ProcessTree::children_of(reaper.process.id());
    let parent = parents.processes()[0].pid;
    let family = ProcessTree::descendants_of(parent);
    assert_eq!(family.processes().len(), 4, "{family:?}");
    ProcessTree::children_of(parent).processes().iter().for_each(|worker| signal(worker.pid, Signal::STOP));
    signal(parent, Signal::KILL);
    family.assert_gone_within(TWO_SECONDS);
    reaper.end();
    check.finish();
}

#[test]
fn a_parent_killed_during_a_handshake_leaves_nobody() {
    let _watchdog = Watchdog::new(Duration::from_secs(60));
    let check = LeakCheck::start();
    let folder = tempfile::tempdir().expect("temporary folder");
    for _ in 0..10 {
        let parent = Parent::start(folder.path(), "hang", folder.path());
        let mut family = ProcessTree::descendants_of(parent.process.id());
        while family.is_empty() {
            family = ProcessTree::descendants_of(parent.process.id());
        }
        parent.kill();
        family.assert_gone_within(TWO_SECONDS);
    }
    check.finish();
}

#[test]
fn an_orderly_parent_leaves_no_files() {
    let _watchdog = Watchdog::new(Duration::from_secs(60));
    let check = LeakCheck::start();
    let (spool, tmpdir) = (tempfile::tempdir().expect("folder"), tempfile::tempdir().expect("folder"));
    let parent = Parent::start(spool.path(), "raise 11", tmpdir.path());
    for _ in 0..2 {
        let line = parent.line();
        assert!(line.contains("killed by SIGSEGV"), "{line}");
    }
    parent.end();
    for folder in [spool.path(), tmpdir.path()] {
        assert_eq!(folder.read_dir().expect("read").count(), 0, "{}", folder.display());
    }
    check.finish();
}

#[test]
fn a_bad_folder_for_temporary_files_is_named() {
    let _watchdog = Watchdog::new(Duration::from_secs(60));
    let check = LeakCheck::start();
    let spool = tempfile::tempdir().expect("folder");
    let long = spool.path().join("x".repeat(100));
    std::fs::create_dir(&long).expect("create");
    for tmpdir in [long.as_path(), Path::new("/no/such/folder")] {
        let parent = Parent::start(spool.path(), "hang", tmpdir);
        let (line, name) = (parent.line(), tmpdir.to_str().expect("text"));
        assert!(line.starts_with("no crew: TMPDIR (") && line.contains(name), "{line}");
        parent.end();
    }
    check.finish();
}

#[test]
fn a_person_who_types_the_marker_is_told() {
    let check = LeakCheck::start();
    for arguments in [&["--gristmill-worker"][..], &["--gristmill-worker", "/tmp/x", "1"]] {
        let mut process = Command::new(env!("CARGO_BIN_EXE_pool-fixture"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("start the fixture");
        let mut text = String::new();
        process.stderr.take().expect("standard error").read_to_string(&mut text).expect("read");
        assert_eq!(process.wait().expect("wait").code(), Some(2));
        assert!(text.contains("cannot be one"), "{text}");
    }
    check.finish();
}
