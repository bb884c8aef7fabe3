//! Every kind of key, value and partitioning gives the same bytes whatever runs it, and those of a naive reference.
//!
//! What the order of keys is for is tested in `orders`, memory limits that hold in `memory`.

use std::collections::BTreeMap;
use std::time::Duration;

use gristmill_tests::case::Case;
use gristmill_tests::pairs::{self, ALL_JOBS, ALL_KEYS, Keys, Pairs};

const SHUFFLE: &str = env!("CARGO_BIN_EXE_shuffle");

/// One way to run a job: executor, workers, chunk size, memory.
type Way = (&'static str, u32, &'static str, &'static str);

/// Chunks from a few lines to everything, budgets from the least there is to plenty. The first way is always taken.
const WAYS: [Way; 9] = [
    ("inline", 1, "1G", "1GiB"),
    ("inline", 1, "1K", "20MiB"),
    ("threads", 1, "3K", "20MiB"),
    ("threads", 2, "1K", "24MiB"),
    ("threads", 5, "1G", "1GiB"),
    ("threads", 5, "4K", "36MiB"),
    ("processes", 1, "5K", "20MiB"),
    ("processes", 2, "1K", "1GiB"),
    ("processes", 5, "2K", "36MiB"),
];

/// How keys go to parts and are ordered there.
#[derive(Debug, Clone, Copy)]
enum Setting {
    Hash,
    AnyOrder,
    Bytes,
    BytesInAnyOrder,
    Range,
}

const SETTINGS: [Setting; 5] =
    [Setting::Hash, Setting::AnyOrder, Setting::Bytes, Setting::BytesInAnyOrder, Setting::Range];

impl Setting {
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Hash => &[],
            Self::AnyOrder => &["--any-order"],
            Self::Bytes => &["--by", "bytes"],
            Self::BytesInAnyOrder => &["--by", "bytes", "--any-order"],
            Self::Range => &["--by", "range"],
        }
    }
}

type Parts = BTreeMap<String, Vec<u8>>;

fn run(case: &Case, job: &[&str], setting: Setting, partitions: u32, way: Way) -> Parts {
    let (executor, workers, chunk, memory) = way;
    let (workers, partitions) = (workers.to_string(), partitions.to_string());
    let finished = case
        .command(SHUFFLE)
        .args(["shuffle", "in", "-o", "out", "--progress", "never", "--what"])
        .args(job)
        .args(setting.options())
        .args(["-r", &partitions, "--executor", executor, "-w", &workers, "-c", chunk, "-m", memory])
        .run()
        .assert_code(0);
    assert!(finished.stderr.is_empty(), "it has something to complain: {finished}");
    let parts = case.parts("out");
    std::fs::remove_dir_all(case.path("out")).expect("the output can be removed");
    parts
}

/// Fails unless `parts` are what `rows` make.
#[track_caller]
fn check(parts: &Parts, rows: &gristmill_tests::expected::Rows, setting: Setting, about: &str) {
    let count = u32::try_from(parts.len()).expect("a small number");
    let (by_bytes, any_order) = match setting {
        Setting::Hash => (false, false),
        Setting::AnyOrder => (false, true),
        Setting::Bytes => (true, false),
        Setting::BytesInAnyOrder => (true, true),
        Setting::Range => {
            let all: Vec<u8> = parts.values().flatten().copied().collect();
            let want: Vec<u8> = rows.iter().flat_map(|(_, line)| line).copied().collect();
            assert!(all == want, "{about}: the parts together are not in order");
            return;
        }
    };
    let want = pairs::parts(rows, count, by_bytes, any_order);
    for (name, bytes) in parts {
        assert!(
            *bytes == want[name],
            "{about}: {name} differs:\n{}\nwanted:\n{}",
            bytes.escape_ascii(),
            want[name].escape_ascii()
        );
    }
}

/// Runs `job` over `input` in the ways with these numbers.
fn agree(
    case: &Case,
    (job, width, times): (&str, usize, usize),
    input: &Pairs,
    setting: Setting,
    partitions: u32,
    ways: &[usize],
) {
    pairs::write(case, input);
    let rows = pairs::rows(job, input, width, times);
    let (width, times) = (width.to_string(), times.to_string());
    let mut first = None;
    for &way in ways {
        let about = format!("{job}, {setting:?}, {partitions} partitions, {:?}", WAYS[way]);
        let arguments = [job, "--width", &width, "--times", &times];
        let parts = run(case, &arguments, setting, partitions, WAYS[way]);
        assert_eq!(parts.len(), partitions as usize, "{about}");
        check(&parts, &rows, setting, &about);
        let first = first.get_or_insert_with(|| parts.clone());
        assert!(*first == parts, "{about}: the borders between the parts are others");
    }
}

/// Every job on every distribution, each time with other settings and in other ways.
fn every_distribution(jobs: &[&str]) {
    let case = Case::limited(Duration::from_secs(120));
    for job in jobs {
        let number = ALL_JOBS.iter().position(|name| name == job).expect("there is such a job");
        for (at, keys) in ALL_KEYS.into_iter().enumerate() {
            let turn = number + at;
            let input = pairs::pairs(keys, turn as u64, 1500);
            // Shown only if the test fails.
            println!("{job}, {keys:?}, seed {turn}");
            let partitions = [1, 3, 8][turn / 5 % 3];
            let ways = [0, 1 + turn % 5, 6 + turn % 3];
            agree(&case, (job, 0, 1), &input, SETTINGS[turn % 5], partitions, &ways);
        }
    }
    case.finish();
}

#[test]
fn folds_of_integers() {
    every_distribution(&["fold-u64", "fold-i32", "fold-u8", "fold-u128"]);
}

#[test]
fn folds_of_other_values_and_keys() {
    every_distribution(&["fold-text", "fold-refs", "fold-pairs", "fold-numbers", "fold-units", "fold-lists"]);
}

#[test]
fn groups_and_combined_groups() {
    every_distribution(&[
        "group-text",
        "group-refs",
        "group-mixed",
        "group-pairs",
        "group-first",
        "combine-reduce",
    ]);
}

/// 60,000 keys of 30 bytes: a table of them takes up more than 4 MiB, which is all that a worker has in most ways.
#[test]
fn folds_that_do_not_fit_are_spilled() {
    let case = Case::limited(Duration::from_secs(120));
    let mut input = pairs::pairs(Keys::Distinct, 5, 60_000);
    for (key, _) in &mut input {
        key.resize(30, b'.');
    }
    input.extend_from_within(..20_000);
    agree(&case, ("fold-u64", 0, 1), &input, Setting::Hash, 1, &[0, 2, 8]);
    agree(&case, ("fold-text", 40, 1), &input, Setting::AnyOrder, 1, &[3, 6]);
    agree(&case, ("fold-pairs", 0, 1), &input, Setting::Range, 2, &[2, 8]);
    agree(&case, ("combine-reduce", 0, 1), &input, Setting::Bytes, 3, &[1, 8]);
    case.finish();
}

/// 60,000 values of 200 bytes against 4 MiB for each worker, three tenths of them with one key: spills in the middle of
/// tasks, and more than one in each reduce task.
#[test]
fn values_that_do_not_fit_are_spilled_and_keep_their_order() {
    let case = Case::limited(Duration::from_secs(120));
    let input = pairs::pairs(Keys::Giant, 6, 12_000);
    agree(&case, ("group-text", 200, 5), &input, Setting::Hash, 1, &[0, 2, 8]);
    agree(&case, ("group-refs", 200, 5), &input, Setting::AnyOrder, 2, &[3, 6]);
    agree(&case, ("group-mixed", 200, 5), &input, Setting::Range, 2, &[1, 8]);
    agree(&case, ("group-mixed", 200, 5), &input, Setting::BytesInAnyOrder, 3, &[5]);
    case.finish();
}
