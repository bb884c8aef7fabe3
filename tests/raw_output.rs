//! Raw output, byte for byte, and the list of inputs beside the part files.
//!
//! Text output is tested in `output`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use gristmill_tests::case::Case;
use gristmill_tests::expected::escape;

const INDEX: &str = env!("CARGO_BIN_EXE_inverted_index");
const SORT: &str = env!("CARGO_BIN_EXE_sort_records");
const SHUFFLE: &str = env!("CARGO_BIN_EXE_shuffle");
const EXECUTORS: [&str; 3] = ["inline", "threads", "processes"];

/// Names with what the list has to escape, and with what is no UTF-8.
const NAMES: [&[u8]; 7] =
    [b"a\ttab", b"b\nnewline", b"c\\n", b"d\xff\xfe", b"e space", b"f\rreturn", "g-\u{df}".as_bytes()];

#[test]
fn the_list_of_inputs_holds_odd_names_escaped() {
    let case = Case::new();
    let mut want = Vec::new();
    for (ordinal, name) in NAMES.into_iter().enumerate() {
        let path = case.path("in").join(OsStr::from_bytes(name));
        case.file(&path, format!("common only-{ordinal}"));
        want.extend(format!("{ordinal}\t").into_bytes());
        want.extend(escape(&[b"in/", name].concat()));
        want.push(b'\n');
    }
    for executor in EXECUTORS {
        let arguments = ["in", "-o", executor, "-r", "1", "--progress", "never", "--executor", executor];
        let finished = case.command(INDEX).args(arguments).args(["-c", "1"]).run().assert_code(0);
        assert!(finished.stderr.is_empty(), "{finished}");
        assert_eq!(case.names(executor), ["_SUCCESS", "documents.tsv", "part-r-00000"]);
        let list = fs::read(case.path(executor).join("documents.tsv")).expect("the list");
        assert_eq!(list.escape_ascii().to_string(), want.escape_ascii().to_string(), "{executor}");
        let index = fs::read_to_string(case.path(executor).join("part-r-00000")).expect("the index");
        let mut lines = index.lines();
        assert_eq!(lines.next(), Some("common\t0,1,2,3,4,5,6"), "{executor}");
        assert!(lines.enumerate().all(|(n, line)| line == format!("only-{n}\t{n}")), "{executor}: {index}");
    }
    case.finish();
}

#[test]
fn standard_input_and_a_printed_result_are_listed_as_they_can_be() {
    let case = Case::new();
    case.file("in.txt", "a");
    let arguments = ["-", "in.txt", "-o", "out", "-r", "1", "--progress", "never"];
    case.command(INDEX).args(arguments).stdin("a b").run().assert_code(0);
    let list = fs::read_to_string(case.path("out/documents.tsv")).expect("the list");
    assert_eq!(list, "0\t-\n1\tin.txt\n");
    // Without an output folder there is no place for the list.
    let finished = case.command(INDEX).args(["in.txt", "--progress", "never"]).run().assert_code(0);
    assert_eq!(finished.stdout_text(), "a\t0\n");
    case.finish();
}

#[test]
fn a_list_that_would_be_in_the_way_is_refused() {
    let case = Case::new();
    case.file("in.txt", "a 1\n");
    for name in ["", "a/b", "..", ".", ".hidden", "_SUCCESS", "part-r-00000", "part-x", "nul\0"] {
        let command = case.command(SHUFFLE).args(["listed", "in.txt", "-o", "out", "--name-hex"]);
        let hex: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
        let finished = command.arg(format!("x{hex}")).run();
        assert_eq!(finished.code(), Some(2), "{name:?}: {finished}");
        assert!(finished.stderr_text().contains("list of inputs"), "{name:?}: {finished}");
        assert!(!case.path("out").exists(), "{name:?}");
    }
    case.command(SHUFFLE).args(["listed", "in.txt", "-o", "out", "--name-hex", "x6c"]).run().assert_code(0);
    assert_eq!(fs::read(case.path("out/l")).expect("the list"), b"0\tin.txt\n");
    case.finish();
}

#[test]
fn raw_output_is_the_bytes_of_keys_and_values() {
    let case = Case::new();
    let records = [&b"b\t\n\\1"[..], b"a\0\xff\r2", b"b\t\n\\0", b"\n\n\n\n3"];
    case.file("in.bin", records.concat());
    for executor in EXECUTORS {
        let arguments = ["in.bin", "-o", executor, "-r", "1", "--progress", "never", "--executor", executor];
        let lengths = ["--record-len", "5", "--key-len", "4"];
        let finished = case.command(SORT).args(arguments).args(lengths).run().assert_code(0);
        assert!(finished.stderr.is_empty(), "{finished}");
        let part = fs::read(case.path(executor).join("part-r-00000")).expect("the part");
        let want = [records[3], records[1], records[0], records[2]].concat();
        assert_eq!(part.escape_ascii().to_string(), want.escape_ascii().to_string(), "{executor}");
    }
    // Printed, they are the same bytes.
    let lengths = ["--record-len", "5", "--key-len", "0", "-r", "3"];
    let finished =
        case.command(SORT).args(["in.bin", "--progress", "never"]).args(lengths).run().assert_code(0);
    assert_eq!(finished.stdout, records.concat());
    case.finish();
}

#[test]
fn a_key_that_is_longer_than_a_record_is_an_error() {
    let case = Case::new();
    case.file("in.bin", "12345678");
    let lengths = ["--record-len", "4", "--key-len", "5", "-o", "out", "--progress", "never"];
    let finished = case.command(SORT).arg("in.bin").args(lengths).run().assert_code(1);
    assert!(finished.stderr_text().contains("the key is longer than a record"), "{finished}");
    case.finish();
}
