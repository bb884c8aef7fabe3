//! Workers that are stopped or deaf, floods of output, huge records: no hang, and memory that stays within bounds.
//!
//! Frames that are garbage are tested in the pool, which alone can send them.

use std::fs;
use std::time::Duration;

use gristmill_testkit::command::{Finished, Running, TestCommand};
use gristmill_testkit::process_tree::ProcessTree;
use gristmill_testkit::text::SplitMix64;
use gristmill_tests::boom;
use gristmill_tests::case::Case;
use gristmill_tests::seed::seed;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture");
const LIMIT: Duration = Duration::from_secs(60);
/// What a coordinator may take up whatever its workers send: rings for their records, tails, and the program itself.
const BOUND_KIB: u64 = 192 << 10;

fn words(case: &Case, options: &[&str]) -> TestCommand {
    boom::words(case, FIXTURE, "in.txt", "out").args(["-w", "2", "--json"]).args(options).limit(LIMIT)
}

fn case() -> Case {
    let case = Case::limited(Duration::from_secs(180));
    case.file("in.txt", boom::text());
    case
}

fn lost_attempts(finished: &Finished) -> u64 {
    let summary: Value = serde_json::from_str(&finished.stdout_text()).expect("a summary");
    summary["lost_attempts"].as_u64().expect("a number")
}

/// The largest resident size of a program until its end.
fn peak_kib(running: &Running) -> u64 {
    let mut peak = 0;
    while !running.exits_within(Duration::from_millis(20)) {
        let status = fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(peak);
    }
    peak
}

/// A worker that stops by itself at a certain place is killed for it, its task is done elsewhere, and nobody else is
/// held up.
#[test]
fn a_worker_that_is_stopped_blocks_its_own_task_alone() {
    // Right after an order has come, in the middle of a commit, of a reduce task, and of a part file.
    for place in ["setup", "map", "commit", "reduce", "output"] {
        let case = case();
        let mark = case.path("mark").display().to_string();
        let options =
            ["--fault", "stop", "--at", place, "--once", "--mark", &mark, "--task-timeout", "700ms"];
        let finished = words(&case, &options).run().assert_code(0);
        assert!(case.path("mark").exists(), "{place}: {finished}");
        assert_eq!(lost_attempts(&finished), 1, "{place}: {finished}");
        let told = "nothing was finished within 700ms (--task-timeout)";
        assert!(finished.stderr_text().contains(told), "{place}: {finished}");
        assert!(finished.elapsed < Duration::from_secs(10), "{place}: {finished}");
        boom::assert_counted(&case, "out", &boom::text(), place);
        case.finish();
    }
}

/// As by a debugger or a terminal: before it is ready, in the middle of a message, or with nothing to do.
#[test]
fn a_worker_stopped_from_outside_at_any_moment_holds_nobody_up() {
    let mut random = SplitMix64::new(seed());
    let case = case();
    let options = ["--slow", "3", "--task-timeout", "700ms"];
    let whole = words(&case, &options).run().assert_code(0).elapsed;
    let (mut stopped, mut longest) = (0, Duration::ZERO);
    for run in 0..12 {
        fs::remove_dir_all(case.path("out")).expect("the output of the run before");
        let running = words(&case, &options).spawn();
        let moment = whole.mul_f64(random.below(1000) as f64 / 1000.0);
        if !running.exits_within(moment) {
            let workers = ProcessTree::children_of(running.pid());
            if let Some(victim) = workers.processes().get(random.below(2) as usize) {
                let pid = Pid::from_raw(victim.pid.cast_signed()).expect("a process id");
                stopped += u32::from(kill_process(pid, Signal::STOP).is_ok());
            }
        }
        let finished = running.wait();
        assert_eq!(finished.code(), Some(0), "run {run}, stopped after {moment:?}: {finished}");
        assert!(finished.elapsed < Duration::from_secs(15), "run {run}: {finished}");
        longest = longest.max(finished.elapsed);
        boom::assert_counted(&case, "out", &boom::text(), "after a stop");
        boom::reap_adopted();
    }
    println!("{stopped} workers stopped, the longest run took {longest:?}");
    case.finish();
}

#[test]
fn a_worker_that_ignores_sigterm_is_killed_for_its_hang() {
    let case = case();
    let mark = case.path("mark").display().to_string();
    let hang = ["--ignore-sigterm", "--fault", "hang", "--at", "map", "--once", "--mark", &mark];
    let finished = words(&case, &[&hang[..], &["--task-timeout", "700ms"]].concat()).run().assert_code(0);
    assert_eq!(lost_attempts(&finished), 1, "{finished}");
    assert!(finished.elapsed < Duration::from_secs(10), "{finished}");
    boom::assert_counted(&case, "out", &boom::text(), "after a hang");
    case.finish();
}

/// So many KiB of standard error in each of seven attempts.
fn flood(lines: &str) {
    let case = case();
    let running = words(&case, &["--flood-stderr", lines, "--log-level", "off"]).limit(LIMIT * 5).spawn();
    let peak = peak_kib(&running);
    let finished = running.wait().assert_code(0);
    println!("{peak} KiB in {:?}", finished.elapsed);
    assert!(peak > 0 && peak < BOUND_KIB, "{peak} KiB");
    boom::assert_counted(&case, "out", &boom::text(), "after a flood");
    case.finish();
}

#[test]
fn a_flood_of_64_mib_on_standard_error_is_carried_away() {
    flood("10000");
}

#[test]
#[ignore = "writes a gigabyte through a pipe"]
fn a_flood_of_a_gigabyte_on_standard_error_is_carried_away() {
    flood("160000");
}

/// A record of 100 MB with two words: a key of one, and the whole record as a value in reduce.
#[test]
fn a_record_of_100_mb_goes_through_map_and_reduce() {
    const LEN: usize = 100_000_000;
    let case = Case::limited(Duration::from_secs(180));
    let mut record = vec![b' '; LEN];
    record[7] = b'x';
    record.push(b'\n');
    let short = b"x y\n".repeat(3);
    case.file("in.txt", [&short[..], &record, &short].concat());
    let command = |job: &str| {
        let options = ["-w", "2", "-r", "2", "-c", "1MiB", "--progress", "never", "-o", job, "in.txt"];
        case.command(FIXTURE).arg(job).args(options).limit(LIMIT * 2)
    };
    let running = command("words").spawn();
    let peak = peak_kib(&running);
    running.wait().assert_code(0);
    let mut counts = case.lines("words");
    counts.sort();
    assert_eq!(counts, ["x\t7", "y\t6"]);
    let running = command("lines").spawn();
    let peak = peak.max(peak_kib(&running));
    running.wait().assert_code(0);
    let lines = case.lines("lines").join("\n");
    assert!(lines.contains(&format!("x\tx y|x y|x y|({LEN} bytes)|x y|x y|x y")), "{lines}");
    println!("the coordinator took {peak} KiB");
    assert!(peak < BOUND_KIB, "{peak} KiB");
    case.finish();
}

/// As fast as workers can: none is lost, and none is kept in memory.
#[test]
fn a_flood_of_log_records_is_written_to_the_last() {
    const EACH: usize = 40_000;
    let case = case();
    let each = EACH.to_string();
    let options = ["--log", &each, "--log-file", "log.txt", "--log-level", "off"];
    let running = words(&case, &options).limit(LIMIT * 2).spawn();
    let peak = peak_kib(&running);
    let finished = running.wait().assert_code(0);
    let log = fs::read_to_string(case.path("log.txt")).expect("the log");
    let events = log.lines().filter(|line| line.contains(": event ")).count();
    let attempts = events / EACH;
    println!("{events} records of {attempts} attempts, {peak} KiB in {:?}", finished.elapsed);
    assert!(attempts >= 6 && events % EACH == 0, "{events} records");
    assert!(peak < BOUND_KIB, "{peak} KiB");
    case.finish();
}
