//! Where results go: part files, `_SUCCESS`, an existing output, a summary, a reader that has seen enough.
//!
//! What the results should be is tested elsewhere, and what a full disk does in `disks`.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use gristmill_testkit::command::TestCommand;
use gristmill_testkit::text::ZipfText;
use gristmill_tests::case::{Case, skip};

const JOBS: &str = env!("CARGO_BIN_EXE_jobs");
const EXECUTORS: [&str; 3] = ["inline", "threads", "processes"];

fn words(case: &Case, arguments: &[&str]) -> TestCommand {
    case.command(JOBS).args(["words", "in.txt", "--progress", "never"]).args(arguments)
}

/// A folder's files with their contents.
fn contents(case: &Case, folder: &str) -> Vec<(String, Vec<u8>)> {
    let read = |name: String| {
        let bytes = fs::read(case.path(folder).join(&name)).expect("a file");
        (name, bytes)
    };
    case.names(folder).into_iter().map(read).collect()
}

#[test]
fn an_output_holds_its_parts_and_success_and_nothing_else() {
    let case = Case::new();
    case.file("in.txt", "b a c b\n");
    for executor in EXECUTORS {
        let arguments = ["-r", "3", "-o", executor, "--executor", executor, "-w", "1"];
        let finished = words(&case, &arguments).run().assert_code(0);
        assert!(finished.stdout.is_empty() && finished.stderr.is_empty(), "{finished}");
        assert_eq!(case.names(executor), ["_SUCCESS", "part-r-00000", "part-r-00001", "part-r-00002"]);
        assert!(fs::read(case.path(executor).join("_SUCCESS")).expect("it is a file").is_empty());
        let mut lines = case.lines(executor);
        lines.sort();
        assert_eq!(lines, ["a\t1", "b\t2", "c\t1"]);
    }
    assert_eq!(case.names("."), ["in.txt", "inline", "processes", "threads", "tmp"]);
    case.finish();
}

#[test]
fn a_map_only_job_has_parts_of_its_own() {
    let case = Case::new();
    case.file("in.txt", "one\ntwo\nthree\n");
    case.command(JOBS).args(["upper", "in.txt", "-r", "2", "-o", "out"]).run().assert_code(0);
    assert_eq!(case.names("out"), ["_SUCCESS", "part-m-00000", "part-m-00001"]);
    case.finish();
}

#[test]
fn tabs_line_ends_and_backslashes_are_escaped_and_can_be_restored() {
    let case = Case::new();
    let odd = "tab\there\\n\rcr\\";
    case.file("in.txt", format!("{odd}\n\\\n"));
    case.command(JOBS).args(["byte-words", "in.txt", "-o", "out", "-r", "1"]).run().assert_code(0);
    let lines = case.lines("out");
    assert_eq!(lines, ["\\\\\t1", "tab\\there\\\\n\\rcr\\\\\t1"]);
    let (key, _) = lines[1].split_once('\t').expect("one tab separates key and value");
    assert_eq!(gristmill::unescape(key.as_bytes()).expect("it was escaped"), odd.as_bytes());
    case.finish();
}

#[test]
fn an_output_that_exists_is_refused_and_untouched() {
    let case = Case::new();
    case.file("in.txt", "a\n");
    case.file("full/part-r-00000", "from before\n");
    fs::create_dir(case.path("empty")).expect("a folder");
    case.file("file", "a file\n");
    std::os::unix::fs::symlink("nowhere", case.path("link")).expect("a link to nothing");
    let before = contents(&case, "full");
    for output in ["full", "empty", "file", "link", "full/"] {
        let finished = words(&case, &["-o", output]).run().assert_code(2);
        let error = finished.stderr_text();
        assert!(
            error.contains(&format!("output {output}: exists already (--overwrite replaces it)")),
            "{error}"
        );
    }
    assert_eq!(contents(&case, "full"), before);
    assert!(case.names("empty").is_empty());
    assert_eq!(case.names("."), ["empty", "file", "full", "in.txt", "link", "tmp"]);
    case.finish();
}

#[test]
fn overwriting_happens_at_the_end_and_only_of_a_jobs_output() {
    let case = Case::new();
    case.file("in.txt", "new\n");
    case.file("stop.txt", "now\n");
    for number in 0..5 {
        case.file(format!("out/part-r-{number:05}"), "from before\n");
    }
    case.file("out/_SUCCESS", "");
    let before = contents(&case, "out");
    // A run that fails must not have touched it, neither before nor after its failure.
    let meddle = ["meddle", "stop.txt", "--how", "fail", "--file", "x", "-o", "out", "--overwrite"];
    let failed = case.command(JOBS).args(meddle).run().assert_code(1);
    assert!(failed.stderr_text().contains("asked to fail at x"), "{failed}");
    assert_eq!(contents(&case, "out"), before);
    words(&case, &["-o", "out", "--overwrite", "-r", "1"]).run().assert_code(0);
    assert_eq!(
        contents(&case, "out"),
        [("_SUCCESS".into(), vec![]), ("part-r-00000".into(), b"new\t1\n".to_vec())]
    );
    words(&case, &["-o", "fresh", "--overwrite", "-r", "1"]).run().assert_code(0);
    assert_eq!(case.lines("fresh"), ["new\t1"]);
    case.finish();
}

#[test]
fn overwriting_refuses_a_folder_with_other_files() {
    let case = Case::new();
    case.file("in.txt", "new\n");
    case.file("mixed/part-r-00000", "from before\n");
    case.file("mixed/thesis.doc", "years of work\n");
    case.file("file", "not a folder\n");
    let before = contents(&case, "mixed");
    for (output, said) in [("mixed", "thesis.doc"), ("file", "file"), (".", "."), ("..", "..")] {
        let finished = words(&case, &["-o", output, "--overwrite"]).run().assert_code(2);
        let error = finished.stderr_text();
        assert!(error.starts_with(&format!("error: output {output}")) && error.contains(said), "{error}");
    }
    assert_eq!(contents(&case, "mixed"), before);
    case.finish();
}

/// A folder named like a part, or one that a careless user put into an output, must not be lost.
#[test]
fn overwriting_refuses_a_folder_that_holds_folders() {
    let case = Case::new();
    case.file("in.txt", "new\n");
    case.file("out/_SUCCESS", "");
    case.file("out/part-time/payslip.txt", "money\n");
    words(&case, &["-o", "out", "--overwrite"]).run().assert_code(2);
    assert!(case.path("out/part-time/payslip.txt").exists());
    case.finish();
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_the_start() {
    let case = Case::new();
    case.file("in.txt", "a\n");
    case.file("file", "no folder\n");
    for output in ["no/such/parent/out", "file/out"] {
        let finished = words(&case, &["-o", output]).run().assert_code(2);
        assert!(finished.stderr_text().contains(output.split('/').next().expect("a name")), "{finished}");
        assert!(finished.stderr_text().contains("output"), "{finished}");
    }
    let error = words(&case, &["-o", ""]).run().assert_code(2).stderr_text();
    assert!(!error.is_empty());
    fs::create_dir(case.path("locked")).expect("a folder");
    fs::set_permissions(case.path("locked"), Permissions::from_mode(0o555)).expect("its mode can be set");
    match case.command_as_nobody(JOBS) {
        Some(command) => {
            let finished = command.args(["words", "in.txt", "-o", "locked/out"]).run().assert_code(2);
            let error = finished.stderr_text();
            assert!(error.contains("locked/out") && error.contains("ermission denied"), "{error}");
        }
        None => skip("an output without permission to write: this is root, and setpriv cannot change that"),
    }
    let proc = words(&case, &["-o", "/proc/out"]).run().assert_code(2).stderr_text();
    assert!(proc.contains("/proc/out"), "{proc}");
    case.finish();
}

#[test]
fn a_summary_is_printed_as_json() {
    let case = Case::new();
    case.file("in.txt", "b a c b\na\n");
    let arguments = ["-o", "out", "--json", "-r", "3", "-w", "2", "-c", "4"];
    let finished = words(&case, &arguments).run().assert_code(0);
    assert_eq!(finished.stdout_text().lines().count(), 1, "{finished}");
    let summary: serde_json::Value = serde_json::from_slice(&finished.stdout).expect("it is JSON");
    for (name, value) in [
        ("job", "words".into()),
        ("input_files", 1.into()),
        ("input_bytes", 10.into()),
        ("map_tasks", 3.into()),
        ("partitions", 3.into()),
        ("workers", 2.into()),
        ("records", 3.into()),
        ("bytes", 12.into()),
        ("output", "out".into()),
        ("counters", serde_json::json!({"lines": 2, "words": 5})),
    ] {
        assert_eq!(summary[name], value, "{name} in {summary}");
    }
    let elapsed = summary["elapsed"].as_f64().expect("a number of seconds");
    assert!(elapsed > 0.0 && elapsed <= finished.elapsed.as_secs_f64(), "{elapsed} s");
    case.finish();
}

#[test]
fn scratch_stands_where_it_is_told_to() {
    let case = Case::new();
    case.file("in.txt", "a b\n");
    fs::create_dir(case.path("scratch")).expect("a folder");
    words(&case, &["-o", "out", "--work-dir", "scratch"]).run().assert_code(0);
    assert_eq!(words(&case, &["--work-dir", "scratch"]).run().assert_code(0).stdout_text(), "a\t1\nb\t1\n");
    assert!(case.names("scratch").is_empty());
    // It really is used: without write access to it there is no job.
    let finished = words(&case, &["--work-dir", "no-such-folder"]).run().assert_code(2);
    assert!(finished.stderr_text().contains("no-such-folder"), "{finished}");
    case.finish();
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let case = Case::new();
    case.file("in.txt", ZipfText::new(8, 50_000).lines(30_000));
    for executor in EXECUTORS {
        let script =
            format!("\"$0\" words in.txt --progress never --executor {executor} -w 1; echo $? > status");
        let pipeline = format!("({script}) | head -n 1");
        let finished = case.command("sh").args(["-c", &pipeline, JOBS]).run().assert_code(0);
        assert_eq!(finished.stdout_text().lines().count(), 1, "{finished}");
        assert!(finished.stderr.is_empty(), "{executor}: {finished}");
        assert_eq!(fs::read_to_string(case.path("status")).expect("it was written"), "0\n", "{executor}");
    }
    case.finish();
}

/// Results that nobody got must not look like success.
#[test]
fn a_standard_output_that_cannot_be_written_is_a_failure() {
    let case = Case::new();
    case.file("in.txt", "a\n");
    for executor in EXECUTORS {
        let script = format!("exec \"$0\" words in.txt --executor {executor} -w 1 > /dev/full");
        let finished = case.command("sh").args(["-c", &script, JOBS]).run().assert_code(1);
        let error = finished.stderr_text();
        assert!(error.contains("standard output") && error.contains("No space left on device"), "{error}");
    }
    case.finish();
}

/// The place of the work folder may be taken by something else: that must not be removed.
#[test]
fn a_folder_in_the_way_is_named_and_stays() {
    let case = Case::new();
    case.file("in.txt", "a\n");
    let own = case.file("out.gristmill/notes.txt", "not a job's\n");
    let finished = words(&case, &["-o", "out"]).run().assert_code(2);
    assert!(finished.stderr_text().contains("out.gristmill"), "{finished}");
    assert_eq!(fs::read(&own).expect("it is still there"), b"not a job's\n");
    fs::remove_dir_all(case.path("out.gristmill")).expect("it can be removed");
    case.finish();
}
