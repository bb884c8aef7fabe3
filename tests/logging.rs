//! What a job logs: life-cycle records, records of user code with their context, captured prints, levels.
//!
//! What becomes of the log file is tested in `log_files`; losing nothing under load and across kills in the log crate and
//! with the faults.

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

/// What no handler wants does not leave the worker: the records that are written are all that it has numbered.
#[test]
fn a_worker_sends_what_console_or_file_want_and_nothing_else() {
    let case = Case::new();
    let levels = ["--log-level", "off,gristmill=error", "--log-file-level", "warn,jobs::talking=info"];
    let (_, records) = records(&case, &levels);
    let of_workers: Vec<&Value> = records
        .iter()
        .filter(|record| text(record, "process").starts_with("Worker-") && text(record, "target") != "stderr")
        .collect();
    assert!(of_workers.iter().any(|record| text(record, "level") == "INFO"), "{records:#?}");
    for worker in ["Worker-1", "Worker-2"] {
        let mut numbers = of_workers
            .iter()
            .filter(|record| text(record, "process") == worker)
            .filter_map(|record| record["sequence"].as_u64());
        assert!((1..).zip(&mut numbers).all(|(wanted, number)| wanted == number), "{of_workers:#?}");
    }
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
