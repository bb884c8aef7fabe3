//! The order of keys in and across parts: their own, that of their hashes, and ranges of them.
//!
//! That results are right in every order is tested in `shuffles`.

use std::collections::BTreeMap;
use std::fs;

use gristmill_testkit::text::SplitMix64;
use gristmill_tests::case::Case;
use gristmill_tests::pairs::{self, Keys, Pairs};
use xxhash_rust::xxh3::xxh3_64;

const SHUFFLE: &str = env!("CARGO_BIN_EXE_shuffle");
const SORT: &str = env!("CARGO_BIN_EXE_sort_records");

type Parts = BTreeMap<String, Vec<u8>>;

fn run(case: &Case, what: &str, arguments: &[&str]) -> Parts {
    let always = ["shuffle", "in", "-o", "out", "--overwrite", "--progress", "never", "--what", what];
    case.command(SHUFFLE).args(always).args(arguments).run().assert_code(0);
    case.parts("out")
}

/// The lines of a part with the keys that they begin with, which need no escapes.
fn keyed_lines(part: &[u8]) -> Vec<(&[u8], &[u8])> {
    let line = |line: &'_ [u8]| line.iter().position(|&byte| byte == b'\t').expect("a key ends with a tab");
    part.split_inclusive(|&byte| byte == b'\n').map(|all| (&all[..line(all)], all)).collect()
}

/// Keys of 1 to 40 letters.
fn plain_pairs(seed: u64, count: u64) -> Pairs {
    let random = &mut SplitMix64::new(seed);
    let letter = |random: &mut SplitMix64| b'a' + random.below(4).to_le_bytes()[0];
    let pair = |n: u64| {
        let len = 1 + random.below(40);
        ((0..len).map(|_| letter(random)).collect(), n.cast_signed())
    };
    (0..count).map(pair).collect()
}

#[test]
fn any_order_is_that_of_hash_and_key_and_changes_no_line() {
    let case = Case::new();
    pairs::write(&case, &plain_pairs(1, 3000));
    for what in ["fold-u64", "group-text", "combine-reduce"] {
        let by_key = run(&case, what, &["-r", "5", "-w", "2", "-c", "4K"]);
        for ways in [["-w", "1", "-c", "1K"], ["-w", "3", "-c", "1G"]] {
            let any = run(&case, what, &[&["-r", "5", "--any-order"], &ways[..]].concat());
            for (name, part) in &any {
                let lines = keyed_lines(part);
                let ranks: Vec<_> = lines.iter().map(|(key, _)| (xxh3_64(key), *key)).collect();
                assert!(ranks.is_sorted_by(|a, b| a < b), "{what}, {name}, {ways:?}");
                let mut sorted = lines;
                sorted.sort();
                assert_eq!(sorted, keyed_lines(&by_key[name]), "{what}, {name}, {ways:?}");
            }
        }
    }
    case.finish();
}

#[test]
fn parts_by_range_are_in_order_and_about_even() {
    let case = Case::new();
    let input = pairs::pairs(Keys::Distinct, 3, 20_000);
    pairs::write(&case, &input);
    let rows = pairs::rows("fold-u64", &input, 0, 1);
    let all: Vec<u8> = rows.iter().flat_map(|(_, line)| line).copied().collect();
    let mut first = None;
    for (executor, workers, chunk) in
        [("inline", "1", "1G"), ("threads", "3", "10K"), ("processes", "2", "64K")]
    {
        let parts = run(
            &case,
            "fold-u64",
            &["--by", "range", "-r", "4", "--executor", executor, "-w", workers, "-c", chunk],
        );
        let together: Vec<u8> = parts.values().flatten().copied().collect();
        assert!(together == all, "{executor}: the parts together are not in order");
        for (name, part) in &parts {
            let share = part.len() * 100 / all.len();
            assert!((15..=35).contains(&share), "{name} has {share} % of the output");
        }
        let first = first.get_or_insert_with(|| parts.clone());
        assert!(*first == parts, "{executor}: the borders are others");
    }
    case.finish();
}

/// Half of all records have one key, three quarters one prefix of eight bytes.
#[test]
fn ranges_of_skewed_keys_are_in_order() {
    let case = Case::new();
    let random = &mut SplitMix64::new(9);
    let pair = |n: i64| match random.below(4) {
        0 | 1 => (b"aaaaaaaa-the-giant".to_vec(), n),
        2 => (format!("aaaaaaaa{}", random.below(50)).into_bytes(), n),
        _ => (format!("{:x}", random.below(1000)).into_bytes(), n),
    };
    let input: Pairs = (0..8000).map(pair).collect();
    pairs::write(&case, &input);
    for what in ["fold-u64", "group-text"] {
        let rows = pairs::rows(what, &input, 0, 1);
        let all: Vec<u8> = rows.iter().flat_map(|(_, line)| line).copied().collect();
        for partitions in ["2", "7", "100"] {
            let parts = run(&case, what, &["--by", "range", "-r", partitions, "-w", "2", "-c", "3K"]);
            let together: Vec<u8> = parts.values().flatten().copied().collect();
            assert!(together == all, "{what}, {partitions} parts: together they are not in order");
        }
    }
    case.finish();
}

/// The sample sees what the mapper emits, which is more than there are records, and any order gives way to ranges.
#[test]
fn ranges_are_kept_where_any_order_would_do() {
    let case = Case::new();
    let input = plain_pairs(4, 2000);
    pairs::write(&case, &input);
    let ranges = ["--by", "range", "-r", "3", "-w", "2", "-c", "2K", "--times", "3"];
    let one = run(&case, "group-text", &ranges);
    let other = run(&case, "group-text", &[&ranges[..], &["--any-order"]].concat());
    assert!(one == other);
    let all: Vec<u8> = one.into_values().flatten().collect();
    let keys: Vec<_> = keyed_lines(&all).into_iter().map(|(key, _)| key.to_vec()).collect();
    assert!(keys.is_sorted_by(|a, b| a < b));
    case.finish();
}

/// Records of 16 bytes: 3 of key, of which there are few, and the rest that tells their places in the input.
#[test]
fn a_sort_of_records_is_stable_however_it_is_run() {
    let case = Case::new();
    let random = &mut SplitMix64::new(5);
    let mut records: Vec<Vec<u8>> = (0..20_000)
        .map(|n: u32| {
            let key = if random.below(3) == 0 { 7 } else { random.below(200) };
            [&key.to_be_bytes()[5..], format!("{n:013}").as_bytes()].concat()
        })
        .collect();
    for (file, chunk) in records.chunks(7000).enumerate() {
        case.file(format!("in/{file}.bin"), chunk.concat());
    }
    records.sort_by(|a, b| a[..3].cmp(&b[..3]));
    let mut first = None;
    for (executor, workers, chunk, memory) in [
        ("inline", "1", "1G", "1GiB"),
        ("threads", "2", "1000", "24MiB"),
        ("processes", "2", "64K", "24MiB"),
        ("processes", "5", "20K", "36MiB"),
    ] {
        let options = ["in", "-o", "out", "--overwrite", "--progress", "never", "-r", "4", "--key-len", "3"];
        let way = ["--executor", executor, "-w", workers, "-c", chunk, "-m", memory, "--record-len", "16"];
        case.command(SORT).args(options).args(way).run().assert_code(0);
        let parts = case.parts("out");
        let together: Vec<u8> = parts.values().flatten().copied().collect();
        assert!(together == records.concat(), "{executor}: the records are not in order");
        let first = first.get_or_insert_with(|| parts.clone());
        assert!(*first == parts, "{executor}: the borders are others");
    }
    drop(fs::remove_dir_all(case.path("out")));
    case.finish();
}
