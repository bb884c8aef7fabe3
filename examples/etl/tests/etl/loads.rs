//! Loads that go well: contents, what is printed, reruns, increments, and documents set aside.
//!
//! All on SQLite; `servers` repeats what matters elsewhere.

use std::fs;

use serde_json::Value;

use crate::plain::{computed, found};
use crate::support::{Bench, assert_says, lines};

const SUMMARY: [&str; 6] = [
    "tasks: 20 loaded, 0 loaded before",
    "documents: 400 read, 0 not selected, 0 in the table before, 0 set aside",
    "table orders: 400 rows inserted",
    "table order_items: 869 rows inserted",
    "table order_tags: 269 rows inserted",
    "last id: 664d65a6a1b2c3d4e5000190 (next time: --key id --after 664d65a6a1b2c3d4e5000190)",
];

#[test]
fn the_tables_hold_what_a_plain_program_computes() {
    let bench = Bench::new();
    let arguments = ["--batch", "7", "--progress-every", "250", "--log-level", "debug,gristmill_pool=off"];
    let finished = bench.etl(&arguments).run().assert_code(0);
    assert_eq!(lines(&finished), SUMMARY);
    assert_eq!(found(&bench), computed(&bench.export()));
    let log = finished.stderr_text();
    let progress: Vec<_> = log.lines().filter_map(|line| line.split_once("totals: ")).collect();
    let expected: Vec<_> = (1..=6).map(|n| format!("{} rows inserted", 250 * n)).collect();
    assert_eq!(progress.iter().map(|(_, text)| *text).collect::<Vec<_>>(), expected);
    // Twenty documents are three batches of up to seven.
    assert_eq!(log.matches("7 documents from line").count(), 40, "{finished}");
    assert_eq!(log.matches(" 6 documents from line").count(), 20, "{finished}");
    bench.finish();
}

#[test]
fn the_same_command_again_inserts_nothing() {
    let bench = Bench::new();
    bench.etl(&[]).run().assert_code(0);
    let before = found(&bench);
    // Neither workers nor batches make another task of it.
    let finished = bench.etl(&["--workers", "1", "--batch", "3", "--writers", "2"]).run().assert_code(0);
    assert_eq!(lines(&finished)[0], "tasks: 0 loaded, 20 loaded before");
    assert_eq!(lines(&finished)[5], SUMMARY[5]);
    assert_eq!(found(&bench), before);
    bench.finish();
}

#[test]
fn an_increment_goes_on_after_the_last_key() {
    let bench = Bench::new();
    let all = bench.export();
    bench.write_export(&all[..250]);
    let finished = bench.etl(&["--key", "placed_at"]).run().assert_code(0);
    let last = lines(&finished).pop().expect("a last key");
    let after = last.rsplit_once("--after ").and_then(|(_, rest)| rest.strip_suffix(')')).expect("a key");
    assert_eq!(found(&bench), computed(&all[..250]));

    bench.write_export(&all);
    let finished = bench.etl(&["--key", "placed_at", "--after", after]).run().assert_code(0);
    assert_eq!(
        lines(&finished)[1],
        "documents: 400 read, 250 not selected, 0 in the table before, 0 set aside"
    );
    assert_eq!(found(&bench), computed(&all));

    // With the last key itself there is one that is known already. Line 250 is in the thirteenth task.
    let arguments = ["--key", "placed_at", "--since", after, "--workers", "1"];
    let refused = bench.etl(&arguments).run().assert_code(1);
    assert_says(&refused, "orders.jsonl:250: its key is in the table already");
    let finished = bench.etl(&[&arguments[..], &["--existing", "skip"]].concat()).run().assert_code(0);
    assert_eq!(lines(&finished)[0], "tasks: 8 loaded, 12 loaded before");
    assert_eq!(
        lines(&finished)[1],
        "documents: 160 read, 9 not selected, 151 in the table before, 0 set aside"
    );
    assert_eq!(found(&bench), computed(&all));
    bench.finish();
}

#[test]
fn a_grown_export_is_loaded_where_what_is_there_is_skipped() {
    let bench = Bench::new();
    let all = bench.export();
    bench.write_export(&all[..250]);
    bench.etl(&[]).run().assert_code(0);
    bench.write_export(&all);
    let finished = bench.etl(&["--existing", "skip"]).run().assert_code(0);
    // The first twelve tasks are as they were; the thirteenth had ten documents of its twenty.
    assert_eq!(lines(&finished)[0], "tasks: 8 loaded, 12 loaded before");
    assert_eq!(
        lines(&finished)[1],
        "documents: 160 read, 0 not selected, 10 in the table before, 0 set aside"
    );
    assert_eq!(found(&bench), computed(&all));
    bench.finish();
}

/// Breaks four lines in four ways; returns which.
pub(crate) fn spoil(bench: &Bench) -> Vec<usize> {
    let mut all = bench.export();
    all[16] = all[16].replace("\"total\":{\"$numberDecimal\":", "\"total\":{\"$oid\":\"x\"},\"was\":{\"x\":");
    all[100].truncate(50);
    all[205] = all[3].clone();
    let bad = b"\xff\xfe{}";
    let mut bytes = (all[..300].join("\n") + "\n").into_bytes();
    bytes.extend(bad);
    bytes.extend(("\n".to_owned() + &all[301..].join("\n") + "\n").into_bytes());
    fs::write(bench.path("orders.jsonl"), bytes).expect("written");
    vec![16, 100, 205, 300]
}

/// The lines and errors of the quarantine, in order.
pub(crate) fn set_aside(bench: &Bench) -> Vec<(u64, String)> {
    let text = fs::read_to_string(bench.path("bad.jsonl")).expect("the quarantine");
    let entry = |line: &str| {
        let entry: Value = serde_json::from_str(line).expect("an entry");
        (entry["line"].as_u64().expect("a line"), entry["error"].as_str().expect("an error").to_owned())
    };
    let mut entries: Vec<_> = text.lines().map(entry).collect();
    entries.sort();
    entries
}

#[test]
fn what_is_not_taken_is_set_aside_once_and_the_rest_is_loaded() {
    let bench = Bench::new();
    let all = bench.export();
    let bad = spoil(&bench);
    let good: Vec<_> = (0..400).filter(|at| !bad.contains(at)).map(|at| all[at].clone()).collect();
    let arguments = ["--quarantine", "bad.jsonl"];
    let finished = bench.etl(&arguments).run().assert_code(3);
    assert!(lines(&finished)[1].ends_with(", 4 set aside"), "{finished}");
    assert_eq!(found(&bench), computed(&good));
    let entries = set_aside(&bench);
    assert_eq!(entries.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [17, 101, 206, 301]);
    let starts = [
        "field `total`: expected decimal(12,2), found id {\"$oid\":\"x\"}",
        "no JSON: EOF while parsing",
        "its key is in the table already",
        "no UTF-8 from byte 1 of the line on",
    ];
    for ((_, error), start) in entries.iter().zip(starts) {
        assert!(error.starts_with(start), "{error}");
    }
    let text = fs::read_to_string(bench.path("bad.jsonl")).expect("the quarantine");
    assert!(text.contains("\"hex\":\"fffe7b7d\""), "{text}");

    let finished = bench.etl(&arguments).run().assert_code(3);
    assert_eq!(lines(&finished)[0], "tasks: 0 loaded, 20 loaded before");
    assert_eq!(fs::read_to_string(bench.path("bad.jsonl")).expect("the quarantine"), text);
    // A file that was lost is written again.
    fs::remove_file(bench.path("bad.jsonl")).expect("removed");
    bench.etl(&arguments).run().assert_code(3);
    assert_eq!(set_aside(&bench), entries);
    bench.finish();
}

#[test]
fn a_failing_row_stops_everything_and_leaves_nothing_halved() {
    let bench = Bench::new();
    let all = bench.export();
    let mut spoilt = all.clone();
    spoilt[216] =
        spoilt[216].replace("\"paid\":true", "\"paid\":\"yes\"").replace("\"paid\":false", "\"paid\":\"no\"");
    bench.write_export(&spoilt);
    let finished = bench.etl(&["--batch", "4"]).run().assert_code(1);
    assert_says(&finished, "error: orders.jsonl:217: field `paid`: expected boolean, found text \"");
    assert_eq!(finished.stdout_text(), "");
    let tasks = bench.rows("SELECT first_line FROM etl_tasks ORDER BY first_line");
    let done: Vec<usize> = tasks.iter().map(|row| row[0].parse().expect("a number")).collect();
    assert!(!done.contains(&201), "the task of the failing row is not there: {done:?}");
    let there: Vec<_> = done.iter().flat_map(|first| all[first - 1..first + 19].to_vec()).collect();
    assert_eq!(found(&bench), computed(&there));

    // When the row is mended, the same command goes on.
    bench.write_export(&all);
    bench.etl(&[]).run().assert_code(0);
    assert_eq!(found(&bench), computed(&all));
    bench.finish();
}

#[test]
fn fields_without_a_column_are_told() {
    let bench = Bench::new();
    let schema = fs::read_to_string(bench.path("orders.toml")).expect("the schema");
    let kept: Vec<_> = schema.lines().filter(|line| !line.contains("\"note\"")).collect();
    fs::write(bench.path("orders.toml"), kept.join("\n")).expect("written");
    let finished = bench.etl(&[]).run().assert_code(0);
    let notes = bench.export().iter().filter(|line| line.contains("\"note\":")).count();
    assert_says(&finished, &format!("field `note` is in {notes} documents and in no column"));
    bench.finish();
}

#[test]
fn tables_that_were_dropped_are_loaded_again() {
    let bench = Bench::new();
    bench.etl(&[]).run().assert_code(0);
    let before = found(&bench);
    bench.rows("DROP TABLE order_tags");
    let finished = bench.etl(&[]).run().assert_code(1);
    assert_says(
        &finished,
        "error: table `order_tags` is missing, but documents were loaded into `orders` before",
    );
    bench.rows("DROP TABLE order_items");
    bench.rows("DROP TABLE orders");
    let finished = bench.etl(&[]).run().assert_code(0);
    assert_eq!(lines(&finished), SUMMARY);
    assert_eq!(found(&bench), before);
    bench.finish();
}

#[test]
fn a_document_is_taken_whole_or_not_at_all() {
    let bench = Bench::new();
    // The database has a rule of its own, and the row that breaks it is the last one of its document.
    bench.rows(
        "CREATE TABLE order_tags (orders_id TEXT, position INTEGER, tag TEXT CHECK (tag <> 'wholesale'))",
    );
    let all = bench.export();
    let (bad, good): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|line| line.contains("\"wholesale\""));
    assert!(bad.len() > 10, "the sample has such orders");
    let finished = bench.etl(&["--quarantine", "bad.jsonl"]).run().assert_code(3);
    assert!(lines(&finished)[1].ends_with(&format!(" {} set aside", bad.len())), "{finished}");
    assert_eq!(found(&bench), computed(&good));
    let entries = set_aside(&bench);
    assert_eq!(entries.len(), bad.len());
    assert!(entries.iter().all(|(_, error)| error.starts_with("the database does not take it: CHECK")));
    bench.finish();
}
