//! Lines of a key, a space and a number in many distributions, and what the jobs of `shuffle` make of them.
//!
//! It uses none of the code under test: encodings, escapes and partitions are spelt out again.

use std::collections::BTreeMap;

use gristmill_testkit::reference;
use gristmill_testkit::text::SplitMix64;
use xxhash_rust::xxh3::xxh3_64;

use crate::case::Case;
use crate::expected::{self, Rows, escape};

/// A key and its number, in the order of the input.
pub type Pairs = Vec<(Vec<u8>, i64)>;

/// How keys are distributed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// Each of a few hundred keys of 0 to 40 bytes as often as the others.
    Uniform,
    /// One key has three tenths of all pairs.
    Giant,
    /// No key comes twice.
    Distinct,
    /// Keys of one byte.
    OneByte,
    /// As `Uniform`, in the order of the keys.
    Sorted,
    /// Lengths around those where keys are held in another way: 21 to 26 bytes that differ at their ends alone.
    Border,
    /// 10 KB each, differing in the first byte or in the last ones.
    Long,
    /// A single pair.
    One,
    /// No pair at all.
    None,
}

/// All distributions.
pub const ALL_KEYS: [Keys; 9] = [
    Keys::Uniform,
    Keys::Giant,
    Keys::Distinct,
    Keys::OneByte,
    Keys::Sorted,
    Keys::Border,
    Keys::Long,
    Keys::One,
    Keys::None,
];

/// About `count` pairs: the same for the same seed.
#[must_use]
pub fn pairs(keys: Keys, seed: u64, count: u64) -> Pairs {
    let random = &mut SplitMix64::new(seed);
    let pool: Vec<_> = (0..count / 4 + 1).map(|_| any_key(random)).collect();
    let mut pairs: Pairs = match keys {
        Keys::None => Vec::new(),
        Keys::One => vec![(any_key(random), -7)],
        Keys::Long => (0..count.min(60)).map(|_| (long_key(random), number(random))).collect(),
        _ => (0..count).map(|at| (key(keys, at, &pool, random), number(random))).collect(),
    };
    if keys == Keys::Sorted {
        pairs.sort();
    }
    pairs
}

fn number(random: &mut SplitMix64) -> i64 {
    below(random, 2001) - 1000
}

fn below(random: &mut SplitMix64, bound: u64) -> i64 {
    random.below(bound).cast_signed()
}

fn key(keys: Keys, at: u64, pool: &[Vec<u8>], random: &mut SplitMix64) -> Vec<u8> {
    match keys {
        Keys::Giant if random.below(10) < 3 => b"the-giant,-which-is-longer-than-most".to_vec(),
        Keys::Distinct => format!("{:x}~{at}", random.below(1 << 20)).into_bytes(),
        Keys::OneByte => vec![b'a' + random.below(26).to_le_bytes()[0]],
        Keys::Border => border_key(random),
        _ => pool[usize::try_from(random.below(pool.len() as u64)).expect("an index")].clone(),
    }
}

/// 0 to 40 bytes of text with what the encodings and escapes care about; no spaces and no line ends.
fn any_key(random: &mut SplitMix64) -> Vec<u8> {
    const CHARS: [char; 8] = ['\0', '\u{1}', '\t', '\\', 'a', 'b', '~', 'ß'];
    let mut key = String::new();
    let len = random.below(41);
    while (key.len() as u64) < len {
        key.push(CHARS[usize::try_from(random.below(8)).expect("an index")]);
    }
    key.into_bytes()
}

fn border_key(random: &mut SplitMix64) -> Vec<u8> {
    let mut key = vec![b'k'; usize::try_from(21 + random.below(6)).expect("a small number")];
    let ends = [b'a', b'b', 0];
    let last = key.len() - 1;
    key[0] = ends[usize::try_from(random.below(3)).expect("an index")];
    key[last] = ends[usize::try_from(random.below(3)).expect("an index")];
    key
}

fn long_key(random: &mut SplitMix64) -> Vec<u8> {
    let first = if random.below(2) == 0 { "x" } else { "y" };
    format!("{first}{}{}", "long".repeat(2500), random.below(9)).into_bytes()
}

/// Writes the pairs as lines into three files below `in`.
#[track_caller]
pub fn write(case: &Case, pairs: &Pairs) {
    if case.path("in").exists() {
        std::fs::remove_dir_all(case.path("in")).expect("the input can be removed");
    }
    let each = pairs.len().div_ceil(3).max(1);
    let mut files = pairs.chunks(each);
    for file in 0..3 {
        let line = |(key, number): &(Vec<u8>, i64)| [key, format!(" {number}\n").as_bytes()].concat();
        let content: Vec<u8> = files.next().unwrap_or_default().iter().flat_map(line).collect();
        case.file(format!("in/{file}.txt"), content);
    }
}

/// The jobs of the program `shuffle`, by their names there.
pub const ALL_JOBS: [&str; 16] = [
    "fold-u64",
    "fold-i32",
    "fold-u8",
    "fold-u128",
    "fold-text",
    "fold-refs",
    "fold-pairs",
    "fold-numbers",
    "fold-units",
    "fold-lists",
    "group-text",
    "group-refs",
    "group-mixed",
    "group-pairs",
    "group-first",
    "combine-reduce",
];

/// What `job` prints, in the order of keys, when it makes values `width` bytes wide and emits each pair `times` times.
#[must_use]
pub fn rows(job: &str, pairs: &Pairs, width: usize, times: usize) -> Rows {
    let emit = |(key, number): &(Vec<u8>, i64), emit: &mut dyn FnMut((Vec<u8>, Vec<u8>), i64)| {
        (0..times).for_each(|_| emit(encode(job, key, *number), *number));
    };
    let groups = reference::group(pairs, emit);
    let row = |((key, text), numbers): ((Vec<u8>, Vec<u8>), Vec<i64>)| {
        let line = [&text[..], b"\t", reduce(job, &numbers, width).as_bytes(), b"\n"].concat();
        (key, line)
    };
    groups.into_iter().map(row).collect()
}

/// A job's key, encoded and as text.
fn encode(job: &str, key: &[u8], number: i64) -> (Vec<u8>, Vec<u8>) {
    match job {
        "fold-numbers" => {
            let encoded = (number.cast_unsigned() ^ (1 << 63)).to_be_bytes();
            (encoded.to_vec(), number.to_string().into_bytes())
        }
        "fold-units" => (Vec::new(), Vec::new()),
        "fold-pairs" | "group-pairs" => {
            let second = u32::try_from(number.unsigned_abs() % 3).expect("a small number");
            let mut encoded = Vec::new();
            for &byte in key {
                encoded.extend(if byte == 0 { &[0, 0xff][..] } else { std::slice::from_ref(&byte) });
            }
            encoded.extend([0, 0]);
            encoded.extend(second.to_be_bytes());
            let key = std::str::from_utf8(key).expect("this key is text");
            (encoded, serde_json::to_vec(&(key, second)).expect("JSON can hold it"))
        }
        _ => (key.to_vec(), escape(key)),
    }
}

/// A job's result for all numbers of a key.
fn reduce(job: &str, numbers: &[i64], width: usize) -> String {
    let spelt = || numbers.iter().map(|&number| spell(number, width));
    match job {
        "fold-u64" | "fold-pairs" => {
            numbers.iter().map(|number| number.unsigned_abs()).sum::<u64>().to_string()
        }
        "fold-u8" => {
            numbers.iter().map(|number| number.to_le_bytes()[0]).max().unwrap_or_default().to_string()
        }
        "fold-u128" => {
            let sum: u128 = numbers.iter().map(|number| u128::from(number.unsigned_abs())).sum();
            (sum << 70).to_string()
        }
        "fold-text" | "fold-refs" => spelt().min().unwrap_or_default(),
        "fold-numbers" => numbers.len().to_string(),
        "fold-lists" => {
            let mut sorted = numbers.to_vec();
            sorted.sort_unstable();
            serde_json::to_string(&sorted).expect("JSON can hold it")
        }
        "group-text" | "group-refs" | "group-mixed" => spelt().map(|text| text + ",").collect(),
        "group-pairs" => serde_json::to_string(numbers).expect("JSON can hold it"),
        "group-first" => numbers[0].to_string(),
        "combine-reduce" => format!("sum {}", numbers.iter().sum::<i64>()),
        _ => numbers.iter().sum::<i64>().to_string(),
    }
}

/// A number as the jobs spell it.
fn spell(number: i64, width: usize) -> String {
    let digits = number.to_string();
    let dots = width.saturating_sub(2 * digits.len());
    if width == 0 { digits } else { format!("{digits}{}{digits}", ".".repeat(dots)) }
}

/// The part files that `rows` make: by hash, or by the sum of a key's bytes; keys in their own order, or in that of their
/// hashes.
#[must_use]
pub fn parts(rows: &Rows, partitions: u32, by_bytes: bool, any_order: bool) -> BTreeMap<String, Vec<u8>> {
    let mut rows = rows.clone();
    if any_order {
        rows.sort_by_key(|(key, _)| xxh3_64(key));
    }
    if !by_bytes {
        return expected::parts(&rows, partitions);
    }
    let part = |number: u32| format!("part-r-{number:05}");
    let mut parts: BTreeMap<_, _> = (0..partitions).map(|number| (part(number), Vec::new())).collect();
    for (key, line) in rows {
        let sum: u32 = key.iter().map(|&byte| u32::from(byte)).sum();
        parts.entry(part(sum % partitions)).or_default().extend(line);
    }
    parts
}
