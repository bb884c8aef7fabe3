//! The examples, run as their readers would run them: what they print, and how they end.
//!
//! They are built with this test unless it is asked for by name; then `cargo build --examples` comes first.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use gristmill_testkit::command::{Finished, Running, Signal, TestCommand};
use gristmill_testkit::leaks::LeakCheck;
use gristmill_testkit::watchdog::Watchdog;

const LIMIT: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(30);

/// The example's program, beside the folder of this one.
fn program(name: &str) -> PathBuf {
    let here = std::env::current_exe().expect("a running program has a path");
    let folder = here.parent().and_then(|deps| deps.parent()).expect("tests are built into a folder");
    let path = folder.join("examples").join(name);
    assert!(path.exists(), "{} is missing: cargo build -p gristmill-pool --examples", path.display());
    path
}

fn run(name: &str) -> (Finished, Vec<String>) {
    let _watchdog = Watchdog::new(2 * LIMIT);
    let check = LeakCheck::start();
    let finished = TestCommand::new(program(name)).limit(LIMIT).run();
    check.finish();
    let lines = finished.stdout_text().lines().map(str::to_owned).collect();
    (finished.assert_code(0), lines)
}

#[test]
fn consumers() {
    let (finished, lines) = run("consumers");
    let mut results: Vec<_> = lines.iter().filter_map(|line| line.split_once(": ")).collect();
    assert!(results.iter().all(|(name, _)| name.starts_with("Worker-")), "{finished}");
    results.sort_by_key(|(_, result)| result.len());
    let mut products: Vec<_> = results.into_iter().map(|(_, result)| result.to_owned()).collect();
    products.sort_unstable();
    assert_eq!(products, (0..10).map(|n| format!("{n} * {n} = {}", n * n)).collect::<Vec<_>>());
    let ended = lines.iter().filter(|line| line.contains(", stopped> after")).count();
    assert!(lines[0].starts_with(&format!("starting {ended} consumers")), "{finished}");
}

#[test]
fn exit_statuses() {
    let (finished, lines) = run("exit_statuses");
    let expected = [
        "<exit_error, stopped[3]>: exit code Some(3)",
        "<exit_ok, stopped>: exit code Some(0)",
        "<return_value, stopped>: exit code Some(0)",
        "    it returned 1",
        "<return_error, stopped[1]>: exit code Some(1)",
        "<panics, stopped[101]>: exit code Some(101)",
        "<panics, initial>",
    ];
    for line in expected {
        assert!(lines.iter().any(|printed| printed == line), "no line {line:?}: {finished}");
    }
    let text = lines.join("\n");
    assert!(text.contains("`return_error` in return_error failed: there was an error (crates/"), "{text}");
    assert!(text.contains("panicked: there was a panic (crates/"), "{text}");
    // It may be called off before its process is there.
    let terminated = ["<terminated, stopped[SIGTERM]>", "<terminated, stopped[not started]>"];
    assert!(terminated.iter().any(|line| text.contains(line)), "{text}");
}

#[test]
fn event() {
    let (_, lines) = run("event");
    let mut waiting = lines[..2].to_vec();
    waiting.sort_unstable();
    assert_eq!(waiting, ["block waits", "non-block waits"]);
    let rest = [
        "non-block found the event set: false",
        "the main process sets the event",
        "block found the event set: true",
    ];
    assert_eq!(lines[2..], rest);
}

#[test]
fn lock() {
    let (_, lines) = run("lock");
    assert_eq!(lines[0], "<victim, stopped[SIGABRT]>");
    assert!(lines[1].starts_with("Worker-2 was told: victim killed by SIGABRT"), "{lines:?}");
    let rest = [
        "Worker-3 found nothing unusual",
        "Worker-4 found nothing unusual",
        "victim will not finish",
        "Worker-2 was here",
        "Worker-3 was here",
        "Worker-4 was here",
    ];
    assert_eq!(lines[2..], rest);
}

#[test]
fn condition() {
    let (_, mut lines) = run("condition");
    assert_eq!(lines[2], "stage_1 is done");
    lines[..2].sort_unstable();
    lines[3..].sort_unstable();
    assert_eq!(lines[..2], ["stage_2[1] waits", "stage_2[2] waits"]);
    assert_eq!(lines[3..], ["stage_2[1] runs", "stage_2[2] runs"]);
}

#[test]
fn semaphore() {
    let (finished, lines) = run("semaphore");
    assert_eq!((lines.len(), lines[10].as_str()), (11, "now running: []"));
    for line in &lines[..10] {
        assert!((1..=3).contains(&(line.matches('"').count() / 2)), "{finished}");
    }
}

#[test]
fn manager() {
    let (_, lines) = run("manager");
    let expected = [
        "squares: [(0, 0), (1, 1), (2, 4), (3, 9), (4, 16)]",
        "calls: Some(100)",
        r#"greetings: ["hello Ada", "hello Grace"]"#,
        "value: this is the value; numbers: [1, 2, 3, 5]",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn pool_map() {
    let (finished, lines) = run("pool_map");
    assert_eq!(lines[0], "input:    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]");
    assert_eq!(lines[1], "built-in: [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]");
    assert_eq!(lines[2], "pool:     [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]");
    assert!(lines[3].contains("PoolWorker-"), "{finished}");
    assert!(finished.stderr_text().contains("PoolWorker-1: "), "{finished}");
}

#[test]
fn child_error() {
    let (finished, lines) = run("child_error");
    let raised = "`export users` of item 1 in PoolWorker-2 failed: cannot export user 2: No such file";
    let other = raised.replace("PoolWorker-2", "PoolWorker-1");
    assert!(lines[0].contains(raised) || lines[0].contains(&other), "{finished}");
    assert!(lines[1].contains("2 parts: cannot export user 2 <- No such file or directory"), "{finished}");
    assert_eq!(lines[2..4], ["    the place is known: true", "    the backtrace names the function: true"]);
    assert!(lines[4].contains("raised by a process: `export users` in bad failed:"), "{finished}");
    assert_eq!(lines[5], "<good, stopped[SIGTERM]> <bad, stopped[1]>");
}

/// The monitor, with its reports in a folder of its own.
fn monitor() -> (tempfile::TempDir, PathBuf, Running) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("reports");
    let running = TestCommand::new(program("hvac")).arg(&file).arg("10").limit(LIMIT).spawn();
    (folder, file, running)
}

fn port(running: &mut Running) -> u16 {
    let line = running.wait_for_stdout("listening on port", SOON);
    line.rsplit(' ').next().and_then(|port| port.parse().ok()).expect("a port")
}

#[test]
fn hvac_obeys_commands_and_reports_what_it_does_not_know() {
    let _watchdog = Watchdog::new(2 * LIMIT);
    let check = LeakCheck::start();
    let (folder, file, mut running) = monitor();
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, port(&mut running))).expect("connect");
    client.write_all(b"DEFROST\n").expect("write");
    running.wait_for_stderr("unknown event from LISTEN: Command(\"DEFROST\")", SOON);
    running.wait_for_stderr("OBSERVATION: Observation", SOON);
    client.write_all(b"STOP\n").expect("write");
    drop(client);
    let finished = running.wait().assert_code(0);
    let (out, log) = (finished.stdout_text(), finished.stderr_text());
    for name in ["SEND", "LISTEN", "STATUS", "OBSERVATION"] {
        assert!(out.contains(&format!("{name} ended with exit code 0\n")), "{finished}");
        assert!(log.contains(&format!("{name} stopped in good order")), "{finished}");
    }
    assert!(out.contains("1 events unhandled, 0 items and 0 events left"), "{finished}");
    assert!(log.contains("the sensor is switched off after"), "{finished}");
    let reports = std::fs::read_to_string(&file).expect("reports");
    assert!(reports.contains("OBSERVATION observation 20.25\n"), "{reports}");
    assert!(out.contains(&format!("{} reports sent", reports.lines().count())), "{finished}\n{reports}");
    drop(folder);
    check.finish();
}

#[test]
fn hvac_ends_in_good_order_on_a_signal() {
    let _watchdog = Watchdog::new(2 * LIMIT);
    let check = LeakCheck::start();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let (_folder, _, mut running) = monitor();
        running.wait_for_stderr("OBSERVATION ready", SOON);
        running.signal(signal);
        let finished = running.wait().assert_code(code);
        assert!(finished.stdout_text().contains("OBSERVATION ended with exit code 0\n"), "{finished}");
    }
    check.finish();
}
