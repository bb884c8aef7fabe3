//! Mappers that take whole blocks: when they are offered some, and what a failure in one tells.
//!
//! That the helpers for blocks agree with records is tested with the examples and in the library.

use std::path::Path;

use gristmill_testkit::command::Finished;
use gristmill_tests::case::Case;
use serde_json::Value;

const SHUFFLE: &str = env!("CARGO_BIN_EXE_shuffle");
const EXECUTORS: [&str; 3] = ["inline", "threads", "processes"];

fn run(case: &Case, arguments: &[&str], executor: &str) -> Finished {
    let options =
        ["-r", "2", "-w", "1", "--progress", "never", "--log-level", "error", "--executor", executor];
    case.command(SHUFFLE).args(arguments).args(options).run()
}

/// Runs the job `blocks` into the folder `out` and returns its counters and its sorted lines.
fn blocks(case: &Case, arguments: &[&str], executor: &str) -> (Value, Vec<String>) {
    let all = [&["blocks", "in.txt", "-o", "out", "--overwrite", "--json"], arguments].concat();
    let finished = run(case, &all, executor).assert_code(0);
    let summary: Value = serde_json::from_slice(&finished.stdout).expect("the summary is JSON");
    let mut lines = case.lines("out");
    lines.sort();
    (summary["counters"].clone(), lines)
}

fn count(counters: &Value, name: &str) -> u64 {
    counters.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// Lines of four bytes, of which one is the trap if `boom`.
fn text(lines: usize, boom: Option<usize>) -> String {
    let line = |n| if boom == Some(n) { "boom\n".to_owned() } else { format!("w{:03}\n", n % 150) };
    (0..lines).map(line).collect()
}

fn counts(text: &str) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::<&str, u64>::new();
    text.lines().for_each(|line| *counts.entry(line).or_default() += 1);
    counts.into_iter().map(|(line, count)| format!("{line}\t{count}")).collect()
}

#[test]
fn a_mapper_that_takes_blocks_sees_no_record() {
    let case = Case::new();
    let content = text(400, None);
    case.file("in.txt", &content);
    for executor in EXECUTORS {
        for of in ["lines", "text"] {
            let (counters, lines) = blocks(&case, &["--of", of, "-c", "500"], executor);
            assert_eq!(lines, counts(&content), "{of}, {executor}");
            assert_eq!((count(&counters, "blocks"), count(&counters, "records")), (4, 0), "{of}, {executor}");
        }
    }
    // Without a shuffle, too.
    let (counters, lines) = blocks(&case, &["--map-only", "-c", "500"], "threads");
    assert_eq!((lines.len(), count(&counters, "blocks"), count(&counters, "records")), (400, 4, 0));
    case.finish();
}

#[test]
fn records_of_fixed_length_come_in_blocks() {
    let case = Case::new();
    let content = text(400, None);
    case.file("in.txt", content.replace('\n', ""));
    for executor in EXECUTORS {
        let (counters, lines) = blocks(&case, &["--of", "fixed", "-c", "400"], executor);
        assert_eq!(lines, counts(&content), "{executor}");
        assert_eq!((count(&counters, "blocks"), count(&counters, "records")), (4, 0), "{executor}");
    }
    case.finish();
}

#[test]
fn a_mapper_that_declines_a_block_is_given_its_records() {
    let case = Case::new();
    let content = text(400, None);
    case.file("in.txt", &content);
    for executor in EXECUTORS {
        for of in ["lines", "text"] {
            let (counters, lines) = blocks(&case, &["--of", of, "-c", "500", "--decline"], executor);
            assert_eq!(lines, counts(&content), "{of}, {executor}");
            assert_eq!((count(&counters, "blocks"), count(&counters, "records")), (4, 400), "{executor}");
        }
    }
    case.finish();
}

/// One worker, four tasks, of which the third has the trap in it.
#[test]
fn a_task_that_failed_in_a_block_is_given_its_records() {
    let case = Case::new();
    let content = text(400, Some(250));
    case.file("in.txt", &content);
    for executor in EXECUTORS {
        for of in ["lines", "text"] {
            let arguments = ["--of", of, "-c", "500", "--fail-in-block", "--max-attempts", "2"];
            let (counters, lines) = blocks(&case, &arguments, executor);
            assert_eq!(lines, counts(&content), "{of}, {executor}");
            // What the failed attempt counted is gone; the others took blocks, if again after it.
            let counted = (count(&counters, "blocks"), count(&counters, "records"));
            assert_eq!(counted, (3, 100), "{of}, {executor}");
        }
    }
    case.finish();
}

#[test]
fn a_first_failure_names_the_block_and_the_second_the_record() {
    let case = Case::new();
    case.file("in.txt", text(400, Some(250)));
    for executor in EXECUTORS {
        let block = ["blocks", "in.txt", "-o", "out", "-c", "500", "--restart", "--fail-in-block"];
        let once = [&block[..], &["--max-attempts", "1"]].concat();
        let finished = run(&case, &once, executor).assert_code(1);
        let story = finished.stderr_text();
        for wanted in [
            "map-2 failed in map: returned an error: there is a trap in the block",
            "in.txt, bytes 1000..1500",
            "last record: at byte 1000, 500 bytes long",
        ] {
            assert!(story.contains(wanted), "{executor}: {wanted:?} is missing: {finished}");
        }
        let record = [&block[..], &["--fail-in-record", "--max-attempts", "2"]].concat();
        let finished = run(&case, &record, executor).assert_code(1);
        let story = finished.stderr_text();
        let error = &story[story.find("error: ").unwrap_or(0)..];
        for wanted in [
            "map-2 failed in map: returned an error: the record is a trap",
            "attempt 2 of 2",
            "last record: at byte 1250, 5 bytes long",
        ] {
            assert!(error.contains(wanted), "{executor}: {wanted:?} is missing: {finished}");
        }
        assert!(!Path::new(&case.path("out")).exists());
    }
    case.finish();
}

#[test]
fn a_line_that_is_no_text_is_named_though_the_mapper_takes_blocks() {
    let case = Case::new();
    let mut content = text(400, None).into_bytes();
    content[1252] = 0xff;
    case.file("in.txt", &content);
    for executor in EXECUTORS {
        let arguments = ["blocks", "in.txt", "-o", "out", "--of", "text", "-c", "500", "--restart"];
        let finished = run(&case, &arguments, executor).assert_code(1);
        let story = finished.stderr_text();
        for wanted in ["in.txt, offset 1250", "UTF-8", "last record: at byte 1250, 5 bytes long"] {
            assert!(story.contains(wanted), "{executor}: {wanted:?} is missing: {finished}");
        }
        // As bytes it is a line like any other.
        let arguments = ["blocks", "in.txt", "-o", executor, "--json", "--map-only"];
        let finished = run(&case, &arguments, executor).assert_code(0);
        let summary: Value = serde_json::from_slice(&finished.stdout).expect("the summary is JSON");
        assert_eq!(summary["counters"]["blocks"], summary["map_tasks"], "{executor}");
        assert_eq!(summary["records"], 400, "{executor}");
    }
    case.remove_work("out");
    case.finish();
}

/// Pairs that are kept are partitioned before their task ends: a partitioner that fails is blamed on that task, not on
/// the next. Pairs that are folded wait in a table for the commit of several tasks.
#[test]
fn a_partitioner_that_fails_is_told_of_with_the_right_input() {
    let case = Case::new();
    case.file("in.txt", text(40, Some(5)));
    for (executor, borrowed) in EXECUTORS.into_iter().flat_map(|name| [(name, false), (name, true)]) {
        let arguments = ["trap", "in.txt", "-o", "out", "-c", "50", "--restart", "--at", "partitioner"];
        let all = [&arguments[..], if borrowed { &["--borrowed"] } else { &[] }].concat();
        let finished = run(&case, &all, executor).assert_code(1);
        let about = format!("{executor}, borrowed: {borrowed}");
        assert!(finished.stderr_text().contains("the trap is sprung"), "{about}: {finished}");
        let blamed = finished.stderr_text().contains("in.txt, bytes 0..50");
        assert!(blamed || !borrowed, "{about}: {finished}");
    }
    case.remove_work("out");
    case.finish();
}

/// Pairs are folded when the mapper is some records ahead.
#[test]
fn a_combiner_that_fails_is_told_of_with_the_right_record() {
    let case = Case::new();
    let lines = (0..400).map(|n| if n == 20 || n == 150 { "boom\n".to_owned() } else { format!("{n:04}\n") });
    case.file("in.txt", lines.collect::<String>());
    for (executor, borrowed) in EXECUTORS.into_iter().flat_map(|name| [(name, false), (name, true)]) {
        let arguments = ["trap", "in.txt", "-o", "out", "-c", "1GiB", "--restart", "--at", "combiner"];
        let all = [&arguments[..], if borrowed { &["--borrowed"] } else { &[] }].concat();
        let finished = run(&case, &all, executor).assert_code(1);
        let (story, about) = (finished.stderr_text(), format!("{executor}, borrowed: {borrowed}"));
        assert!(story.contains("the trap is sprung"), "{about}: {finished}");
        assert!(story.contains("last record: at byte 750, 5 bytes long"), "{about}: {finished}");
    }
    case.remove_work("out");
    case.finish();
}

/// The mapper sees a sample of the input before the first task where borders are taken from one.
#[test]
fn a_mapper_that_fails_in_a_sample_is_told_of_and_tried_again() {
    let case = Case::new();
    let content = text(40, Some(25));
    case.file("in.txt", &content);
    for executor in EXECUTORS {
        let arguments = ["trap", "in.txt", "-o", executor, "-c", "50", "--at", "sample"];
        let finished = run(&case, &arguments, executor).assert_code(1);
        assert!(finished.stderr_text().contains("the trap is sprung"), "{executor}: {finished}");
        let mark = case.path(format!("mark-{executor}"));
        let mark = mark.to_str().expect("it is text");
        let again = [&arguments[..], &["--mark", mark, "--max-attempts", "2"]].concat();
        run(&case, &again, executor).assert_code(0);
        assert_eq!(case.lines(executor), counts(&content), "{executor}");
    }
    case.finish();
}

/// A panic in the encoding of a value that user code catches: the pair may be missed, the others must be what they were.
#[test]
fn a_value_that_was_half_encoded_does_no_harm_to_the_next() {
    let case = Case::new();
    case.file("in.txt", "one\nboom\ntwo\n");
    for executor in EXECUTORS {
        let finished = run(&case, &["stubborn", "in.txt", "-o", executor], executor);
        match finished.code() {
            Some(0) => assert_eq!(case.lines(executor), ["key\tone behind,two behind,"], "{executor}"),
            Some(1) => assert!(finished.stderr_text().contains("failed in map"), "{executor}: {finished}"),
            _ => panic!("{executor}: {finished}"),
        }
    }
    case.finish();
}

/// A panic of a combiner, or of a partitioner when folded pairs are spilled, that the mapper catches: pairs are lost, and
/// must be missed.
#[test]
fn a_panic_while_pairs_are_taken_is_not_passed_over() {
    let case = Case::new();
    // The trap is in the middle of what is folded at once, which the rest of the input fills several times.
    let few = (0..400).map(|n| if n % 100 == 20 { "boom".to_owned() } else { n.to_string() });
    case.file("few.txt", few.collect::<Vec<_>>().join("\n"));
    // More than the memory holds.
    let many = (0..2000).map(|n| if n == 20 { "boom".to_owned() } else { format!("{n:010000}") });
    case.file("many.txt", many.collect::<Vec<_>>().join("\n"));
    let partitioner: &[&str] = &["many.txt", "--in-partitioner", "--memory", "20MiB"];
    for (executor, borrowed) in EXECUTORS.into_iter().flat_map(|name| [(name, false), (name, true)]) {
        for arguments in [&["few.txt"], partitioner] {
            let borrowed: &[&str] = if borrowed { &["--borrowed"] } else { &[] };
            let all =
                [&["stubborn_fold", "-o", "out", "--restart", "-c", "1GiB"], arguments, borrowed].concat();
            let finished = run(&case, &all, executor).assert_code(1);
            let story = finished.stderr_text();
            let told =
                ["went on after a panic while its pairs were taken: panicked at", "the trap is sprung"];
            assert!(told.iter().all(|part| story.contains(part)), "{executor}, {all:?}: {finished}");
            assert!(!story.contains("last record:"), "{executor}, {all:?}: {finished}");
        }
    }
    case.remove_work("out");
    case.finish();
}
