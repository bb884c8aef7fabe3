//! Processes, threads and one thread give the same bytes, and those of a naive reference.
//!
//! The inputs, worker counts, chunk sizes, partition counts and memory budgets vary with a seed that a failure
//! names. What may go wrong with inputs and outputs is tested elsewhere.

use std::collections::BTreeMap;
use std::time::Duration;

use gristmill_testkit::text::{SplitMix64, ZipfText, random_lines};
use gristmill_tests::case::Case;
use gristmill_tests::expected;

const JOBS: &str = env!("CARGO_BIN_EXE_jobs");

/// One way to run a job.
#[derive(Debug, Clone)]
struct Way {
    executor: &'static str,
    workers: u64,
    chunk: u64,
    memory: Option<&'static str>,
}

/// Runs `job` over the folder `in` and returns its part files.
fn run(case: &Case, job: &[&str], partitions: u32, way: &Way) -> BTreeMap<String, Vec<u8>> {
    let mut command = case.command(JOBS).args(job).args(["in", "-o", "out", "--progress", "never"]);
    command = command.args(["--executor", way.executor, "-r", &partitions.to_string()]);
    command = command.args(["-c", &way.chunk.to_string(), "-w", &way.workers.to_string()]);
    if let Some(memory) = way.memory {
        command = command.args(["-m", memory]);
    }
    let finished = command.run().assert_code(0);
    assert!(finished.stderr.is_empty(), "it has something to complain: {finished}");
    let parts = case.parts("out");
    std::fs::remove_dir_all(case.path("out")).expect("the output can be removed");
    parts
}

fn one_of<T: Copy>(random: &mut SplitMix64, choices: &[T]) -> T {
    choices[usize::try_from(random.below(choices.len() as u64)).expect("it is an index")]
}

/// Files of 0 to about `longest` bytes; with `text` they are UTF-8.
fn files(random: &mut SplitMix64, text: bool, longest: u64) -> Vec<Vec<u8>> {
    let count = 1 + random.below(6);
    (0..count).map(|_| file(random, text, longest)).collect()
}

fn file(random: &mut SplitMix64, text: bool, longest: u64) -> Vec<u8> {
    let target = random.below(longest + 1);
    let lines = usize::try_from(target / 30).expect("a small number");
    let mut content = match random.below(5) {
        0 => Vec::new(),
        1 | 2 if !text => random_lines(random.next_u64(), lines, 60),
        1 => "zwei Wörter\tund\\mehr \u{0}\u{7f}\r\n\n  ß€𝄞 ".repeat(lines / 2).into_bytes(),
        2 => vec![b'x'; usize::try_from(target).expect("a small number")],
        3 => ZipfText::new(random.next_u64(), 200).lines(lines).replace('\n', "\r\n").into_bytes(),
        _ => ZipfText::new(random.next_u64(), 2000).lines(lines).into_bytes(),
    };
    match random.below(3) {
        0 => drop(content.pop_if(|byte| *byte == b'\n')),
        1 => content.extend(b"\r\n\n\r"),
        _ => {}
    }
    content
}

/// Ways for each executor; tiny chunks only where that does not make thousands of tasks.
fn ways(random: &mut SplitMix64, total: u64) -> Vec<Way> {
    let least = total / 400 + 1;
    let way = |executor, workers| Way { executor, workers, chunk: 0, memory: None };
    let mut ways = vec![way("inline", 1)];
    ways.push(way("threads", 1 + random.below(7)));
    ways.push(way("processes", 1 + random.below(7)));
    for way in &mut ways {
        way.chunk = one_of(random, &[1, 2, 7, 64, 1000, 4096, 1 << 20, 1 << 40]).max(least);
    }
    ways
}

/// Writes the files and returns their total size.
fn write(case: &Case, files: &[Vec<u8>]) -> u64 {
    if case.path("in").exists() {
        std::fs::remove_dir_all(case.path("in")).expect("the input can be removed");
    }
    for (number, content) in files.iter().enumerate() {
        case.file(format!("in/{number:02}.txt"), content);
    }
    files.iter().map(|content| content.len() as u64).sum()
}

fn shuffled_job(
    seeds: std::ops::Range<u64>,
    job: &str,
    text: bool,
    expect: fn(&[Vec<u8>]) -> expected::Rows,
) {
    let case = Case::new();
    for seed in seeds {
        // Shown only if the test fails.
        println!("seed {seed}");
        let mut random = SplitMix64::new(seed);
        let longest = one_of(&mut random, &[20, 200, 4000, 60_000]);
        let files = files(&mut random, text, longest);
        let total = write(&case, &files);
        let partitions = u32::try_from(one_of(&mut random, &[1, 2, 3, 8, 64])).expect("a small number");
        let want = expected::parts(&expect(&files), partitions);
        for way in ways(&mut random, total) {
            let parts = run(&case, &[job], partitions, &way);
            assert!(
                parts == want,
                "{job}, seed {seed}, {total} bytes, {partitions} partitions, {way:?}: the parts differ"
            );
        }
    }
    case.finish();
}

#[test]
fn a_fold_of_byte_strings_agrees() {
    shuffled_job(0..14, "byte-words", false, expected::word_counts);
}

#[test]
fn a_fold_of_strings_agrees() {
    shuffled_job(100..110, "words", true, expected::word_counts);
}

#[test]
fn values_come_in_the_order_of_the_input() {
    shuffled_job(200..216, "positions", false, expected::positions);
}

#[test]
fn a_map_only_job_keeps_the_order_of_the_input() {
    let case = Case::new();
    for seed in 300..312 {
        // Shown only if the test fails.
        println!("seed {seed}");
        let mut random = SplitMix64::new(seed);
        let files = files(&mut random, true, 5000);
        let total = write(&case, &files);
        let partitions = u32::try_from(1 + random.below(9)).expect("a small number");
        let filter = one_of(&mut random, &["", "a", "x", "nowhere"]);
        let mut first = None;
        for way in ways(&mut random, total) {
            let parts = run(&case, &["upper", "--containing", filter], partitions, &way);
            let context = format!("seed {seed}, {total} bytes, {partitions} partitions, {way:?}");
            assert!(parts.keys().all(|name| name.starts_with("part-m-")), "{context}: {:?}", parts.keys());
            assert_eq!(parts.len(), partitions as usize, "{context}");
            let all: Vec<u8> = parts.values().flatten().copied().collect();
            assert!(all == expected::upper(&files, filter), "{context}: the output differs");
            let first = first.get_or_insert_with(|| parts.clone());
            assert!(*first == parts, "{context}: the parts are cut at other places");
        }
    }
    case.finish();
}

/// 40,000 values of 600 bytes against 4 MiB for each worker: several spills, and merges of many runs.
#[test]
fn spilled_values_keep_their_order() {
    let case = Case::limited(Duration::from_secs(120));
    let mut text = ZipfText::new(7, 500);
    let line = |text: &mut ZipfText| (0..100).map(|_| text.word() + " of ").collect::<String>() + "\n";
    let files: Vec<Vec<u8>> =
        (0..4).map(|_| (0..100).map(|_| line(&mut text)).collect::<String>().into()).collect();
    write(&case, &files);
    let want = expected::parts(&expected::positions(&files), 3);
    for (executor, workers, chunk, memory) in [
        ("inline", 1, 1 << 30, "20MiB"),
        ("inline", 1, 5000, "1GiB"),
        ("threads", 3, 20_000, "28MiB"),
        ("processes", 2, 30_000, "24MiB"),
    ] {
        let way = Way { executor, workers, chunk, memory: Some(memory) };
        assert!(run(&case, &["positions"], 3, &way) == want, "{way:?}: the parts differ");
    }
    case.finish();
}

/// A table of 150,000 different words against 4 MiB for each worker.
#[test]
fn spilled_tables_are_folded_again() {
    let case = Case::limited(Duration::from_secs(120));
    let mut random = SplitMix64::new(11);
    let mut line = || (0..10).map(|_| format!("{:x} ", random.below(1 << 18))).collect::<String>() + "\n";
    let files: Vec<Vec<u8>> =
        (0..3).map(|_| (0..10_000).map(|_| line()).collect::<String>().into()).collect();
    write(&case, &files);
    let want = expected::parts(&expected::word_counts(&files), 4);
    for (executor, workers, chunk, memory) in [
        ("inline", 1, 1 << 30, "20MiB"),
        ("threads", 2, 100_000, "24MiB"),
        ("processes", 2, 150_000, "24MiB"),
        ("processes", 5, 100_000, "1GiB"),
    ] {
        let way = Way { executor, workers, chunk, memory: Some(memory) };
        assert!(run(&case, &["byte-words"], 4, &way) == want, "{way:?}: the parts differ");
    }
    case.finish();
}
