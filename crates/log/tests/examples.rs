//! What the examples print.
//!
//! What they show is tested in detail elsewhere.

use std::path::Path;
use std::process::{Command, Output};

fn run(name: &str) -> Output {
    let own = std::env::current_exe().expect("this test");
    let folder = own.ancestors().nth(2).expect("the folder of the build");
    let built = folder.join("examples").join(name);
    if !built.exists() {
        build(name, folder);
    }
    let output = Command::new(built).output().expect("an example");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Cargo builds examples with the tests, but not when targets were chosen.
fn build(name: &str, folder: &Path) {
    let profile = if folder.ends_with("release") { "release" } else { "test" };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "build",
        "--quiet",
        "--package",
        env!("CARGO_PKG_NAME"),
        "--example",
        name,
        "--profile",
        profile,
    ]);
    cargo.arg("--target-dir").arg(folder.parent().expect("the target folder"));
    assert!(cargo.status().expect("cargo").success(), "{cargo:?}");
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

#[test]
fn ten_workers() {
    let output = run("ten_workers");
    let lines: Vec<_> = text(&output.stdout).lines().collect();
    assert_eq!(text(&output.stderr), "");
    let [files @ .., sum, report] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!(*sum, "1000 lines of 10 workers");
    assert_eq!(*report, "1000 records delivered, 0 left, 0 dropped, 0 damaged");
    assert!(files.len() > 3, "it rotates: {files:?}");
    assert!(files[0].starts_with(&format!("workers.log.{}: ", files.len() - 1)), "{files:?}");
    assert!(files[files.len() - 1].starts_with("workers.log: "), "{files:?}");
    for file in files {
        let bytes = file.rsplit(' ').nth(1).and_then(|bytes| bytes.parse::<u64>().ok()).expect("a size");
        assert!(bytes <= 20_000, "{file}");
    }
}

#[test]
fn console_and_file() {
    let output = run("console_and_file");
    let expected =
        "ERROR Worker-1: cannot save it error=no such disk\n WARN main: the program is about to end\n";
    assert_eq!(text(&output.stderr), expected);
    let lines: Vec<_> = text(&output.stdout).lines().collect();
    let (report, records) = lines.split_last().expect("lines");
    assert_eq!(*report, "4 records delivered, 0 left, 0 dropped, 0 damaged");
    let records: Vec<serde_json::Value> =
        records.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let messages: Vec<_> = records.iter().map(|record| record["message"].as_str().expect("text")).collect();
    let expected = [
        "the program has started",
        "the table has been read rows=3",
        "cannot save it error=no such disk",
        "the program is about to end",
    ];
    assert_eq!(messages, expected);
    assert_eq!(records[1]["spans"], "request{id=7}");
    assert_eq!(records[1]["process"], "Worker-1");
}
