//! Runs the whole comparison on very little data, with shell scripts in the place of our example programs.
//!
//! It says nothing about speed.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use gristmill_testkit::command::{Finished, Signal, TestCommand};
use gristmill_testkit::process_tree::ProcessTree;
use tempfile::TempDir;

const PEERS: &str = env!("CARGO_BIN_EXE_peers");
/// Sets `out` and `input` as our programs are told them, and has the workload done by the plain program.
const HONEST: &str =
    "while [ $# -gt 1 ]; do [ \"$1\" = -o ] && out=$2; shift; done; \"$PEERS\" naive $JOB \"$1\" \"$out\"";
const MOMENT: Duration = Duration::from_secs(10);

/// A folder for everything that the program reads and writes.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        fs::create_dir(folder.path().join("ours")).expect("a folder can be made");
        Self(folder)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Puts a script where an example program of ours would be.
    fn ours(&self, name: &str, job: &str, script: &str) {
        let path = self.at("ours").join(name);
        let text = format!("#!/bin/sh\nPEERS='{PEERS}' JOB={job}\n{script}\n");
        fs::write(&path, text).expect("it can be written");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("it is ours");
    }

    fn command(&self, arguments: &[&str]) -> TestCommand {
        let mut command =
            TestCommand::new(PEERS).args(["--scale", "0.0005", "--runs", "1", "--machine", "box"]);
        for folder in ["data", "ours", "results", "venv"] {
            command = command.arg(format!("--{folder}")).arg(self.at(folder));
        }
        command.args(arguments)
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        self.command(arguments).run()
    }

    /// The result that ends with `suffix`, the only one there is.
    fn result(&self, suffix: &str) -> String {
        let results = files(&self.at("results"));
        let found: Vec<&PathBuf> =
            results.iter().filter(|path| path.to_string_lossy().ends_with(suffix)).collect();
        assert_eq!(found.len(), 1, "{results:?}");
        fs::read_to_string(found[0]).expect("it is text")
    }

    fn assert_scratch_is_gone(&self) {
        let left = files(&self.at("data"));
        assert!(!left.iter().any(|path| path.to_string_lossy().contains("run-")), "{left:?}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder was made");
    entries.map(|entry| entry.expect("it can be listed").path()).collect()
}

/// Waits until a script has made a file.
fn wait_for(path: &Path) {
    let deadline = Instant::now() + MOMENT;
    while !path.exists() {
        assert!(Instant::now() < deadline, "{} does not appear", path.display());
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

#[test]
fn all_workloads_are_compared_and_written_down() {
    let bench = Bench::new();
    bench.ours("wordcount", "w1", HONEST);
    bench.ours("sum_by_key", "w2", HONEST);
    bench.ours("inverted_index", "w3", HONEST);
    bench.run(&["--opponent", "naive,sort"]).assert_code(0);
    let table = bench.result("-box.md");
    for title in
        ["W1 word count", "W1 word count, small", "W2 sum by key", "W3 inverted index", "W4 sort records"]
    {
        assert!(table.contains(&format!("## {title}\n")), "{title} is not in\n{table}");
    }
    assert!(table.contains("| `sort_records` | skipped: there is no "), "{table}");
    assert_eq!(table.matches("| rayon and a HashMap | 0.").count(), 5, "{table}");
    assert_eq!(table.matches("| GNU sort | 0.").count(), 1, "{table}");
    assert!(bench.result("-box.svg").ends_with("</svg>\n"));
    bench.assert_scratch_is_gone();
}

#[test]
fn a_wrong_output_fails_the_comparison_and_has_no_time() {
    let bench = Bench::new();
    bench.ours("wordcount", "w1", &format!("{HONEST}; echo 'extra\t1' >> \"$out/part-00000\""));
    let finished = bench.run(&["--workload", "w1", "--opponent", "naive"]).assert_code(1);
    let said = finished.stderr_text();
    assert!(said.contains("error: w1 wordcount --tokenizer whitespace: wrong output"), "{said}");
    assert!(said.contains("\"extra\\t1\" is too much"), "{said}");
    assert!(bench.result("-box.md").contains("| `wordcount --tokenizer plain` | wrong output: "));
}

#[test]
fn an_option_that_a_program_does_not_know_is_skipped() {
    let bench = Bench::new();
    let script =
        format!("case \"$*\" in *any-order*) echo \"unexpected argument '$1'\" >&2; exit 2;; esac; {HONEST}");
    bench.ours("sum_by_key", "w2", &script);
    bench.run(&["--workload", "w2", "--opponent", "naive"]).assert_code(0);
    assert!(bench.result("-box.md").contains("| `sum_by_key --any-order` | skipped: "));
}

#[test]
fn what_takes_too_long_is_ended_and_told() {
    let bench = Bench::new();
    bench.ours("sort_records", "w4", "sleep 1000 & sleep 1001");
    bench.run(&["--workload", "w4", "--opponent", "naive", "--limit", "300ms"]).assert_code(1);
    let table = bench.result("-box.md");
    assert!(table.contains("| `sort_records` | over 0.3 s |"), "{table}");
}

#[test]
fn missing_opponents_are_named() {
    let bench = Bench::new();
    let (workload, opponents) = (["--workload", "w4"], ["--opponent", "naive,yardstick"]);
    let yardstick = ["--yardstick", "/no/such/program"];
    bench.run(&[workload, opponents, yardstick].concat()).assert_code(0);
    assert!(bench.result("-box.md").contains("| yardstick | skipped: there is no /no/such/program |"));
}

#[test]
fn an_interrupt_ends_everything_and_leaves_nothing() {
    let bench = Bench::new();
    let script = format!("sh -c ': > {}; exec sleep 1000' & sleep 1001", bench.at("marker").display());
    bench.ours("sort_records", "w4", &script);
    let mut running = bench.command(&["--workload", "w4", "--opponent", "naive"]).spawn();
    running.wait_for_stderr("for its output", MOMENT);
    wait_for(&bench.at("marker"));
    let tree = ProcessTree::descendants_of(running.pid());
    running.signal(Signal::INT);
    running.wait().assert_code(130);
    assert!(tree.processes().len() >= 3, "{tree}");
    tree.assert_gone_within(MOMENT);
    bench.assert_scratch_is_gone();
}
