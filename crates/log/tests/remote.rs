//! The listener as a process of its own.
//!
//! What it does with records is tested where it runs in a thread.

mod support;

use std::time::Duration;

use gristmill_log::{Invitation, Level, Offer, Record, RemoteError, RemoteListener};
use support::{Watchdog, Worker, text, wait_until};

const LIMIT: Duration = Duration::from_secs(60);

struct Rig {
    folder: tempfile::TempDir,
    process: Worker,
}

impl Rig {
    fn start() -> (Self, RemoteListener) {
        let folder = tempfile::tempdir().expect("folder");
        let invitation = Invitation::new().expect("invitation");
        let path = folder.path().join("a.log");
        let process = Worker::spawn(&[invitation.address(), "listen", path.to_str().expect("UTF-8")]);
        let listener = invitation.accept(LIMIT).expect("the listener's process");
        (Self { folder, process }, listener)
    }

    fn text(&self) -> String {
        text(&self.folder.path().join("a.log"))
    }
}

fn worker(listener: &RemoteListener, name: &str, args: &[&str]) -> Worker {
    let offer = Offer::new(listener.endpoint(name, "info").expect("endpoint")).expect("offer");
    let worker = Worker::spawn(&[&[offer.address()], args].concat());
    offer.deliver(LIMIT).expect("delivery");
    worker
}

#[test]
fn workers_log_through_another_process() {
    let _watchdog = Watchdog::new();
    let (mut rig, listener) = Rig::start();
    let mut workers: Vec<_> =
        (1..=3).map(|n| worker(&listener, &format!("Worker-{n}"), &["count", "1000"])).collect();
    workers.iter_mut().for_each(Worker::join);
    let own = listener.endpoint_for("Main").expect("endpoint").attach().expect("attach");
    assert!(own.submit(&Record::new(Level::INFO, "t", "of the program's own")));
    assert!(listener.sync(LIMIT).expect("an answer"));
    assert!(rig.text().contains("Main["));
    assert!(listener.reopen(LIMIT).expect("an answer"));
    drop(own);
    let report = listener.stop(LIMIT).expect("an answer");
    assert!(report.is_complete() && report.delivered == 3001, "{report}");
    rig.process.join();
    assert_eq!(rig.text().lines().count(), 3001);
}

#[test]
fn it_outlives_the_program_for_those_that_still_log() {
    let _watchdog = Watchdog::new();
    let (mut rig, listener) = Rig::start();
    let mut left = worker(&listener, "Worker-1", &["echo"]);
    drop(listener);
    assert_eq!(left.ask("info main still-here"), "done");
    left.join();
    wait_until("its end", || rig.process.child.try_wait().expect("wait").is_some());
    assert_eq!(rig.process.line(), "1 records delivered, 0 left, 0 dropped, 0 damaged");
    assert!(rig.text().ends_with("still-here\n"));
}

#[test]
fn levels_are_changed_and_nonsense_is_refused_from_afar() {
    let _watchdog = Watchdog::new();
    let (_rig, listener) = Rig::start();
    let mut worker = worker(&listener, "Worker-1", &["echo"]);
    assert_eq!(worker.ask("debug main early"), "done");
    listener.set_levels("debug").expect("levels");
    assert_eq!(worker.ask("debug main late"), "done");
    worker.join();
    let error = listener.set_levels("a=b=c").expect_err("nonsense");
    assert!(matches!(&error, RemoteError::Refused(why) if why.contains("a=b=c")), "{error}");
    assert!(listener.endpoint("x", "a=b=c").is_err());
    assert_eq!(listener.stop(LIMIT).expect("an answer").delivered, 1);
}

#[test]
fn a_killed_listener_is_noticed() {
    let _watchdog = Watchdog::new();
    let (mut rig, listener) = Rig::start();
    rig.process.kill();
    assert!(matches!(listener.endpoint("Worker-1", "info"), Err(RemoteError::Gone)));
}
