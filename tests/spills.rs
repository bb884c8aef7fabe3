//! Runs that are compressed, and runs that may only take up so much: the output is the same, and the limit holds.
//!
//! The run format itself is tested in the library.

use std::fs;
use std::time::Duration;

use gristmill_testkit::command::TestCommand;
use gristmill_testkit::process_tree::ProcessTree;
use gristmill_testkit::text::SplitMix64;
use gristmill_tests::case::Case;
use gristmill_tests::spilled;
use rustix::process::{Pid, Signal, kill_process};

const JOBS: &str = env!("CARGO_BIN_EXE_jobs");
const EXECUTORS: [&str; 3] = ["inline", "threads", "processes"];
const LIMIT: Duration = Duration::from_secs(60);
/// Little memory, so that map and reduce spill.
const TIGHT: [&str; 8] = ["-c", "256K", "-m", "32MiB", "-r", "2", "--progress", "never"];

/// The jobs that spill, and lines of text that make them spill many times the memory of a worker.
const SPILLING: [(&str, u32); 2] = [("byte-words", 120_000), ("positions", 30_000)];

/// A case with a text of eight words a line, most of them rare.
fn case(lines: u32) -> Case {
    let case = Case::limited(Duration::from_secs(240));
    let mut random = SplitMix64::new(7);
    let mut line = |_| {
        let words: Vec<_> = (0..8).map(|_| format!("word-{:06}", random.below(300_000))).collect();
        words.join(" ") + "\n"
    };
    case.file("in.txt", (0..lines).map(&mut line).collect::<String>());
    case
}

fn job(case: &Case, job: &str, output: &str, options: &[&str]) -> TestCommand {
    case.command(JOBS).args([job, "in.txt", "-o", output]).args(TIGHT).args(options).limit(LIMIT)
}

/// Runs a job with two workers; returns the most that its runs took up.
fn measured(case: &Case, name: &str, output: &str, options: &[&str]) -> u64 {
    let running = job(case, name, output, options).args(["-w", "2"]).spawn();
    let peak = spilled::peak(&running, &case.path(format!("{output}.gristmill/runs")), |_| ());
    running.wait().assert_code(0);
    peak
}

#[test]
fn outputs_do_not_depend_on_the_compression() {
    for (name, lines) in SPILLING {
        let case = case(lines);
        let peak =
            |codec: &str| measured(&case, name, &format!("{name}-{codec}"), &["--spill-compression", codec]);
        let (none, lz4, zstd, auto) = (peak("none"), peak("lz4"), peak("zstd"), peak("auto"));
        println!("{name}: {none} bytes, lz4 {lz4}, zstd {zstd}, auto {auto}");
        assert!(none > 8 << 20, "{name}: only {none} bytes were spilled");
        assert!(lz4 < none * 4 / 5 && zstd < none * 3 / 4, "{name}: {none} bytes, lz4 {lz4}, zstd {zstd}");
        let wanted = case.parts(format!("{name}-none"));
        for codec in ["lz4", "zstd", "auto"] {
            assert!(case.parts(format!("{name}-{codec}")) == wanted, "{name} with {codec}: another output");
        }
        case.finish();
    }
}

#[test]
fn compression_that_would_have_no_effect_is_refused() {
    let case = Case::new();
    case.file("in.txt", "a b\n");
    let refused = job(&case, "upper", "out", &["--spill-compression", "lz4"]).run().assert_code(2);
    assert!(refused.stderr_text().contains("--spill-compression"), "{refused}");
    job(&case, "upper", "out", &["--spill-compression", "none"]).run().assert_code(0);
    case.finish();
}

#[test]
fn a_limit_that_is_too_small_fails_the_job_at_once_and_leaves_nothing() {
    let case = case(30_000);
    for executor in EXECUTORS {
        for name in ["byte-words", "positions", "upper"] {
            let options = ["--executor", executor, "--max-spill", "1000000", "--max-attempts", "5"];
            let finished = job(&case, name, "out", &options).run().assert_code(1);
            let error = finished.stderr_text();
            let told = error.contains("--max-spill: the runs of this job may take up 1000000 bytes;")
                && error.contains("are in use, and")
                && error.contains("attempt 1 of 5");
            assert!(told && !error.contains("panicked"), "{executor}, {name}: {error}");
            assert!(finished.elapsed < Duration::from_secs(20), "{executor}, {name}: {finished}");
            assert!(!case.path("out").exists() && !case.path("out.gristmill").exists());
        }
    }
    let refused = job(&case, "byte-words", "out", &["--max-spill", "0"]).run().assert_code(2);
    assert!(refused.stderr_text().contains("--max-spill"), "{refused}");
    case.finish();
}

#[test]
fn a_limit_that_is_large_enough_holds_and_one_below_it_fails() {
    for (name, lines) in SPILLING {
        let case = case(lines);
        let free = measured(&case, name, &format!("{name}-free"), &["--spill-compression", "none"]);
        let wanted = case.parts(format!("{name}-free"));
        for (percent, code) in [(150, 0), (50, 1)] {
            let (limit, output) = (free * percent / 100, format!("{name}-{percent}"));
            let options = ["--max-spill", &limit.to_string(), "--spill-compression", "none", "-w", "2"];
            let running = job(&case, name, &output, &options).spawn();
            let over = |used| assert!(used <= limit, "{name}: {used} bytes are in use, {limit} may be");
            let peak = spilled::peak(&running, &case.path(format!("{output}.gristmill/runs")), over);
            println!("{name}: {peak} bytes of {limit}, {free} without a limit");
            // A job that fails may be over before it is looked at.
            assert!(code == 1 || peak > limit / 2, "{name}: only {peak} bytes of {limit} were seen");
            running.wait().assert_code(code);
            assert_eq!(case.path(&output).exists(), code == 0);
            // What was committed before is kept.
            fs::remove_dir_all(case.path(format!("{output}.gristmill"))).unwrap_or_default();
        }
        assert!(case.parts(format!("{name}-150")) == wanted, "{name}: another output");
        case.finish();
    }
}

/// What killed workers have claimed comes back: otherwise the job would run short after a few kills.
#[test]
fn the_claims_of_killed_workers_are_given_back() {
    let case = case(30_000);
    let free = measured(&case, "positions", "free", &["--spill-compression", "none"]);
    let limit = free * 13 / 10;
    let options = ["--max-spill", &limit.to_string(), "--spill-compression", "none", "--max-attempts", "100"];
    let running = job(&case, "positions", "out", &options).args(["-w", "2"]).spawn();
    let (mut killed, mut measurements) = (0, 0);
    let each = |used| {
        assert!(used <= limit, "{used} bytes are in use, {limit} may be");
        measurements += 1;
        let workers = ProcessTree::children_of(running.pid());
        if measurements % 4 == 0
            && killed < 10
            && let Some(victim) = workers.processes().iter().max_by_key(|worker| worker.pid)
        {
            let pid = Pid::from_raw(victim.pid.cast_signed()).expect("a process id");
            killed += u32::from(kill_process(pid, Signal::KILL).is_ok());
        }
    };
    spilled::peak(&running, &case.path("out.gristmill/runs"), each);
    running.wait().assert_code(0);
    println!("{killed} workers were killed");
    assert!(killed >= 3 && case.parts("out") == case.parts("free"));
    case.finish();
}
