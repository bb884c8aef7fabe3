//! Memory: what a job takes up, accumulators that grow, and records, keys and values larger than the budget.
//!
//! That spilling changes no result is tested in `shuffles` and `equivalence`.

use std::fs;
use std::time::Duration;

use gristmill_testkit::command::Running;
use gristmill_testkit::process_tree::ProcessTree;
use gristmill_testkit::text::SplitMix64;
use gristmill_tests::case::Case;
use gristmill_tests::pairs::{self, Pairs};

const JOBS: &str = env!("CARGO_BIN_EXE_jobs");
const SHUFFLE: &str = env!("CARGO_BIN_EXE_shuffle");

/// The most memory that the program and everything below it took up at one moment, as often as it was looked at.
fn peak_bytes(running: &Running) -> u64 {
    let mut peak = 0;
    while !running.exits_within(Duration::from_millis(4)) {
        let family = ProcessTree::descendants_of(running.pid());
        let pids = family.processes().iter().map(|process| process.pid);
        peak = peak.max(pids.chain([running.pid()]).map(resident_bytes).sum());
    }
    peak
}

/// What is resident of a process, of which files that it maps are some; 0 if it is gone.
fn resident_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
    line.trim().trim_end_matches("kB").trim().parse::<u64>().expect("a number of KiB") << 10
}

/// 2,000,000 values of 64 bytes: 176 MB as they stand in the runs.
#[test]
fn one_key_with_two_million_values_keeps_the_budget() {
    const MIB: u64 = 1 << 20;
    let case = Case::limited(Duration::from_secs(120));
    case.file("in.txt", "250000\n".repeat(8));
    for (executor, workers, budget) in [("processes", 2, 40), ("threads", 2, 40), ("processes", 1, 24)] {
        let (count, memory) = (workers.to_string(), format!("{budget}MiB"));
        let running = case
            .command(JOBS)
            .args(["million", "in.txt", "-o", executor, "--overwrite", "--progress", "never", "-r", "1"])
            .args(["-c", "7", "--executor", executor, "-w", &count, "-m", &memory])
            .limit(Duration::from_secs(100))
            .spawn();
        let peak = peak_bytes(&running);
        running.wait().assert_code(0);
        assert_eq!(case.lines(executor), ["one key\t2000000 values, 7 restarts"], "{executor}");
        let most = (budget + 32 + 16 * workers) * MIB;
        assert!(
            peak <= most,
            "{executor}, {workers} workers, {memory}: {} MiB were taken up, not {}",
            peak / MIB,
            most / MIB
        );
        assert!(peak > 4 * MIB, "{executor}: nothing was measured: {peak} bytes");
    }
    case.finish();
}

/// 200 lists of 3,000 numbers: 4.8 MB, where a worker has 4 MiB and its table half of that.
#[test]
fn accumulators_that_grow_are_spilled_and_still_right() {
    let case = Case::limited(Duration::from_secs(120));
    let random = &mut SplitMix64::new(2);
    let pair = |n: i64| {
        (format!("key {}", n % 200).replace(' ', "-").into_bytes(), random.below(1 << 40).cast_signed())
    };
    let input: Pairs = (0..600_000).map(pair).collect();
    pairs::write(&case, &input);
    let want = pairs::parts(&pairs::rows("fold-lists", &input, 0, 1), 1, false, false);
    for (executor, workers, memory) in [("inline", "1", "20MiB"), ("processes", "2", "24MiB")] {
        let arguments = ["shuffle", "--what", "fold-lists", "in", "-o", "out", "--overwrite", "-r", "1"];
        let way = ["--executor", executor, "-w", workers, "-m", memory, "--progress", "never"];
        case.command(SHUFFLE).args(arguments).args(way).run().assert_code(0);
        assert!(case.parts("out") == want, "{executor}: the lists differ");
    }
    case.finish();
}

/// Each of them larger than the whole budget of 20 MiB.
const HUGE: usize = 24 << 20;

#[test]
fn keys_and_values_larger_than_the_budget_go_through() {
    let case = Case::limited(Duration::from_secs(120));
    case.file("in.txt", "abcd\nefgh\nabcd\n");
    let (abcd, efgh) = ("abcd".repeat(HUGE / 4), "efgh".repeat(HUGE / 4));
    let mut want = [
        format!("abcd\t{abcd}{abcd}"),
        format!("efgh\t{efgh}"),
        format!("{abcd}\tabcdabcd"),
        format!("{efgh}\tefgh"),
    ];
    want.sort();
    let bytes = HUGE.to_string();
    for executor in ["inline", "threads", "processes"] {
        let arguments =
            ["huge", "--bytes", &bytes, "in.txt", "-o", "out", "--overwrite", "-r", "1", "-w", "1"];
        let way = ["--executor", executor, "-m", "20MiB", "--progress", "never"];
        case.command(JOBS).args(arguments).args(way).run().assert_code(0);
        let mut lines = case.lines("out");
        lines.sort();
        assert!(lines == want, "{executor}: the output differs");
    }
    case.finish();
}

#[test]
fn records_larger_than_the_budget_are_folded_and_grouped() {
    let case = Case::limited(Duration::from_secs(120));
    let key = vec![b'k'; HUGE];
    let input = vec![(b"a".to_vec(), 1), (key.clone(), 2), (b"b".to_vec(), 3), (key, 5)];
    pairs::write(&case, &input);
    for (job, order) in
        [("fold-u64", &[][..]), ("group-refs", &["--any-order"]), ("fold-text", &["--by", "range"])]
    {
        let rows = pairs::rows(job, &input, 0, 1);
        let want = pairs::parts(&rows, 1, false, order == ["--any-order"]);
        for executor in ["inline", "processes"] {
            let arguments =
                ["shuffle", "--what", job, "in", "-o", "out", "--overwrite", "-r", "1", "-w", "1"];
            let way = ["--executor", executor, "-m", "20MiB", "--progress", "never"];
            case.command(SHUFFLE).args(arguments).args(way).args(order).run().assert_code(0);
            assert!(case.parts("out") == want, "{job}, {executor}: the output differs");
        }
    }
    case.finish();
}

/// Every partition wants a chunk of memory of its own: together far more than the 4 MiB that the worker has.
#[test]
fn more_partitions_than_there_is_memory_for() {
    let case = Case::limited(Duration::from_secs(120));
    let input = pairs::pairs(pairs::Keys::Distinct, 8, 6000);
    pairs::write(&case, &input);
    for job in ["fold-u64", "group-text"] {
        let want = pairs::parts(&pairs::rows(job, &input, 0, 1), 3000, false, false);
        let arguments = ["shuffle", "--what", job, "in", "-o", "out", "--overwrite", "-r", "3000"];
        let way = ["--executor", "inline", "-m", "20MiB", "--progress", "never"];
        case.command(SHUFFLE).args(arguments).args(way).run().assert_code(0);
        assert!(case.parts("out") == want, "{job}: the parts differ");
    }
    case.finish();
}
