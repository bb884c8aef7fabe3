//! What a job logs: life-cycle records, records of user code with their context, captured prints, rotation, levels.
//!
//! Losing nothing under load and across kills is tested in the log crate and with the faults.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use gristmill_testkit::command::{Finished, TestCommand};
use gristmill_tests::case::Case;
use serde_json::Value;

const JOBS: &str = env!("CARGO_BIN_EXE_jobs");

/// The job `talk` over three lines in two files.
fn talk(case: &Case, arguments: &[&str]) -> TestCommand {
    case.file("in/1.txt", "one\ntwo\n");
    case.file("in/2.txt", "three\n");
    let command =
        case.command(JOBS).args(["talk", "in", "-c", "8", "-w", "2", "-r", "1", "--progress", "never"]);
    command.args(arguments)
}

const RESULT: &str = "one\t1\nthree\t1\ntwo\t1\n";

/// Runs the job with a JSON log and returns its records, after a check that the results are not mixed with anything.
fn records(case: &Case, arguments: &[&str]) -> (Finished, Vec<Value>) {
    let log = ["--log-file", "log", "--log-format", "json"];
    let finished = talk(case, arguments).args(log).run().assert_code(0);
    assert_eq!(finished.stdout_text(), RESULT);
    let text = fs::read_to_string(case.path("log")).expect("the log was written");
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    (finished, text.lines().map(parse).collect())
}

fn text<'r>(record: &'r Value, field: &str) -> &'r str {
    record[field].as_str().unwrap_or_default()
}

/// The only record whose message contains `part`.
#[track_caller]
fn the_record<'r>(records: &'r [Value], part: &str) -> &'r Value {
    let found: Vec<&Value> = records.iter().filter(|record| text(record, "message").contains(part)).collect();
    assert_eq!(found.len(), 1, "records with {part:?}: {found:#?} of {records:#?}");
    found[0]
}

#[test]
fn the_life_of_each_worker_is_logged() {
    let case = Case::new();
    let (_, records) = records(&case, &[]);
    for file in ["in/1.txt", "in/2.txt"] {
        let reading = the_record(&records, &format!("reading {file}"));
        let worker = text(reading, "process");
        assert!(worker == "Worker-1" || worker == "Worker-2", "{reading}");
        assert_eq!(text(reading, "message"), format!("{worker} reading {file}"));
        assert_eq!(text(reading, "level"), "INFO");
        let pid = reading["pid"].as_u64().expect("a number");
        for event in ["started", "ended"] {
            let record = the_record(&records, &format!("{worker} {event}"));
            assert_eq!((text(record, "level"), text(record, "process")), ("INFO", "main"), "{record}");
            assert!(text(record, "message").contains(&format!("pid={pid}")), "{record}");
        }
        assert!(
            text(the_record(&records, &format!("{worker} ended")), "message")
                .contains("exited with status 0")
        );
    }
    case.finish();
}

#[test]
fn records_of_user_code_carry_job_task_attempt_and_process() {
    let case = Case::new();
    let (_, records) = records(&case, &["--log-file-level", "debug"]);
    for (part, level) in [
        ("traced error line=two", "ERROR"),
        ("traced info line=two", "INFO"),
        ("traced debug line=two", "DEBUG"),
        ("logged warning of two", "WARN"),
        ("logged info of two", "INFO"),
    ] {
        let record = the_record(&records, part);
        assert_eq!(text(record, "level"), level, "{record}");
        assert!(text(record, "process").starts_with("Worker-"), "{record}");
        assert!(text(record, "target").starts_with("jobs::talking"), "{record}");
        assert_eq!((text(record, "job"), text(record, "task")), ("talk", "map-0"), "{record}");
        assert_eq!(record["attempt"], 1, "{record}");
        let worker = text(record, "process");
        let pid = record["pid"].as_u64().expect("a number");
        assert!(
            text(the_record(&records, &format!("{worker} started")), "message").contains(&pid.to_string())
        );
    }
    let in_reduce = the_record(&records, "reducing three");
    assert_eq!(
        (text(in_reduce, "task"), &in_reduce["attempt"]),
        ("reduce-0", &Value::from(1)),
        "{in_reduce}"
    );
    assert_eq!(text(the_record(&records, "traced info line=three"), "task"), "map-1");
    case.finish();
}

/// Each process numbers its records: a gap or a number that comes twice would be a loss.
#[test]
fn nothing_is_lost_or_doubled() {
    let case = Case::new();
    let (_, records) = records(&case, &["--log-file-level", "trace"]);
    let mut sequences = BTreeMap::<(String, u64), BTreeSet<u64>>::new();
    let of_workers = records.iter().filter(|record| text(record, "process").starts_with("Worker-"));
    for record in of_workers.filter(|record| !["stdout", "stderr"].contains(&text(record, "target"))) {
        let process = (text(record, "process").to_owned(), record["pid"].as_u64().expect("a number"));
        let sequence = record["sequence"].as_u64().expect("a number");
        assert!(sequences.entry(process).or_default().insert(sequence), "twice: {record}");
    }
    assert!(!sequences.is_empty());
    for (process, numbers) in sequences {
        let (first, last) = (*numbers.first().expect("one at least"), *numbers.last().expect("one at least"));
        assert_eq!(last - first + 1, numbers.len() as u64, "{process:?}: {numbers:?}");
    }
    case.finish();
}

#[test]
fn what_user_code_prints_is_captured_and_kept_from_the_results() {
    let case = Case::new();
    let (finished, records) = records(&case, &[]);
    for word in ["one", "two", "three"] {
        let printed = the_record(&records, &format!("printed {word}"));
        assert_eq!((text(printed, "target"), text(printed, "level")), ("stdout", "INFO"), "{printed}");
        let complained = the_record(&records, &format!("complained {word}"));
        assert_eq!(
            (text(complained, "target"), text(complained, "level")),
            ("stderr", "WARN"),
            "{complained}"
        );
        assert!(text(complained, "process").starts_with("Worker-"), "{complained}");
        assert_eq!(complained["pid"], the_record(&records, &format!("traced info line={word}"))["pid"]);
        // The console's level is `warn`: it shows the complaint and not the print.
        assert!(finished.stderr_text().contains(&format!("complained {word}")), "{finished}");
    }
    assert!(!finished.stderr_text().contains("printed"), "{finished}");
    case.finish();
}

#[test]
fn console_and_file_have_levels_of_their_own() {
    let case = Case::new();
    let silent = talk(&case, &["--log-level", "off"]).run().assert_code(0);
    assert!(silent.stderr.is_empty(), "{silent}");
    let loud = ["--log-level", "jobs=info", "--log-file", "errors", "--log-file-level", "error"];
    let finished = talk(&case, &loud).run().assert_code(0);
    let (console, file) = (finished.stderr_text(), fs::read_to_string(case.path("errors")).expect("the log"));
    assert_eq!(console.matches("traced info").count(), 3, "{console}");
    assert!(!console.contains("started") && !console.contains("complained"), "{console}");
    assert_eq!((file.lines().count(), file.matches("traced error").count()), (3, 3), "{file}");
    let quiet =
        talk(&case, &["--log-level", "error", "--log-file", "all", "--log-file-level", "debug"]).run();
    let (console, file) = (quiet.stderr_text(), fs::read_to_string(case.path("all")).expect("the log"));
    assert_eq!((console.lines().count(), console.matches("traced error").count()), (3, 3), "{console}");
    assert_eq!(file.matches("traced debug").count(), 3, "{file}");
    case.finish();
}

#[test]
fn a_text_log_has_one_line_for_each_record() {
    let case = Case::new();
    let finished = talk(&case, &["--log-file", "log"]).run().assert_code(0);
    assert_eq!(finished.stdout_text(), RESULT);
    let log = fs::read_to_string(case.path("log")).expect("the log was written");
    for line in log.lines() {
        // 2026-11-21 08:00:00.123+00:00 +0.456s  INFO Worker-1[4711] talk map-0.1 target: message
        let fields: Vec<&str> = line.split_whitespace().collect();
        assert!(fields.len() > 5 && fields[0].len() == 10 && fields[2].ends_with('s'), "{line}");
        assert!(["ERROR", "WARN", "INFO"].contains(&fields[3]), "{line}");
        assert!(fields[4].starts_with("Worker-") || fields[4].starts_with("main["), "{line}");
    }
    let logged = log.lines().find(|line| line.contains("logged warning of two")).expect("it was logged");
    assert!(logged.contains("] talk map-0.1 jobs::talking: logged warning of two"), "{logged}");
    case.finish();
}

#[test]
fn a_log_file_is_continued() {
    let case = Case::new();
    case.file("log", "from before\n");
    talk(&case, &["--log-file", "log"]).run().assert_code(0);
    talk(&case, &["--log-file", "log"]).run().assert_code(0);
    let log = fs::read_to_string(case.path("log")).expect("the log");
    assert!(log.starts_with("from before\n"), "{log}");
    assert_eq!(log.matches("logged warning of two").count(), 2, "{log}");
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

/// User code in threads has its records too; what it prints goes where the program prints.
#[test]
fn records_are_complete_with_the_other_executors() {
    let case = Case::new();
    for (executor, process) in [("threads", "main"), ("inline", "main")] {
        let log = format!("{executor}.log");
        let arguments =
            ["--executor", executor, "-w", "1", "--log-file", &log, "--log-format", "json", "-o", executor];
        case.file("in/1.txt", "one\n");
        let command = case.command(JOBS).args(["talk", "in", "--progress", "never"]);
        command.args(arguments).run().assert_code(0);
        let log = fs::read_to_string(case.path(&log)).expect("the log");
        let records: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        for part in ["traced info line=one", "logged warning of one"] {
            let record = the_record(&records, part);
            assert_eq!((text(record, "process"), text(record, "task")), (process, "map-0"), "{record}");
            assert_eq!(record["attempt"], 1, "{record}");
        }
    }
    case.finish();
}
