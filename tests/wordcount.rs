//! The example `wordcount`: its table, its part files, and the article's algorithm in Rust and in Python.
//!
//! That executors agree on any job is tested elsewhere.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use gristmill_testkit::reference::{article_counts, top, whitespace_counts};
use gristmill_testkit::text::{SplitMix64, ZipfText, random_lines};
use gristmill_tests::case::{Case, skip};

const WORD_COUNT: &str = env!("CARGO_BIN_EXE_wordcount");
const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// The contents of all files below a folder.
fn contents(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let read = |path: std::path::PathBuf| {
        if path.is_dir() { contents(&path) } else { vec![fs::read(&path).expect("a file")] }
    };
    entries.flat_map(read).collect()
}

/// The table as the article prints it.
fn table(counts: &BTreeMap<Vec<u8>, u64>, n: usize) -> String {
    let rows = top(counts, n);
    let longest = rows.iter().map(|(word, _)| word.len()).max().unwrap_or(0);
    let row = |(word, count): &(Vec<u8>, u64)| {
        format!("{:<longest$} : {count:5}\n", String::from_utf8(word.clone()).expect("letters"))
    };
    format!("\nTOP {n} WORDS BY FREQUENCY\n\n{}", rows.iter().map(row).collect::<String>())
}

/// A tree of articles: comments, directives, markup, stop words, odd bytes, both line ends.
fn generate(case: &Case) {
    let mut random = SplitMix64::new(2009);
    for number in 0..120 {
        let mut text = ZipfText::new(number, 3000);
        let mut article = Vec::new();
        for _ in 0..random.below(60) {
            let line = text.lines(1);
            match random.below(12) {
                0 => article.extend(format!("  .. directive:: {line}").bytes()),
                1 => article.extend(format!("*The* ``{}`` isn't py2.7, to_be: ", line.trim_end()).bytes()),
                2 => article.extend(line.trim_end().bytes().chain(*b"\r\n")),
                3 => article.extend(random_lines(random.next_u64(), 2, 80)),
                4 => article.extend("Ünïcode\x0bwörds\x0care\tkept ".bytes()),
                _ => article.extend(line.bytes()),
            }
        }
        case.file(format!("tree/{}/sub/{number}.rst", number % 7), article);
    }
}

#[test]
fn the_sample_text_gives_the_articles_table() {
    let case = Case::new();
    let counts = article_counts(contents(&Path::new(HERE).join("../examples/wordcount/sample")));
    for executor in ["processes", "threads", "inline"] {
        let finished = case.command(WORD_COUNT).args(["--executor", executor]).run().assert_code(0);
        assert_eq!(finished.stdout_text(), table(&counts, 20), "{executor}");
        assert!(finished.stderr.is_empty(), "{executor}: {finished}");
    }
    assert_eq!(table(&counts, 20).lines().count(), 23, "there are twenty words at least");
    let finished = case.command(WORD_COUNT).args(["--top", "3"]).run().assert_code(0);
    assert_eq!(finished.stdout_text(), table(&counts, 3));
    case.finish();
}

#[test]
fn the_table_looks_as_in_the_article() {
    let case = Case::new();
    case.file(
        "a.rst",
        "worker process worker process Process, multiprocessing!\n.. process process\nthe the\nzeta alpha\n",
    );
    let finished = case.command(WORD_COUNT).args(["a.rst", "--top", "4"]).run().assert_code(0);
    let want = "\nTOP 4 WORDS BY FREQUENCY\n\n\
                process         :     3\n\
                worker          :     2\n\
                alpha           :     1\n\
                multiprocessing :     1\n";
    assert_eq!(finished.stdout_text(), want);
    case.finish();
}

/// All part lines of a run, in word order.
fn counted(case: &Case, arguments: &[&str]) -> Vec<u8> {
    let command = case.command(WORD_COUNT).args(["tree", "-o", "out", "--overwrite", "--progress", "never"]);
    command.args(arguments).run().assert_code(0);
    let all: Vec<u8> = case.parts("out").into_values().flatten().collect();
    let mut lines: Vec<&[u8]> = all.split_inclusive(|&byte| byte == b'\n').collect();
    lines.sort_unstable_by_key(|line| line.split(|&byte| byte == b'\t').next());
    lines.concat()
}

fn as_lines(counts: BTreeMap<Vec<u8>, u64>) -> Vec<u8> {
    counts
        .into_iter()
        .flat_map(|(word, count)| [word, format!("\t{count}\n").into_bytes()].concat())
        .collect()
}

#[test]
fn a_tree_is_counted_as_the_article_does_for_all_workers_and_chunk_sizes() {
    let case = Case::new();
    generate(&case);
    let naive = as_lines(article_counts(contents(&case.path("tree"))));
    for workers in ["1", "2", "7"] {
        for chunk in ["500", "10KiB", "64KiB", "16MiB"] {
            let lines = counted(&case, &["-w", workers, "-c", chunk, "-r", "3"]);
            assert!(lines == naive, "{workers} workers, chunks of {chunk}: the counts differ");
        }
    }
    let script = Path::new(HERE).join("article_word_count.py");
    match Command::new("python3").arg(script).arg(case.path("tree")).output() {
        Ok(python) => {
            assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stderr));
            assert!(python.stdout == naive, "the Python program counts otherwise");
        }
        Err(error) => skip(&format!("the article's algorithm in Python: {error}")),
    }
    case.finish();
}

#[test]
fn white_space_alone_separates_words_when_asked_for() {
    let case = Case::new();
    generate(&case);
    let naive = whitespace_counts(contents(&case.path("tree")));
    for executor in ["processes", "inline"] {
        let arguments =
            ["--tokenizer", "whitespace", "-c", "3000", "-r", "2", "--executor", executor, "-w", "1"];
        let lines = counted(&case, &arguments);
        let want: BTreeMap<_, _> = naive.iter().map(|(word, count)| (escaped(word), *count)).collect();
        assert!(lines == as_lines(want), "{executor}: the counts differ");
    }
    case.finish();
}

/// Words hold no white space: the backslash is the only byte left that is escaped.
fn escaped(word: &[u8]) -> Vec<u8> {
    word.iter().flat_map(|&byte| if byte == b'\\' { vec![byte; 2] } else { vec![byte] }).collect()
}
