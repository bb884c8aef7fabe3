//! `--tune`: real runs on a sample. The structure of what it says is tested, never a time.

use std::time::Duration;

use gristmill_testkit::command::{Finished, Signal};
use gristmill_testkit::text::ZipfText;
use gristmill_tests::case::Case;
use serde_json::Value;

const JOBS: &str = env!("CARGO_BIN_EXE_jobs");
const WORD_COUNT: &str = env!("CARGO_BIN_EXE_wordcount");
const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture");
const LIMIT: Duration = Duration::from_secs(45);

fn corpus(case: &Case) {
    let mut text = ZipfText::new(1, 1000);
    for name in 0..20 {
        case.file(format!("corpus/{name:02}.txt"), text.lines(500));
    }
}

fn tune(case: &Case, program: &str, options: &[&str]) -> Finished {
    case.command(program).args(["--tune", "--tune-time", "6s"]).args(options).run()
}

#[test]
fn a_table_says_what_is_best_and_the_picture_is_there() {
    let case = Case::new();
    corpus(&case);
    let finished = tune(&case, WORD_COUNT, &["--tune-plot", "plot.svg", "-w", "2", "corpus"]).assert_code(0);
    let text = finished.stdout_text();
    for said in
        ["Sample: ", "chunk size", "default (about ", "median s", "Chunk size: ", "Workers: 2, as given."]
    {
        assert!(text.contains(said), "{said:?} is missing: {finished}");
    }
    let used = text.lines().find_map(|line| line.strip_prefix("Use: ")).expect("a command line to use");
    assert!(
        used.starts_with(WORD_COUNT) && used.ends_with("-w 2 corpus") && !used.contains("--tune"),
        "{used}"
    );
    assert!(!text.contains("TOP 20 WORDS"), "results are not printed: {finished}");
    assert!(finished.stderr_text().contains("tune: comparing"), "{finished}");
    let plot = std::fs::read_to_string(case.path("plot.svg")).expect("the plot");
    assert!(plot.starts_with("<svg ") && plot.ends_with("</svg>\n"), "{plot}");
    assert_eq!(case.names("."), ["corpus", "plot.svg", "tmp"]);
    case.finish();
}

#[test]
fn json_holds_every_run() {
    let case = Case::new();
    corpus(&case);
    let options = ["--json", "--progress", "never", "--executor", "threads", "corpus"];
    let finished = tune(&case, WORD_COUNT, &options).assert_code(0);
    assert!(finished.stderr.is_empty(), "{finished}");
    let told: Value = serde_json::from_slice(&finished.stdout).expect("JSON");
    assert_eq!(told["sample"]["input_files"], 20);
    let chunks = &told["comparisons"][0];
    assert_eq!(chunks["axis"], "chunk_size");
    assert_eq!(chunks["settings"][0]["options"]["chunk_size"], Value::Null, "the default is the one to beat");
    let walls = chunks["settings"][0]["seconds"].as_array().expect("runs");
    assert!(!walls.is_empty() && walls.iter().all(|wall| wall.as_f64().is_some_and(|wall| wall > 0.0)));
    assert!(told["why"].as_array().is_some_and(|why| !why.is_empty()) && told["command"].is_string());
    case.finish();
}

#[test]
fn a_program_without_input_is_tuned_on_its_own_sample() {
    let case = Case::new();
    let finished = tune(&case, WORD_COUNT, &[]).assert_code(0);
    assert!(finished.stdout_text().starts_with("Sample: the whole input"), "{finished}");
    case.finish();
}

#[test]
fn what_makes_no_sense_is_refused() {
    let case = Case::new();
    case.file("in.txt", "a\n");
    case.file("empty", "");
    case.file("there.svg", "dear to somebody");
    let cases: &[(&[&str], &[&str])] = &[
        (&["in.txt", "--tune", "-o", "out"], &["--tune", "--output"]),
        (&["in.txt", "--tune-time", "5s"], &["--tune"]),
        (&["in.txt", "--tune-plot", "a.svg"], &["--tune"]),
        (&["in.txt", "--tune", "--tune-time", "0s"], &["--tune-time", "second"]),
        (&["in.txt", "--tune", "--tune-plot", "there.svg"], &["there.svg", "--overwrite"]),
        (&["in.txt", "--tune", "--tune-plot", "no/a.svg"], &["--tune-plot", "no/a.svg"]),
        (&["in.txt", "--tune", "--overwrite"], &["--overwrite", "--tune-plot"]),
        (&["in.txt", "--tune", "-c", "1", "-w", "1", "-r", "1"], &["--tune", "nothing to try"]),
        (&["in.txt", "--tune", "-w", "0"], &["--workers", "at least 1"]),
        (&["-", "--tune"], &["--tune", "standard input"]),
        (&["--tune"], &["--tune", "no input"]),
        (&["missing", "--tune"], &["missing", "no such file"]),
        (&["empty", "--tune"], &["--tune", "empty"]),
    ];
    for (arguments, named) in cases {
        let finished = case.command(JOBS).arg("words").args(*arguments).run().assert_code(2);
        let error = finished.stderr_text();
        assert!(finished.stdout.is_empty() && error.starts_with("error: "), "{arguments:?}: {finished}");
        for name in *named {
            assert!(error.contains(name), "{arguments:?}: {name} is not in the message: {error}");
        }
    }
    assert_eq!(case.names("."), ["empty", "in.txt", "there.svg", "tmp"]);
    case.finish();
}

#[test]
fn an_error_of_the_job_is_the_jobs() {
    let case = Case::new();
    case.file("in.txt", "one\nboom\n");
    let options = ["words", "--fault", "err", "--at", "map", "in.txt", "--tune"];
    let finished = case.command(FIXTURE).args(options).run().assert_code(1);
    assert!(finished.stderr_text().contains("failed in map"), "{finished}");
    assert!(finished.stdout.is_empty(), "{finished}");
    case.finish();
}

#[test]
fn an_interrupt_ends_it_with_what_is_known() {
    let case = Case::new();
    corpus(&case);
    let mut running = case.command(WORD_COUNT).args(["--tune", "corpus"]).spawn();
    running.wait_for_stderr("numbers of partitions", LIMIT);
    running.signal(Signal::INT);
    let finished = running.wait().assert_code(130);
    let text = finished.stdout_text();
    assert!(text.contains("chunk size") && text.contains("It was stopped before"), "{finished}");
    assert!(finished.stderr_text().contains("stopped by SIGINT"), "{finished}");
    case.finish();
}
