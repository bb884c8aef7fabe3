//! Many tasks, many values, many files: more than fits into memory, a message or a table of descriptors.
//!
//! Speed is measured by the benchmarks; here only time limits catch what grows faster than it should.

use std::time::Duration;

use gristmill_tests::case::Case;

const JOBS: &str = env!("CARGO_BIN_EXE_jobs");

fn summary(case: &Case, arguments: &[&str]) -> serde_json::Value {
    let command = case.command(JOBS).args(arguments).args(["-o", "out", "--json", "--progress", "never"]);
    let finished = command.limit(Duration::from_secs(120)).run().assert_code(0);
    serde_json::from_slice(&finished.stdout).expect("the summary is JSON")
}

/// Every line is a task: 10,000 orders, answers and counters of committed attempts.
#[test]
fn ten_thousand_tasks_of_one_line() {
    let case = Case::limited(Duration::from_secs(120));
    let lines: String = (0..10_000).map(|n| format!("{:02} {:06}\n", n % 100, n)).collect();
    case.file("in.txt", lines);
    let summary = summary(&case, &["words", "in.txt", "-c", "10", "-w", "2", "-r", "2"]);
    assert_eq!(summary["map_tasks"], 10_000);
    assert_eq!(summary["counters"], serde_json::json!({"lines": 10_000, "words": 20_000}));
    assert_eq!(summary["records"], 10_100);
    let lines = case.lines("out");
    assert_eq!(lines.len(), 10_100);
    assert_eq!(lines.iter().filter(|line| line.ends_with("\t100")).count(), 100);
    case.finish();
}

/// 2,000,000 values of 64 bytes have one key. A list of them would take up 176 MB.
#[test]
fn a_key_with_two_million_values_streams() {
    let case = Case::limited(Duration::from_secs(180));
    case.file("in.txt", "250000\n".repeat(8));
    let summary = summary(&case, &["million", "in.txt", "-c", "7", "-w", "2", "-r", "1", "-m", "24MiB"]);
    assert_eq!(summary["map_tasks"], 8);
    assert_eq!(case.lines("out"), ["one key\t2000000 values, 7 restarts"]);
    let peak = |name: &str| summary["counters"][name].as_u64().expect("a number");
    for (name, mean) in [("reduce", peak("peak KiB in reduce")), ("map", peak("peak KiB in map tasks") / 8)] {
        assert!(mean < 48 << 10, "{name}: the worker took up {} MiB", mean >> 10);
    }
    case.finish();
}

/// 5,000 small files share a few tasks.
#[test]
fn many_small_files_share_tasks() {
    let case = Case::limited(Duration::from_secs(120));
    for n in 0..5000 {
        case.file(format!("in/{:02}/{n:04}.txt", n % 50), format!("same file-{n}\n"));
    }
    let summary = summary(&case, &["words", "in", "-c", "64K", "-w", "2", "-r", "3"]);
    assert_eq!(summary["input_files"], 5000);
    let tasks = summary["map_tasks"].as_u64().expect("a number");
    assert!((1..=4).contains(&tasks), "{tasks} tasks");
    assert_eq!(summary["records"], 5001);
    assert!(case.lines("out").contains(&"same\t5000".to_owned()));
    case.finish();
}

/// More partitions than a process may have open files.
#[test]
fn many_partitions_are_written() {
    let case = Case::limited(Duration::from_secs(120));
    case.file("in.txt", (0..3000).map(|n| format!("w{n}\n")).collect::<String>());
    let summary = summary(&case, &["words", "in.txt", "-c", "8K", "-w", "2", "-r", "1500"]);
    assert_eq!(summary["records"], 3000);
    assert_eq!(case.parts("out").len(), 1500);
    assert_eq!(case.lines("out").len(), 3000);
    case.finish();
}
