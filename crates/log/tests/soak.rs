//! Many processes, some of them killed at random, through a file that rotates by size and by time and is compressed:
//! every record that was accepted is in a file exactly once, or inside a reported gap.
//!
//! Run with `-- --ignored` for fifty processes; the default is small.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use gristmill_log::{
    Format, Invitation, Level, Listener, Memory, Offer, RotatingFile, RotatingFileBuilder, Schedule, When,
};
use support::{Ticking, Watchdog, Worker, text};

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(600);

/// What one process left in the log.
#[derive(Debug, Default)]
struct Log {
    numbers: BTreeSet<u64>,
    /// Records that are reported as missing.
    missing: u64,
}

fn file(path: &Path, tick: Duration) -> RotatingFileBuilder {
    let schedule = Schedule::new(When::Second).every(2).utc();
    RotatingFile::builder(path).schedule(schedule).clock(Ticking::new(tick))
}

/// Reads everything back; no record may be there twice or torn.
fn read(files: &[std::path::PathBuf]) -> BTreeMap<String, Log> {
    let mut logs = BTreeMap::<String, Log>::new();
    for path in files {
        for line in text(path).lines() {
            let record: serde_json::Value = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{}: {error}: {line}", path.display()));
            let log = logs.entry(record["process"].as_str().expect("a process").to_owned()).or_default();
            let message = record["message"].as_str().expect("a message");
            match record["sequence"].as_u64().expect("a number") {
                0 => {
                    log.missing +=
                        message.split(' ').next().and_then(|n| n.parse::<u64>().ok()).expect("a gap")
                }
                number => assert!(log.numbers.insert(number), "twice: {line}"),
            }
        }
    }
    logs
}

/// Every number up to the last is there, or inside a gap.
fn check(name: &str, log: &Log, expected: Option<u64>) {
    let last = log.numbers.last().copied().unwrap_or(0);
    let holes = last - log.numbers.len() as u64;
    match expected {
        Some(expected) => assert_eq!(log.numbers.len() as u64 + log.missing, expected, "{name}"),
        None => assert!(log.missing >= holes, "{name}: {holes} are not there, {} are reported", log.missing),
    }
}

fn soak(processes: u64, records: u64, seed: u64, patience: Duration) {
    let _watchdog = Watchdog::new();
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("soak.log");
    let described = file(&path, Duration::from_millis(1)).max_bytes(100_000).gzip(true);
    let handler = described.clone().open().expect("log file").format(Format::Json);
    let memory = Memory::last(1000).level(gristmill_log::LevelFilter::ERROR);
    let listener = Listener::builder()
        .ring_bytes(8 << 10)
        .patience(patience)
        .handler(handler)
        .handler(memory.clone())
        .start()
        .expect("listener");
    let handle = listener.handle();
    let count = records.to_string();
    let mut random = seed;
    let mut victims = Vec::new();
    let mut workers = Vec::new();
    for n in 0..processes {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let victim = (random >> 40).is_multiple_of(3);
        let kind = if victim { "count-then-hang" } else { "count" };
        let name = format!("Worker-{n}");
        let worker = Worker::start(&handle, &name, "info", &[kind, &count]);
        if victim { victims.push((name, worker, (random >> 32) % 50)) } else { workers.push((name, worker)) }
    }
    for (_, worker, delay) in &mut victims {
        std::thread::park_timeout(Duration::from_millis(*delay));
        worker.kill();
    }
    workers.iter_mut().for_each(|(_, worker)| worker.join());
    let report = listener.stop(Duration::from_secs(60));
    assert!(report.finished && report.left == 0 && report.damaged == 0, "seed {seed}: {report}");
    assert!(report.handlers.is_empty(), "seed {seed}: {report}");
    assert!(memory.records().iter().all(|record| record.level > Level::ERROR));

    let files = described.open().expect("log file").files().expect("files");
    // Without patience most records are dropped.
    let fewest = if patience.is_zero() { 1 } else { 3 };
    assert!(
        files.len() > fewest
            && files.iter().filter(|path| path.extension().is_some_and(|end| end == "gz")).count()
                == files.len() - 1
    );
    let logs = read(&files);
    println!("seed {seed}: {} files, {report}, {} killed", files.len(), victims.len());
    for (name, _) in &workers {
        check(name, &logs[name], Some(records));
    }
    for (name, ..) in &victims {
        check(name, logs.get(name).unwrap_or(&Log::default()), None);
    }
    let written: u64 = logs.values().map(|log| log.numbers.len() as u64).sum();
    assert_eq!(written, report.delivered, "seed {seed}");
}

#[test]
fn every_accepted_record_is_in_a_file_once() {
    soak(10, 2_000, 7, LONG);
}

#[test]
fn what_finds_no_room_is_inside_a_reported_gap() {
    soak(10, 2_000, 3, Duration::ZERO);
}

#[test]
#[ignore = "it takes a minute"]
fn fifty_processes() {
    soak(50, 20_000, 11, LONG);
}

/// What was written stays, whatever the listener was at when it was killed; only its last line may be torn.
#[test]
fn a_listener_that_is_killed_loses_no_file() {
    const ROUNDS: u64 = 10;
    let _watchdog = Watchdog::new();
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("killed.log");
    for round in 0..ROUNDS {
        let invitation = Invitation::new().expect("invitation");
        let rotated = [invitation.address(), "listen", path.to_str().expect("UTF-8"), "rotated"];
        let mut process = Worker::spawn(&rotated);
        let listener = invitation.accept(Duration::from_secs(60)).expect("listener");
        let workers: Vec<_> = (0..3)
            .map(|n| {
                let endpoint = listener.endpoint(&format!("Worker-{round}-{n}"), "info").expect("endpoint");
                let offer = Offer::new(endpoint).expect("offer");
                let worker = Worker::spawn(&[offer.address(), "count-then-hang", "1"]);
                offer.deliver(Duration::from_secs(60)).expect("delivery");
                worker
            })
            .collect();
        std::thread::park_timeout(Duration::from_millis(30 + 17 * round));
        process.kill();
        drop(workers);
    }
    let schedule = Schedule::new(When::Second).utc();
    let described = RotatingFile::builder(&path).max_bytes(50_000).schedule(schedule).gzip(true);
    let files = described.open().expect("log file").files().expect("files");
    let lines = files.iter().flat_map(|path| text(path).lines().map(str::to_owned).collect::<Vec<_>>());
    let (whole, torn): (Vec<_>, Vec<_>) =
        lines.partition(|line| serde_json::from_str::<serde_json::Value>(line).is_ok());
    assert!(torn.len() as u64 <= ROUNDS, "{torn:#?}");
    let mut logs = BTreeMap::<String, Vec<u64>>::new();
    for line in whole {
        let record: serde_json::Value = serde_json::from_str(&line).expect("it was read before");
        let process = record["process"].as_str().expect("a process").to_owned();
        logs.entry(process).or_default().extend(record["sequence"].as_u64());
    }
    println!("{} files, {} processes, {} torn lines", files.len(), logs.len(), torn.len());
    for (process, numbers) in &logs {
        assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "{process}: {numbers:?}");
    }
    assert!(files.len() as u64 > ROUNDS && logs.len() as u64 > ROUNDS);
}

/// The case that loses lines where each process rotates the file by itself.
#[test]
fn ten_processes_and_two_second_rotation_lose_no_line() {
    const RECORDS: u64 = 1000;
    let _watchdog = Watchdog::new();
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("timed.log");
    let described = file(&path, Duration::from_millis(5));
    let handler = described.clone().open().expect("log file").format(Format::Json);
    let listener = Listener::builder().handler(handler).start().expect("listener");
    let count = RECORDS.to_string();
    let mut workers: Vec<_> = (0..10)
        .map(|n| Worker::start(&listener.handle(), &format!("Worker-{n}"), "info", &["count", &count]))
        .collect();
    workers.iter_mut().for_each(Worker::join);
    let report = listener.stop(Duration::from_secs(60));
    assert!(report.is_complete(), "{report}");
    let files = described.open().expect("log file").files().expect("files");
    // 10,000 records at 5 ms each, asked twice for each rotation, are about 25 times two seconds.
    assert!((20..=30).contains(&files.len()), "{} files", files.len());
    let logs = read(&files);
    assert_eq!(logs.len(), 10);
    for (name, log) in &logs {
        assert!(
            log.missing == 0 && log.numbers.iter().copied().eq(1..=RECORDS),
            "{name}: {}",
            log.numbers.len()
        );
    }
}
