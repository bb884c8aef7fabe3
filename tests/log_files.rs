//! What becomes of the log file of a job: it is continued, set aside by size and by time, and opened anew on `SIGHUP`.
//!
//! What the records say is tested in `logging`; the days on which calendars are difficult, in the log crate.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use gristmill_testkit::command::{Signal, TestCommand};
use gristmill_tests::case::Case;
use gristmill_tests::wait::until;
use serde_json::Value;

const JOBS: &str = env!("CARGO_BIN_EXE_jobs");

const LIMIT: Duration = Duration::from_secs(30);
/// 2024-03-09T10:20:30Z, a Saturday.
const LONG_AGO: Duration = Duration::from_secs(1_709_979_630);

fn talk(case: &Case, arguments: &[&str]) -> TestCommand {
    case.file("in.txt", "one\n");
    let command = case.command(JOBS).env("TZ", "UTC").args(["talk", "in.txt", "-w", "1", "-r", "1"]);
    command.args(["--progress", "never", "--log-level", "off", "--log-file", "log"]).args(arguments)
}

fn text<'r>(record: &'r Value, field: &str) -> &'r str {
    record[field].as_str().unwrap_or_default()
}

/// The log file and its old files, in the order of their names.
fn logs(case: &Case) -> Vec<String> {
    case.names(".").into_iter().filter(|name| name.starts_with("log")).collect()
}

fn catches_hangups(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("a line of signals");
    u64::from_str_radix(caught.trim(), 16).expect("a mask") & 1 != 0
}

fn date(path: &Path) {
    let file = File::options().append(true).open(path).expect("the log");
    file.set_modified(UNIX_EPOCH + LONG_AGO).expect("its time can be set");
}

#[test]
fn a_log_file_is_continued() {
    let case = Case::new();
    case.file("log", "from before\n");
    talk(&case, &[]).run().assert_code(0);
    talk(&case, &[]).run().assert_code(0);
    let log = fs::read_to_string(case.path("log")).expect("the log");
    assert!(log.starts_with("from before\n"), "{log}");
    assert_eq!(log.matches("logged warning of one").count(), 2, "{log}");
    case.finish();
}

#[test]
fn a_log_file_rotates_without_losing_or_tearing_a_line() {
    let case = Case::new();
    let words: String = (0..2000).map(|n| format!("word-{n:04}\n")).collect();
    case.file("words.txt", words);
    let rotate =
        ["--log-file", "log", "--log-max-bytes", "100K", "--log-backups", "50", "--log-format", "json"];
    let arguments = ["talk", "words.txt", "-c", "3000", "-w", "3", "-o", "out", "--log-level", "off"];
    case.command(JOBS).args(arguments).args(rotate).run().assert_code(0);
    let files: Vec<String> = case.names(".").into_iter().filter(|name| name.starts_with("log")).collect();
    assert!(files.len() > 5 && files.len() < 50, "{files:?}");
    let mut seen = BTreeMap::<String, u32>::new();
    let mut newest_first = Vec::new();
    for file in &files {
        let text = fs::read_to_string(case.path(file)).expect("a log file");
        assert!(text.len() <= 100 << 10, "{file} has {} bytes", text.len());
        for line in text.lines() {
            let record: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{file}: {line}: {error}"));
            *seen.entry(text_of_word(&record)).or_default() += 1;
        }
        let age = file.strip_prefix("log.").map_or(0, |n| n.parse::<u32>().expect("a number"));
        newest_first.push((age, text));
    }
    // Error, info, warning, info, print, complaint; once more in reduce.
    let wrong: Vec<_> =
        (0..2000).map(|n| format!("word-{n:04}")).filter(|word| seen.get(word) != Some(&7)).collect();
    assert!(wrong.is_empty(), "not logged seven times: {wrong:?}");
    newest_first.sort();
    // Each process numbers its records, so that age can be told without a clock.
    let mut compared = 0;
    for worker in ["Worker-1", "Worker-2", "Worker-3"] {
        let first = |(_, text): &(u32, String)| text.lines().find_map(|line| number_in(worker, line));
        let numbers: Vec<u64> = newest_first.iter().filter_map(first).collect();
        assert!(numbers.is_sorted_by(|newer, older| newer > older), "{worker}: {numbers:?}");
        compared += numbers.len();
    }
    assert!(compared + 1 >= files.len(), "{compared} numbers in {files:?}");
    case.finish();
}

/// A record's number if it is one of user code in `worker`.
fn number_in(worker: &str, line: &str) -> Option<u64> {
    let record: Value = serde_json::from_str(line).ok()?;
    let own = text(&record, "process") == worker && text(&record, "target") == "jobs::talking";
    own.then(|| record["sequence"].as_u64())?
}

fn text_of_word(record: &Value) -> String {
    let message = text(record, "message");
    message.find("word-").map_or_else(String::new, |at| message[at..(at + 9).min(message.len())].to_owned())
}

#[test]
fn few_backups_bound_what_is_kept() {
    let case = Case::new();
    case.file("words.txt", "word\n".repeat(1000));
    let rotate = ["--log-file", "log", "--log-max-bytes", "20K", "--log-backups", "2"];
    let arguments = ["talk", "words.txt", "-w", "1", "-o", "out", "--log-level", "off"];
    case.command(JOBS).args(arguments).args(rotate).run().assert_code(0);
    let files: Vec<String> = case.names(".").into_iter().filter(|name| name.starts_with("log")).collect();
    assert_eq!(files, ["log", "log.1", "log.2"]);
    case.finish();
}

#[test]
fn a_log_file_of_an_earlier_period_is_set_aside_under_its_date() {
    for (when, old) in [
        ("S", "log.2024-03-09_10-20-30"),
        ("minute", "log.2024-03-09_10-20"),
        ("h", "log.2024-03-09_10"),
        ("D", "log.2024-03-09"),
        ("midnight", "log.2024-03-09"),
        ("w6", "log.2024-03-04"),
    ] {
        let case = Case::new();
        date(&case.file("log", "from before\n"));
        // No more than a second may pass in the run, or there are more files.
        let backups = if when == "S" { "100" } else { "1" };
        talk(&case, &["--log-when", when, "--log-backups", backups]).run().assert_code(0);
        assert_eq!(fs::read_to_string(case.path(old)).expect(when), "from before\n", "{:?}", logs(&case));
        assert!(!fs::read_to_string(case.path("log")).expect("the log").contains("from before"), "{when}");
        case.finish();
    }
}

#[test]
fn dates_are_local() {
    let case = Case::new();
    date(&case.file("log", "from before\n"));
    // Ten o'clock in the morning in Greenwich is late in the evening before, twelve hours west of it.
    talk(&case, &["--log-when", "midnight"]).env("TZ", "WEST+12").run().assert_code(0);
    assert_eq!(logs(&case), ["log", "log.2024-03-08"]);
    case.finish();
}

#[test]
fn time_and_size_set_a_log_file_aside_together() {
    let case = Case::new();
    case.file("words.txt", "word\n".repeat(1000));
    date(&case.file("log", "from before\n"));
    let arguments = ["talk", "words.txt", "-w", "1", "-o", "out", "--log-level", "off", "--log-file", "log"];
    let job = |rotate: &[&str]| {
        let command = case.command(JOBS).env("TZ", "UTC").args(arguments).args(["--overwrite"]);
        command.args(["--log-when", "D", "--log-max-bytes", "50K"]).args(rotate).run().assert_code(0);
    };
    job(&[]);
    let all = logs(&case);
    assert!(all.len() > 8 && all[1] == "log.2024-03-09", "without a number of backups all are kept: {all:?}");
    let text: String =
        all.iter().map(|name| fs::read_to_string(case.path(name)).expect("a log file")).collect();
    assert_eq!(text.matches("logged warning of word").count(), 1000);
    job(&["--log-backups", "3"]);
    assert_eq!(logs(&case).len(), 4, "{:?}", logs(&case));
    case.finish();
}

#[test]
fn rotation_that_makes_no_sense_is_refused() {
    let case = Case::new();
    for (arguments, named) in [
        (&["--log-when", "fortnight"][..], &["--log-when", "`fortnight`", "midnight"][..]),
        (&["--log-when", "W7"], &["--log-when", "`W7`"]),
        (&["--log-when", ""], &["--log-when"]),
        (&["--log-backups", "3"], &["--log-max-bytes", "--log-when"]),
        (&["--log-max-bytes", "1K", "--log-backups", "0"], &["--log-backups 0", "--log-max-bytes"]),
        (&["--log-file-level", "warning"], &["--log-file-level", "`warning` is no level", "warn"]),
    ] {
        let refused = talk(&case, arguments).run().assert_code(2);
        for name in named {
            assert!(refused.stderr_text().contains(name), "{name}: {refused}");
        }
    }
    let homeless = case.command(JOBS).args(["talk", "in.txt", "--log-when", "midnight"]).run().assert_code(2);
    assert!(homeless.stderr_text().contains("--log-file"), "{homeless}");
    assert_eq!(case.names("."), ["in.txt", "tmp"], "a refused run leaves nothing");
    case.finish();
}

#[test]
fn a_log_file_that_is_another_programs_is_not_set_aside() {
    let case = Case::new();
    let path = case.file("log", "from another program\n");
    let other = File::options().append(true).open(&path).expect("the log");
    other.lock_shared().expect("the lock");
    let refused = talk(&case, &["--log-max-bytes", "1K"]).run().assert_code(2);
    assert!(refused.stderr_text().contains("--log-file: cannot open log file log: "), "{refused}");
    talk(&case, &[]).run().assert_code(0);
    drop(other);
    talk(&case, &["--log-max-bytes", "1K"]).run().assert_code(0);
    case.finish();
}

#[test]
fn a_hangup_opens_the_log_file_anew() {
    let case = Case::new();
    let (path, moved) = (case.path("log"), case.path("moved"));
    let command =
        case.command(JOBS).args(["talk", "-", "-w", "1", "--progress", "never", "--log-file", "log"]);
    let mut running = command.hold_stdin().spawn();
    // It waits for its input then, and the log file is there.
    assert!(until(LIMIT, || catches_hangups(running.pid())), "it takes no notice of SIGHUP");
    fs::rename(&path, &moved).expect("the log is moved");
    running.signal(Signal::HUP);
    assert!(until(LIMIT, || path.exists()), "there is no new log file");
    running.write_stdin(b"one\n").expect("it reads its input");
    running.close_stdin();
    running.wait().assert_code(0);
    let log = fs::read_to_string(&path).expect("the log");
    assert_eq!(log.matches("logged warning of one").count(), 1, "{log}");
    assert!(!fs::read_to_string(&moved).expect("the log").contains("logged warning"));
    case.finish();
}
