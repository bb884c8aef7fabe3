//! Every kind of input, good and bad: what is read, in which order, and what the message says.
//!
//! That a bad input leaves nothing behind is checked with each; outputs are tested elsewhere.

use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use gristmill_testkit::command::{Finished, TestCommand};
use gristmill_tests::case::{Case, skip};
use rustix::fs::{CWD, FileType, Mode, mknodat};

const JOBS: &str = env!("CARGO_BIN_EXE_jobs");

fn job(case: &Case, arguments: &[&str]) -> TestCommand {
    case.command(JOBS).args(arguments).args(["--progress", "never"])
}

/// What the job prints.
fn printed(case: &Case, arguments: &[&str]) -> String {
    job(case, arguments).run().assert_code(0).stdout_text()
}

/// Runs a job that must be refused or fail, and that must leave no output and no message on standard output.
fn refused(case: &Case, code: i32, arguments: &[&str]) -> String {
    let finished: Finished = job(case, arguments).args(["-o", "out"]).run().assert_code(code);
    assert!(finished.stdout.is_empty(), "{finished}");
    assert!(!case.path("out").exists(), "{arguments:?} has left an output");
    finished.stderr_text()
}

#[test]
fn a_folder_means_the_regular_files_below_it_in_byte_order() {
    let case = Case::new();
    for name in
        ["in/a/b.txt", "in/a-b.txt", "in/.hidden", "in/a/.deep/er/x", "in/B", "in/z.txt", "outside.txt"]
    {
        case.file(name, format!("{name}\n"));
    }
    case.file("in/empty", "");
    fs::create_dir(case.path("in/no files")).expect("a folder");
    symlink(case.path("outside.txt"), case.path("in/link")).expect("a link");
    symlink("..", case.path("in/loop")).expect("a link to a folder above");
    symlink("nowhere", case.path("in/broken")).expect("a link to nothing");
    mknodat(CWD, case.path("in/pipe"), FileType::Fifo, Mode::RUSR, 0).expect("a named pipe");
    let _socket = UnixListener::bind(case.path("in/socket")).expect("a socket");
    let read = printed(&case, &["upper", "in", "-r", "1"]);
    let names: Vec<&str> = read.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(names, ["IN/.HIDDEN", "IN/B", "IN/A-B.TXT", "IN/A/.DEEP/ER/X", "IN/A/B.TXT", "IN/Z.TXT"]);
    drop(_socket);
    case.finish();
}

#[test]
fn inputs_are_read_in_the_order_in_which_they_are_named() {
    let case = Case::new();
    case.file("b.txt", "w b\n");
    case.file("a.txt", "w a\n");
    case.file("d/2.txt", "w d2\n");
    case.file("d/1.txt", "w d1\n");
    symlink("a.txt", case.path("link")).expect("a link");
    let command = job(&case, &["positions", "b.txt", "-", "d", "a.txt", "link", "b.txt"]).args(["-c", "1"]);
    let printed = command.stdin("w from\nw standard\nw input").run().assert_code(0).stdout_text();
    let line = printed.lines().find(|line| line.starts_with("w\t")).expect("the word is everywhere");
    let want = "w\t0:w b|1:w from|1:w standard|1:w input|2:w d1|3:w d2|4:w a|5:w a|6:w b|";
    assert_eq!(line, want);
    case.finish();
}

#[test]
fn a_pattern_means_what_it_matches() {
    let case = Case::new();
    for name in ["logs/1.log", "logs/2.log", "logs/3.txt", "logs/deep/4.log", "[odd].log", "o.log"] {
        case.file(name, format!("{name}\n"));
    }
    let names = |pattern: &str| printed(&case, &["upper", pattern, "-r", "1"]).replace(['\t', '\n'], " ");
    assert_eq!(names("logs/*.log"), "LOGS/1.LOG 10 LOGS/2.LOG 10 ");
    assert_eq!(names("logs/**/*.log"), "LOGS/1.LOG 10 LOGS/2.LOG 10 LOGS/DEEP/4.LOG 15 ");
    assert_eq!(names("logs/{1.log,3*}"), "LOGS/1.LOG 10 LOGS/3.TXT 10 ");
    assert_eq!(names("logs/dee?"), "LOGS/DEEP/4.LOG 15 ");
    assert_eq!(names("[odd].log"), "[ODD].LOG 9 ", "a file of that very name is meant");
    let error = refused(&case, 2, &["upper", "logs/*.csv"]);
    assert!(error.contains("logs/*.csv") && error.contains("no file matches"), "{error}");
    let error = refused(&case, 2, &["upper", "logs/[z"]);
    assert!(error.contains("logs/[z"), "{error}");
    case.finish();
}

#[test]
fn standard_input_may_be_empty_and_is_read_once() {
    let case = Case::new();
    assert_eq!(printed(&case, &["words", "-"]), "");
    let error = refused(&case, 2, &["words", "-", "-"]);
    assert!(error.contains("standard input") && error.contains("once"), "{error}");
    let bad = job(&case, &["words", "-"]).stdin(b"fine\nbad \xff\n").run().assert_code(1).stderr_text();
    assert!(bad.contains("standard input, offset 5: byte 4 of the line is not UTF-8"), "{bad}");
    case.finish();
}

#[test]
fn line_ends_and_empty_files_are_read_as_documented() {
    let case = Case::new();
    case.file("in/1", "a\r\nb\r\r\n\n");
    case.file("in/2", "");
    case.file("in/3", "c\nno end");
    case.file("in/4", "\r");
    case.file("in/5", "\n\n");
    let want = "A\t1\nB\\r\t2\n\t0\nC\t1\nNO END\t6\n\\r\t1\n\t0\n\t0\n";
    for chunk in ["1", "2", "3", "1M"] {
        for executor in ["inline", "processes"] {
            let arguments = ["upper", "in", "-r", "1", "-c", chunk, "--executor", executor];
            let finished = case.command(JOBS).args(arguments).run().assert_code(0);
            assert_eq!(finished.stdout_text(), want, "chunks of {chunk}, {executor}");
        }
    }
    case.finish();
}

#[test]
fn files_without_a_single_byte_give_an_empty_output() {
    let case = Case::new();
    case.file("in/1", "");
    case.file("in/2", "");
    for executor in ["inline", "threads", "processes"] {
        let output = format!("out-{executor}");
        job(&case, &["words", "in", "-r", "2", "-o", &output, "--executor", executor, "-w", "1"])
            .run()
            .assert_code(0);
        let parts = case.parts(&output);
        assert_eq!(parts.keys().collect::<Vec<_>>(), ["part-r-00000", "part-r-00001"], "{executor}");
        assert!(parts.values().all(Vec::is_empty), "{executor}");
    }
    case.finish();
}

#[test]
fn a_line_that_is_not_utf_8_is_named_with_its_file_and_offset() {
    let case = Case::new();
    let text = [b"good line\n".repeat(1000).as_slice(), b"then caf\xe9\n", &b"more\n".repeat(1000)].concat();
    case.file("in/odd.txt", text);
    case.file("in/fine.txt", "fine\n");
    for executor in ["inline", "threads", "processes"] {
        let arguments = ["words", "in", "-c", "700", "--executor", executor, "-w", "1"];
        let finished =
            case.command(JOBS).args(arguments).args(["-o", "out", "--restart"]).run().assert_code(1);
        let error = finished.stderr_text();
        let said = "input in/odd.txt, offset 10000: byte 8 of the line is not UTF-8";
        assert!(error.contains(said), "{executor}: {error}");
        assert!(error.contains("last record: at byte 10000, 10 bytes long"), "{executor}: {error}");
        assert!(!case.path("out").exists());
    }
    case.remove_work("out");
    let bytes = printed(&case, &["byte-words", "in", "-c", "700"]);
    assert!(bytes.contains("good\t1000\n"), "byte lines take all");
    case.finish();
}

#[test]
fn a_line_of_50_mb_crosses_all_chunk_borders() {
    let case = Case::limited(Duration::from_secs(120));
    let long = 50 << 20;
    let content = [&b"start\n"[..], &vec![b'x'; long], b"\nend\n"].concat();
    case.file("in.txt", content);
    for (chunk, executor) in [("1MiB", "processes"), ("100MiB", "processes"), ("777777", "inline")] {
        let arguments = ["prefixes", "in.txt", "-r", "1", "-c", chunk, "--executor", executor];
        let finished = case.command(JOBS).args(arguments).run().assert_code(0);
        assert_eq!(
            finished.stdout_text(),
            format!("end\t3\nstart\t5\nxxxxxxxx\t{long}\n"),
            "chunks of {chunk}"
        );
    }
    case.finish();
}

/// Lines of zeros, nearly all of them holes, so that the file takes up little space; the last lines begin behind 4 GiB.
#[test]
fn offsets_beyond_4_gib_are_read() {
    const STEP: u64 = 16 << 20;
    const SIZE: u64 = (4 << 30) + STEP;
    let case = Case::limited(Duration::from_secs(180));
    let file = File::create(case.path("sparse")).expect("a file");
    for end in (STEP..=SIZE).step_by(1 << 24) {
        file.write_all_at(b"\n", end - 1).expect("a line end at the end of a hole");
    }
    file.write_all_at(b"beyond 1\nbeyond 2\nbeyond 3", SIZE).expect("lines behind 4 GiB");
    drop(file);
    let zeros = SIZE / STEP * (STEP - 1);
    let want = format!("{}\t{zeros}\nbeyond 1\t8\nbeyond 2\t8\nbeyond 3\t8\n", "\0".repeat(8));
    assert_eq!(printed(&case, &["prefixes", "sparse", "-c", "96MiB", "-r", "1"]), want);
    case.finish();
}

#[test]
fn an_input_that_changes_during_the_run_is_an_error() {
    let case = Case::new();
    let setup = || {
        drop(fs::remove_dir_all(case.path("in")));
        case.file("in/1.txt", "first\nnow\nlast\n");
        case.file("in/2.txt", "other\n");
    };
    let changed = "input changed during the run: in/";
    let own = [("append", changed), ("truncate", changed), ("touch", changed)];
    let other =
        [("append", changed), ("touch", changed), ("folder", changed), ("remove", "vanished during the run")];
    let all = own.iter().map(|case| ("1.txt", *case)).chain(other.iter().map(|case| ("2.txt", *case)));
    for (name, (how, said)) in all {
        for executor in ["inline", "threads", "processes"] {
            setup();
            let file = format!("in/{name}");
            // One worker and a file for each task: the second is opened after the change.
            let arguments = [
                "meddle",
                "in",
                "--how",
                how,
                "--file",
                &file,
                "-c",
                "15",
                "--executor",
                executor,
                "-w",
                "1",
            ];
            let finished = case.command(JOBS).args(arguments).args(["-o", "out"]).run().assert_code(1);
            case.remove_work("out");
            let error = finished.stderr_text();
            assert!(error.contains(said) && error.contains(&file), "{how} {file}, {executor}: {error}");
            assert!(!case.path("out").exists(), "{how} {file}, {executor}");
        }
    }
    // The same job without a change must end well, or all this shows nothing.
    setup();
    drop(fs::remove_file(case.path("in/2.txt")));
    let unchanged = printed(&case, &["meddle", "in", "--how", "nothing", "--file", "x"]);
    assert_eq!(unchanged, "first\t1\nlast\t1\nnow\t1\n");
    case.finish();
}

#[test]
fn inputs_that_are_not_there_are_refused_before_the_start() {
    let case = Case::new();
    case.file("there.txt", "x\n");
    fs::create_dir_all(case.path("empty/er")).expect("folders");
    mknodat(CWD, case.path("pipe"), FileType::Fifo, Mode::RUSR, 0).expect("a named pipe");
    let odd = std::ffi::OsStr::from_bytes(b"odd-\xff.txt");
    for (input, said) in [
        ("missing.txt", "missing.txt: no such file or folder"),
        ("there.txt/below", "there.txt/below"),
        ("empty", "input folder empty: no file in it"),
        ("pipe", "pipe: is a named pipe"),
        ("/dev/null", "/dev/null: is a device"),
        ("", "INPUT"),
    ] {
        let error = refused(&case, 2, &["words", "there.txt", input]);
        assert!(error.starts_with("error: ") && error.contains(said), "{input}: {error}");
    }
    let finished = case.command(JOBS).args(["words", "-o", "out"]).arg(odd).run().assert_code(2);
    assert!(finished.stderr_text().contains("odd-\u{fffd}.txt: no such file"), "{finished}");
    case.file(Path::new(odd), "odd name\n");
    let finished = case.command(JOBS).arg("words").arg(odd).run().assert_code(0);
    assert_eq!(finished.stdout_text(), "name\t1\nodd\t1\n");
    case.finish();
}

#[test]
fn a_file_of_the_wrong_size_for_its_records_is_refused() {
    let case = Case::new();
    case.file("in/good.bin", [1; 16]);
    case.file("in/bad.bin", [1; 15]);
    let error = refused(&case, 2, &["fixed", "--bytes", "8", "in"]);
    assert!(error.contains("in/bad.bin: its size 15 is no multiple of the record length 8"), "{error}");
    let error = refused(&case, 2, &["fixed", "--bytes", "0", "in/good.bin"]);
    assert!(error.contains("record length of 0"), "{error}");
    case.finish();
}

#[test]
fn an_unreadable_input_is_refused_before_the_start() {
    let case = Case::new();
    case.file("in/fine.txt", "fine\n");
    let secret = case.file("in/secret.txt", "secret\n");
    fs::set_permissions(&secret, Permissions::from_mode(0o000)).expect("its mode can be set");
    let Some(command) = case.command_as_nobody(JOBS) else {
        skip("an unreadable input: this is root, and setpriv cannot run the program as somebody else");
        return case.finish();
    };
    let finished = command.args(["words", "in", "-o", "out"]).run().assert_code(2);
    let error = finished.stderr_text();
    assert!(error.contains("in/secret.txt") && error.contains("ermission denied"), "{error}");
    assert!(!case.path("out").exists());
    case.finish();
}
