//! Many processes, one listener: nothing is lost, torn or doubled, whoever is killed.
//!
//! Handlers and formats have tests of their own.

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use gristmill_log::{Format, Level, Listener, Memory, Offer, RotateOptions, RotatingFile};
use support::{Watchdog, Worker, files, lines};

const RECORDS: u64 = 10_000;

/// The numbers that each process logged, in the order in which they stand in the files.
fn numbers(lines: &[String]) -> BTreeMap<String, Vec<u64>> {
    let mut numbers = BTreeMap::<_, Vec<_>>::new();
    for line in lines {
        let value: serde_json::Value = serde_json::from_str(line).expect("a whole record");
        let message = value["message"].as_str().expect("a message");
        let number = message
            .strip_prefix("record ")
            .and_then(|rest| rest.strip_suffix(" of this process, long enough to be torn if anything tears"))
            .unwrap_or_else(|| panic!("a whole message: {message}"));
        let process = value["process"].as_str().expect("a process").to_owned();
        numbers.entry(process).or_default().push(number.parse().expect("a number"));
    }
    numbers
}

#[test]
fn ten_processes_log_through_one_rotating_file() {
    let _watchdog = Watchdog::new();
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("all.log");
    let options = RotateOptions { max_bytes: 1 << 20, backups: 1000 };
    let file = RotatingFile::open(&path, options).expect("log file").format(Format::Json);
    let listener = Listener::builder().handler(file).start().expect("listener");
    let handle = listener.handle();
    let count = RECORDS.to_string();
    let mut workers: Vec<_> =
        (1..10).map(|n| Worker::start(&handle, &format!("Worker-{n}"), "info", &["count", &count])).collect();
    let mut killed = Worker::start(&handle, "Killed", "info", &["count-then-hang", "5000"]);
    let queued: u64 = killed.line().parse().expect("a number");
    killed.kill();
    workers.iter_mut().for_each(Worker::join);
    let report = listener.stop(Duration::from_secs(20));
    assert!(report.is_complete(), "{report}");

    let lines = lines(&path);
    assert_eq!(lines.len() as u64, report.delivered);
    let mut numbers = numbers(&lines);
    let killed = numbers.remove("Killed").expect("records of the killed process");
    assert!(killed.len() as u64 >= queued, "{} of {queued} that were queued", killed.len());
    assert!(killed.iter().copied().eq(0..killed.len() as u64), "contiguous and in order");
    assert_eq!(numbers.len(), 9);
    for (process, numbers) in numbers {
        assert!(numbers.iter().copied().eq(0..RECORDS), "{process}: {} records", numbers.len());
    }
    let files = files(&path);
    assert!(files.len() > 10, "rotation took place");
    for file in files {
        assert!(file.metadata().expect("log file").len() <= options.max_bytes, "{}", file.display());
    }
}

#[test]
fn a_worker_sends_every_kind_of_record() {
    let _watchdog = Watchdog::new();
    let memory = Memory::new();
    let listener = Listener::builder().handler(memory.clone()).start().expect("listener");
    Worker::start(&listener.handle(), "Worker-1", "info,chatty=debug", &["kinds"]).join();
    let report = listener.stop(Duration::from_secs(5));
    assert!(report.is_complete(), "{report}");
    let records = memory.records();
    let messages: Vec<_> = records.iter().map(|record| record.message.as_str()).collect();
    let expected = [
        "an event count=3",
        "let through by its target",
        "a record of the log crate",
        "failed error=cannot open the input: no such disk",
        "first line\nsecond line",
        "inside\nbacktrace:\n0: main\n1: start",
        "a record inside",
        "a record of a value",
        "the last one",
    ];
    assert_eq!(messages, expected);
    assert!(records.iter().all(|record| record.process == "Worker-1" && record.pid != std::process::id()));
    assert!(records.iter().map(|record| record.sequence).eq(1..=9));
    assert_eq!(records[2].target, "old_crate");
    assert_eq!(records[2].level, Level::WARN);
    assert_eq!(records[1].task, None);
    assert_eq!(records[3].job.as_deref(), Some("wordcount"));
    assert_eq!(records[3].task.as_deref(), Some("map-3"));
    assert_eq!(records[3].attempt, Some(2));
    assert_eq!(records[4].spans, None);
    assert_eq!(records[5].spans.as_deref(), Some("request{id=7}:query{table=words}"));
    assert_eq!(records[6].spans, records[5].spans);
    assert_eq!(records[8].spans.as_deref(), Some("request{id=7}:query{table=words note=chatty}"));
    assert_eq!(records[0].thread.as_deref(), Some("main"));
    assert!(records[0].file.as_deref().is_some_and(|file| file.ends_with("worker.rs")));
}

#[test]
fn signals_do_not_keep_an_endpoint_from_its_process() {
    let _watchdog = Watchdog::new();
    let memory = Memory::new();
    let listener = Listener::builder().handler(memory.clone()).start().expect("listener");
    let offer = Offer::new(listener.handle().endpoint("Worker-1", "info").expect("endpoint")).expect("offer");
    let mut worker = Worker::spawn(&[offer.address(), "count", "1"]);
    let pid = rustix::process::Pid::from_child(&worker.child);
    let catches = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:\t")).expect("signals");
        u64::from_str_radix(caught, 16).expect("a mask") & 1 << (signal_hook::consts::SIGUSR2 - 1) != 0
    };
    support::wait_until("a handler", catches);
    for _ in 0..30 {
        rustix::process::kill_process(pid, rustix::process::Signal::USR2).expect("signal");
        std::thread::park_timeout(Duration::from_millis(3));
    }
    offer.deliver(Duration::from_secs(30)).expect("delivery");
    worker.join();
    assert!(listener.stop(Duration::from_secs(5)).is_complete());
    assert_eq!(memory.records().len(), 1);
}

#[test]
fn a_full_queue_blocks_then_drops_and_the_gap_is_reported() {
    let _watchdog = Watchdog::new();
    let memory = Memory::new();
    // The handler stands still until the test says so, as a stalled disk would.
    let (go, stalled) = std::sync::mpsc::channel::<()>();
    let stall = support::Function(move |_: &_| {
        // It ends when the sender is dropped.
        let _ended = stalled.recv();
        Ok(())
    });
    let listener = Listener::builder()
        .ring_bytes(8 << 10)
        .patience(Duration::from_millis(50))
        .handler(stall)
        .handler(memory.clone())
        .start()
        .expect("listener");
    let handle = listener.handle();
    let mut worker = Worker::start(&handle, "Worker-1", "info", &["flood"]);
    let endpoint = handle.endpoint("Main", "info").expect("endpoint").attach().expect("attach");
    let record = gristmill_log::Record::new(Level::INFO, "t", "m");
    support::wait_until("a full queue", || !endpoint.submit(&record));
    let begin = Instant::now();
    assert!((0..1000).all(|_| !endpoint.submit(&record)));
    assert!(begin.elapsed() < Duration::from_secs(5), "the patience is spent once, not for every record");
    drop(worker.stdin.take());
    let line = worker.line();
    worker.join();
    drop(go);
    let (taken, refused) = line.split_once(' ').expect("two numbers");
    let (taken, refused): (u64, u64) = (taken.parse().expect("number"), refused.parse().expect("number"));
    drop(endpoint);
    let report = listener.stop(Duration::from_secs(5));

    assert_eq!((report.left, report.damaged), (0, 0), "{report}");
    assert!(refused > 0 && report.dropped > refused, "{report}");
    let of_worker: Vec<_> =
        memory.records().into_iter().filter(|record| record.process == "Worker-1").collect();
    let (gaps, records): (Vec<_>, Vec<_>) = of_worker.iter().partition(|record| record.sequence == 0);
    assert_eq!(records.len() as u64, taken);
    let missing: u64 = gaps.iter().map(|gap| number_before(&gap.message)).sum();
    assert_eq!(missing, refused, "every record is in the log or in a reported gap");
}

#[test]
fn one_line_logs_to_standard_error() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_log-fixture"));
    let output = command.args(["info", "stderr"]).output().expect("fixture");
    let text = String::from_utf8(output.stderr).expect("text");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[0].contains("s  INFO main[") && lines[0].ends_with("log_fixture: let through"), "{text}");
    assert!(lines[1].contains("s  WARN main[") && lines[1].ends_with(": of the log crate"), "{text}");
}

/// Run with `--release --ignored --nocapture`: how long an event takes depends on the machine.
#[test]
#[ignore = "it measures"]
fn an_event_takes_about_a_microsecond() {
    let _watchdog = Watchdog::new();
    let folder = tempfile::tempdir().expect("folder");
    let file = RotatingFile::open(folder.path().join("a.log"), RotateOptions::default()).expect("log file");
    let listener = Listener::builder().handler(file).start().expect("listener");
    let mut worker = Worker::start(&listener.handle(), "Worker-1", "info", &["enqueue-time", "100000"]);
    println!("nanoseconds for an event that is let through and one that is not: {}", worker.line());
    worker.join();
    let report = listener.stop(Duration::from_secs(5));
    assert!(report.is_complete(), "{report}");
}

fn number_before(message: &str) -> u64 {
    let (number, rest) = message.split_once(' ').expect("a number");
    assert!(rest.starts_with("records are missing"), "{rest}");
    number.parse().expect("a number")
}
