//! The example programs on every executor against a naive reference: sums, word counts, an index, a sort, groups.
//!
//! Word count with the example's own tokeniser is tested in `wordcount`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use gristmill_testkit::reference;
use gristmill_testkit::text::{SplitMix64, ZipfText, random_lines};
use gristmill_tests::case::Case;
use gristmill_tests::expected::{self, Rows, escape};
use gristmill_tests::pairs::{self, ALL_KEYS, Keys, Pairs};

const SUM_BY_KEY: &str = env!("CARGO_BIN_EXE_sum_by_key");
const GROUP_LINES: &str = env!("CARGO_BIN_EXE_group_lines");
const INVERTED_INDEX: &str = env!("CARGO_BIN_EXE_inverted_index");
const SORT_RECORDS: &str = env!("CARGO_BIN_EXE_sort_records");
const WORDCOUNT: &str = env!("CARGO_BIN_EXE_wordcount");

/// Executor, workers, chunk size, memory.
const WAYS: [[&str; 4]; 5] = [
    ["inline", "1", "1G", "1GiB"],
    ["threads", "2", "1K", "24MiB"],
    ["threads", "5", "7K", "36MiB"],
    ["processes", "2", "4K", "24MiB"],
    ["processes", "5", "1K", "1GiB"],
];

/// A program and the options of its own.
type Program<'a> = (&'a str, &'a [&'a str]);

/// Runs a program in the ways with these numbers and compares its three parts with those that it should write.
#[track_caller]
fn agree(case: &Case, (program, arguments): Program<'_>, want: &BTreeMap<String, Vec<u8>>, ways: &[usize]) {
    for [executor, workers, chunk, memory] in ways.iter().map(|&way| WAYS[way]) {
        let finished = case
            .command(program)
            .args(["in", "-o", "out", "--overwrite", "--progress", "never", "-r", "3"])
            .args(["--executor", executor, "-w", workers, "-c", chunk, "-m", memory])
            .args(arguments)
            .run()
            .assert_code(0);
        assert!(finished.stderr.is_empty(), "it has something to complain: {finished}");
        for (name, want) in want {
            let part = fs::read(case.path("out").join(name)).expect("a part");
            assert!(
                part == *want,
                "{name} differs, {finished}:\n{}\nwanted:\n{}",
                part.escape_ascii(),
                want.escape_ascii()
            );
        }
    }
}

/// As [`agree`], where the parts together are known, but not where they are divided.
#[track_caller]
fn agree_together(case: &Case, program: Program<'_>, want: &[u8], ways: &[usize]) {
    agree(case, program, &BTreeMap::new(), &ways[..1]);
    let parts = case.parts("out");
    let together: Vec<u8> = parts.values().flatten().copied().collect();
    assert!(together == want, "{program:?}: the parts together are not in order");
    agree(case, program, &parts, &ways[1..]);
}

/// Two ways for a turn, one of them with processes.
fn two_ways(turn: usize) -> [usize; 2] {
    [turn % 3, 3 + turn % 2]
}

/// Pairs with numbers as `sum_by_key` takes them.
fn unsigned(keys: Keys, seed: usize) -> Pairs {
    let mut pairs = pairs::pairs(keys, seed as u64, 1500);
    pairs.iter_mut().for_each(|(_, number)| *number = number.abs() * 1_000_003);
    pairs
}

#[test]
fn sum_by_key() {
    let case = Case::new();
    for (turn, keys) in ALL_KEYS.into_iter().enumerate() {
        let input = unsigned(keys, turn);
        pairs::write(&case, &input);
        let rows = pairs::rows("fold-u64", &input, 0, 1);
        for (options, any_order) in
            [(&["--parser", "blocks"][..], false), (&["--parser", "plain"], false), (&["--any-order"], true)]
        {
            let want = pairs::parts(&rows, 3, false, any_order);
            agree(&case, (SUM_BY_KEY, options), &want, &two_ways(turn));
        }
    }
    case.finish();
}

#[test]
fn sum_by_composite_key() {
    let case = Case::new();
    for (turn, keys) in ALL_KEYS.into_iter().enumerate() {
        let input = unsigned(keys, turn);
        pairs::write(&case, &input);
        let emit = |(key, number): &(Vec<u8>, i64), emit: &mut dyn FnMut(_, u64)| {
            emit(composite(key), number.unsigned_abs());
        };
        let row = |((key, text), sum): ((Vec<u8>, String), u64)| (key, format!("{text}\t{sum}\n").into());
        let rows: Rows = reference::map_fold(&input, emit, |a, b| a + b).into_iter().map(row).collect();
        for any_order in [false, true] {
            let options = ["--key", "composite", if any_order { "--any-order" } else { "--parser=blocks" }];
            let want = pairs::parts(&rows, 3, false, any_order);
            agree(&case, (SUM_BY_KEY, &options), &want, &two_ways(turn));
        }
    }
    case.finish();
}

/// A key with its length, encoded and as text.
fn composite(key: &[u8]) -> (Vec<u8>, String) {
    let len = u32::try_from(key.len()).expect("a small number");
    let zeros_escaped = key.iter().flat_map(|&byte| if byte == 0 { vec![0, 0xff] } else { vec![byte] });
    let encoded = zeros_escaped.chain([0, 0]).chain(len.to_be_bytes()).collect();
    let text = std::str::from_utf8(key).expect("this key is text");
    (encoded, serde_json::to_string(&(text, len)).expect("JSON can hold it"))
}

#[test]
fn a_sum_by_key_of_a_line_without_a_number_fails_in_both_parsers() {
    let case = Case::new();
    case.file("in/a.txt", "key 1\nkey 2x\n");
    for parser in ["blocks", "plain"] {
        let arguments = ["in", "-o", "out", "--progress", "never", "--parser", parser];
        let finished = case.command(SUM_BY_KEY).args(arguments).run().assert_code(1);
        assert!(finished.stderr_text().contains("\"2x\" is no number"), "{parser}: {finished}");
    }
    case.finish();
}

#[test]
fn group_lines() {
    let case = Case::new();
    for (turn, keys) in ALL_KEYS.into_iter().enumerate() {
        let input = pairs::pairs(keys, turn as u64, 1500);
        pairs::write(&case, &input);
        let emit =
            |(key, number): &(Vec<u8>, i64), emit: &mut dyn FnMut(Vec<u8>, i64)| emit(key.clone(), *number);
        let lines = |key: &Vec<u8>, numbers: Vec<i64>| {
            let line = |number| [&escape(key)[..], format!("\t{number}\n").as_bytes()].concat();
            numbers.into_iter().flat_map(line).collect::<Vec<u8>>()
        };
        let rows: Rows = reference::map_reduce(&input, emit, lines).into_iter().collect();
        agree(&case, (GROUP_LINES, &[]), &expected::parts(&rows, 3), &two_ways(turn));
    }
    case.finish();
}

/// Texts with words of many lengths, in lines of all kinds.
fn texts(seed: u64) -> Vec<String> {
    let long = |n: usize| format!("{} {}\r\n\n  ", "x".repeat(n), "Long".repeat(n));
    vec![
        ZipfText::new(seed, 300).lines(150),
        String::new(),
        (0..60).map(long).collect(),
        ZipfText::new(seed + 1, 50).lines(60).replace('\n', "\r\n"),
        "one".to_owned(),
        ZipfText::new(seed + 2, 5000).lines(300),
        "a\tb\u{b}c\u{c}D Ä ä\u{a0}ß\n".repeat(40),
    ]
}

/// What stands between ASCII white space, in lower case. A vertical tab is none to the standard library.
fn plain_words(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let white = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0c');
    text.split(white).filter(|word| !word.is_empty()).map(<[u8]>::to_ascii_lowercase)
}

fn word_counts<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> Rows {
    let emit = |text: &[u8], emit: &mut dyn FnMut(Vec<u8>, u64)| {
        plain_words(text).for_each(|word| emit(word, 1));
    };
    let counts = reference::map_fold(texts, emit, |a, b| a + b);
    let row = |(word, count): (Vec<u8>, u64)| {
        let line = [&escape(&word)[..], format!("\t{count}\n").as_bytes()].concat();
        (word, line)
    };
    counts.into_iter().map(row).collect()
}

#[test]
fn both_word_counts_between_white_space() {
    let case = Case::new();
    for seed in 0..3 {
        let texts = texts(seed);
        for (at, text) in texts.iter().enumerate() {
            case.file(format!("in/{at}.txt"), text);
        }
        let want = expected::parts(&word_counts(texts.iter().map(String::as_bytes)), 3);
        for tokenizer in ["plain", "whitespace"] {
            agree(&case, (WORDCOUNT, &["--tokenizer", tokenizer]), &want, &[0, 1, 2, 3, 4]);
        }
    }
    case.finish();
}

#[test]
fn the_plain_word_count_refuses_what_is_no_text_and_prints_a_table_of_what_is() {
    let case = Case::new();
    case.file("in/a.txt", b"good line\nbad \xff line\n");
    let arguments = ["in", "--tokenizer", "plain", "--progress", "never"];
    let finished = case.command(WORDCOUNT).args(arguments).run().assert_code(1);
    assert!(finished.stderr_text().contains("a.txt, offset 10"), "{finished}");
    case.file("in/a.txt", "To be or not to be\n");
    let finished = case.command(WORDCOUNT).args(arguments).args(["--top", "1"]).run().assert_code(0);
    assert!(finished.stdout_text().lines().any(|line| line.starts_with("be")), "{finished}");
    case.finish();
}

#[test]
fn inverted_index() {
    let case = Case::new();
    let mut contents: Vec<Vec<u8>> = texts(7).into_iter().map(String::into_bytes).collect();
    contents.push(random_lines(3, 200, 60));
    contents.extend((0..30).map(|n| ZipfText::new(n, 400).lines(20).into_bytes()));
    let mut index = BTreeMap::<Vec<u8>, BTreeSet<usize>>::new();
    for (at, content) in contents.iter().enumerate() {
        case.file(format!("in/{at:02}.txt"), content);
        for word in plain_words(content) {
            index.entry(word).or_default().insert(at);
        }
    }
    let row = |(word, files): (Vec<u8>, BTreeSet<usize>)| {
        let list: Vec<_> = files.iter().map(usize::to_string).collect();
        let line = [&escape(&word)[..], b"\t", list.join(",").as_bytes(), b"\n"].concat();
        (word, line)
    };
    let rows: Rows = index.into_iter().map(row).collect();
    let mut want = expected::parts(&rows, 3);
    let list = (0..contents.len()).map(|at| format!("{at}\tin/{at:02}.txt\n"));
    want.insert("documents.tsv".to_owned(), list.collect::<String>().into_bytes());
    agree(&case, (INVERTED_INDEX, &[]), &want, &[0, 1, 2, 3, 4]);
    case.finish();
}

#[test]
fn sort_records() {
    let case = Case::new();
    for (turn, keys) in [(0, 0), (1, 3), (2, 1 << 20), (3, 256), (4, 1)].into_iter().enumerate() {
        let random = &mut SplitMix64::new(turn as u64);
        let count: u32 = [5000, 1000, 5000, 1, 0][turn];
        let mut records: Vec<Vec<u8>> = Vec::new();
        for n in 0..count {
            let key = if keys.1 == 0 { u64::from(n) * 97 } else { random.below(keys.1) };
            let rest = format!("{n:010}\n\t\\\0{}", "r".repeat(76));
            records.push([&key.to_be_bytes()[..], &[0xff, 0], rest.as_bytes()].concat());
        }
        drop(fs::remove_dir_all(case.path("in")));
        for (file, chunk) in [&records[..records.len() / 3], &records[records.len() / 3..]].iter().enumerate()
        {
            case.file(format!("in/{file}.bin"), chunk.concat());
        }
        records.sort_by(|a, b| a[..10].cmp(&b[..10]));
        agree_together(&case, (SORT_RECORDS, &[]), &records.concat(), &[0, 1, 4]);
    }
    case.finish();
}
