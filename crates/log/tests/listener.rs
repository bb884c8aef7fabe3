//! The listener as a thing that starts, fails in parts, and stops within its bound.
//!
//! Many processes at once are tested in `processes`.

mod support;

use std::fs;
use std::io;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use gristmill_log::{Handler, Level, Listener, ListenerHandle, Memory, Record, RotateOptions, RotatingFile};
use support::{Function, Watchdog, Worker, wait_until};

fn say(handle: &ListenerHandle, message: &str) {
    assert!(handle.submit(Record::new(Level::INFO, "test", message)), "{message}");
}

fn messages(memory: &Memory) -> Vec<String> {
    memory.records().into_iter().map(|record| record.message).collect()
}

#[test]
fn a_sleeping_listener_is_woken_by_a_record() {
    let _watchdog = Watchdog::new();
    let memory = Memory::new();
    let listener = Listener::builder().name("parent").handler(memory.clone()).start().expect("listener");
    for n in 1..=50 {
        say(&listener.handle(), "hello");
        wait_until("delivery", || memory.records().len() == n);
        // Long enough for the listener to fall asleep now and then; the test is right without it, too.
        std::thread::park_timeout(Duration::from_millis(n as u64 % 4));
    }
    assert!(memory.records().iter().all(|record| record.process == "parent"));
    assert!(listener.stop(Duration::from_secs(1)).is_complete());
}

#[test]
fn a_stop_ends_within_its_bound_when_a_handler_hangs() {
    let _watchdog = Watchdog::new();
    let (release, hang) = mpsc::channel::<()>();
    let hanging = Function(move |_: &Record| {
        // Ends when the test drops its side.
        let _ended = hang.recv();
        Ok(())
    });
    let listener = Listener::builder().handler(hanging).start().expect("listener");
    (0..10).for_each(|_| say(&listener.handle(), "never delivered"));
    let begin = Instant::now();
    let report = listener.stop(Duration::from_millis(200));
    assert!(begin.elapsed() < Duration::from_secs(2));
    assert!(!report.finished && !report.is_complete());
    assert!(report.left >= 9, "{report}");
    drop(release);
}

#[test]
fn a_stop_says_what_a_slow_handler_left() {
    let _watchdog = Watchdog::new();
    let (_never, pause) = mpsc::channel::<()>();
    let slow = Function(move |_: &Record| {
        assert!(pause.recv_timeout(Duration::from_millis(20)).is_err());
        Ok(())
    });
    let listener = Listener::builder().handler(slow).start().expect("listener");
    (0..500).for_each(|_| say(&listener.handle(), "slow"));
    let report = listener.stop(Duration::from_millis(200));
    assert!(report.finished, "{report}");
    assert!(report.left > 0 && report.delivered > 0, "{report}");
    assert_eq!(report.left + report.delivered, 500);
}

#[test]
fn a_flooding_worker_does_not_hold_up_the_stop() {
    let _watchdog = Watchdog::new();
    let memory = Memory::new();
    let listener = Listener::builder().handler(memory.clone()).start().expect("listener");
    let mut worker = Worker::start(&listener.handle(), "Flood", "info", &["flood"]);
    wait_until("a flood", || memory.records().len() > 100);
    let begin = Instant::now();
    let report = listener.stop(Duration::from_secs(10));
    assert!(report.finished && begin.elapsed() < Duration::from_secs(5), "{report}");
    assert_eq!(report.left, 0);
    worker.join();
}

#[test]
fn a_failure_is_reported_once_and_logging_goes_on() {
    let _watchdog = Watchdog::new();
    let memory = Memory::new();
    let mut calls = 0;
    let failing = Function(move |_: &Record| {
        calls += 1;
        match calls {
            1..=3 => Err(io::Error::other("no space left")),
            4 => panic!("out of luck"),
            _ => Ok(()),
        }
    });
    let listener = Listener::builder().handler(failing).handler(memory.clone()).start().expect("listener");
    (1..=6).for_each(|n| say(&listener.handle(), &format!("m{n}")));
    let report = listener.stop(Duration::from_secs(2));
    let expected = [
        "m1",
        "function failed: no space left",
        "m2",
        "m3",
        "m4",
        "function failed: it panicked: out of luck",
        "m5",
        "m6",
    ];
    assert_eq!(messages(&memory), expected);
    assert_eq!(report.handlers.len(), 1);
    assert_eq!((report.handlers[0].count, report.handlers[0].first.as_str()), (4, "no space left"));
    assert!(!report.is_complete());
}

#[test]
fn every_handler_has_a_level_and_a_filter_of_its_own() {
    let _watchdog = Watchdog::new();
    let (all, errors, few, of_one) = (Memory::new(), Memory::new(), Memory::new(), Memory::new());
    let listener = Listener::builder()
        .handler(all.clone())
        .handler(errors.clone().level(gristmill_log::LevelFilter::ERROR))
        .handler(few.clone().directives("warn,chatty=off").expect("directives"))
        .handler(of_one.clone().only(|record| record.process == "Worker-1"))
        .start()
        .expect("listener");
    let handle = listener.handle();
    let producer = handle.endpoint("Worker-1", "off").expect("endpoint").attach().expect("attach");
    for level in [Level::ERROR, Level::WARN, Level::INFO] {
        assert!(handle.submit(Record::new(level, "here", level.as_str())));
        assert!(handle.submit(Record::new(level, "chatty", "chat")));
    }
    assert!(producer.submit(&Record::new(Level::TRACE, "here", "its own records are not filtered")));
    drop(producer);
    assert!(listener.stop(Duration::from_secs(5)).is_complete());
    assert_eq!(all.records().len(), 7);
    assert_eq!(messages(&errors), ["ERROR", "chat"]);
    assert_eq!(messages(&few), ["ERROR", "WARN"]);
    assert_eq!(messages(&of_one), ["its own records are not filtered"]);
}

/// A listener that is dropped has delivered; another one may come after it, or beside it.
#[test]
fn listeners_come_and_go() {
    let _watchdog = Watchdog::new();
    let memories = [Memory::new(), Memory::new(), Memory::new()];
    let start = |memory: &Memory| Listener::builder().handler(memory.clone()).start().expect("listener");
    let (one, two) = (start(&memories[0]), start(&memories[1]));
    (0..100).for_each(|_| say(&one.handle(), "one"));
    say(&two.handle(), "two");
    let late = one.handle();
    drop(one);
    assert_eq!(memories[0].records().len(), 100);
    assert!(!late.submit(Record::new(Level::INFO, "t", "late")), "nobody takes it any more");
    assert!(!late.sync(Duration::from_secs(30)) && !late.reopen(Duration::from_secs(30)));
    say(&start(&memories[2]).handle(), "three");
    assert!(two.stop(Duration::from_secs(5)).is_complete());
    assert_eq!((messages(&memories[1]), messages(&memories[2])), (vec!["two".into()], vec!["three".into()]));
}

#[test]
fn a_full_disk_does_not_stop_logging() {
    let _watchdog = Watchdog::new();
    let memory = Memory::new();
    let full = RotatingFile::open("/dev/full", RotateOptions::default()).expect("device");
    let listener = Listener::builder().handler(full).handler(memory.clone()).start().expect("listener");
    say(&listener.handle(), "before");
    wait_until("the failure", || memory.records().len() == 2);
    say(&listener.handle(), "after");
    let report = listener.stop(Duration::from_secs(2));
    let messages = messages(&memory);
    assert!(
        messages[1].starts_with("log file /dev/full failed: cannot write /dev/full: No space"),
        "{messages:?}"
    );
    assert_eq!(messages.len(), 4, "{messages:?}");
    assert!(messages[3].contains("2 records are lost: cannot write /dev/full"), "{messages:?}");
    assert_eq!(report.handlers[0].handler, "log file /dev/full");
}

#[test]
fn a_vanished_folder_does_not_stop_logging() {
    let _watchdog = Watchdog::new();
    let memory = Memory::new();
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("gone.log");
    let file = RotatingFile::open(path, RotateOptions { max_bytes: 200, backups: 1 }).expect("log file");
    let listener = Listener::builder().handler(file).handler(memory.clone()).start().expect("listener");
    say(&listener.handle(), "before");
    wait_until("the first record", || memory.records().len() == 1);
    fs::remove_dir_all(folder.path()).expect("removal");
    (0..10).for_each(|_| say(&listener.handle(), "after"));
    let report = listener.stop(Duration::from_secs(2));
    let records = memory.records();
    assert_eq!(records.iter().filter(|record| record.message == "after").count(), 10);
    let told: Vec<_> = records.iter().filter(|record| record.level == Level::ERROR).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].message.contains("cannot open "), "{}", told[0].message);
    assert!(told[1].message.contains(" records are lost: cannot open "), "{}", told[1].message);
    assert!(report.finished);
}

#[test]
fn an_endpoint_is_good_for_one_process() {
    let _watchdog = Watchdog::new();
    let memory = Memory::new();
    let listener = Listener::builder().handler(memory.clone()).start().expect("listener");
    let handle = listener.handle();
    let error = handle.endpoint("Worker-1", "no=such=level").expect_err("directives");
    assert_eq!(error.to_string(), "log level directives `no=such=level` are invalid");
    let producer = handle.endpoint("Worker-1", "info").expect("endpoint").attach().expect("attach");
    assert!(producer.submit(&Record::new(Level::INFO, "t", "x".repeat(1 << 20))));
    drop(producer);
    wait_until("delivery", || memory.records().len() == 1);
    assert!(memory.records()[0].message.ends_with(" … [truncated from 1048576 bytes]"));
    assert!(listener.stop(Duration::from_secs(2)).is_complete());
    assert_eq!(
        handle.endpoint("late", "info").expect_err("stopped").to_string(),
        "the log listener has stopped"
    );
    assert!(!handle.submit(Record::new(Level::INFO, "t", "late")));
}

#[test]
fn files_are_opened_anew_when_asked_for() {
    let _watchdog = Watchdog::new();
    let folder = tempfile::tempdir().expect("folder");
    let (path, moved) = (folder.path().join("a.log"), folder.path().join("moved.log"));
    let file = RotatingFile::builder(&path).open().expect("log file");
    let listener = Listener::builder().handler(file).start().expect("listener");
    say(&listener.handle(), "one");
    assert!(listener.handle().sync(Duration::from_secs(30)));
    fs::rename(&path, &moved).expect("rename");
    say(&listener.handle(), "two");
    assert!(listener.handle().reopen(Duration::from_secs(30)));
    say(&listener.handle(), "three");
    assert!(listener.stop(Duration::from_secs(5)).is_complete());
    assert_eq!(support::text(&moved).lines().count(), 2);
    assert!(support::text(&path).ends_with("test: three\n"));
}

#[test]
fn a_hangup_opens_files_anew() {
    let _watchdog = Watchdog::new();
    let folder = tempfile::tempdir().expect("folder");
    let (path, moved) = (folder.path().join("a.log"), folder.path().join("moved.log"));
    let file = RotatingFile::builder(&path).open().expect("log file");
    let listener = Listener::builder().handler(file).start().expect("listener");
    let guard = gristmill_log::reopen_on_hangup(listener.handle()).expect("signal");
    fs::rename(&path, &moved).expect("rename");
    signal_hook::low_level::raise(signal_hook::consts::SIGHUP).expect("raise");
    wait_until("a new file", || path.exists());
    drop(guard);
    assert!(listener.stop(Duration::from_secs(5)).is_complete());
}

#[test]
fn what_a_stalled_disk_keeps_is_written_later() {
    let _watchdog = Watchdog::new();
    let memory = Memory::new();
    let folder = tempfile::tempdir().expect("folder");
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).expect("folder");
    let path = inner.join("a.log");
    let file = RotatingFile::builder(&path).open().expect("log file");
    let listener = Listener::builder().handler(file).handler(memory.clone()).start().expect("listener");
    fs::remove_dir_all(&inner).expect("removal");
    (0..10).for_each(|n| say(&listener.handle(), &format!("m{n}")));
    wait_until("a report", || memory.records().iter().any(|record| record.level == Level::ERROR));
    fs::create_dir(&inner).expect("folder");
    say(&listener.handle(), "m10");
    let report = listener.stop(Duration::from_secs(5));
    assert!(report.finished && !report.is_complete(), "{report}");
    let text = support::text(&path);
    let messages: Vec<_> = text.lines().map(|line| line.rsplit(' ').next().unwrap_or_default()).collect();
    assert!(messages.iter().copied().eq((0..=10).map(|n| format!("m{n}"))), "{messages:?}");
}
