//! Options that make no sense are refused before anything starts: exit status 2 and a message that names the option.
//!
//! Inputs and outputs that cannot be used are tested elsewhere.

use gristmill_tests::case::Case;

const JOBS: &str = env!("CARGO_BIN_EXE_jobs");
const WORD_COUNT: &str = env!("CARGO_BIN_EXE_wordcount");

#[test]
fn nonsense_is_refused_with_the_name_of_the_option() {
    let case = Case::new();
    case.file("in.txt", "a\n");
    let cases: &[(&[&str], &[&str])] = &[
        (&["--workers", "0"], &["--workers", "at least 1"]),
        (&["--workers", "many"], &["--workers", "many"]),
        (&["--workers", "-1"], &["-1"]),
        (&["--workers", "1000000"], &["--workers", "4096"]),
        (&["--chunk-size", "0"], &["--chunk-size", "at least 1"]),
        (&["--chunk-size", "lots"], &["--chunk-size", "16MiB"]),
        (&["--chunk-size", "1e400G"], &["--chunk-size", "1e400G"]),
        (&["--chunk-size", "99999999999T"], &["--chunk-size", "99999999999T"]),
        (&["--memory", "0"], &["--memory", "at least 1"]),
        (&["--memory", "1K"], &["--memory", "MiB"]),
        (&["--memory", "12 parsec"], &["--memory", "12 parsec"]),
        (&["--partitions", "0"], &["--partitions", "at least 1"]),
        (&["--partitions", "100000000"], &["--partitions", "65536"]),
        (&["--max-attempts", "0"], &["--max-attempts", "at least 1"]),
        (&["--task-timeout", "soon"], &["--task-timeout", "10min"]),
        (&["--task-timeout", "5s", "--executor", "threads"], &["--task-timeout", "executor"]),
        (&["--task-timeout", "5s", "--executor", "inline"], &["--task-timeout", "executor"]),
        (&["--workers", "4", "--executor", "inline"], &["--workers", "inline"]),
        (&["--executor", "cluster"], &["--executor", "processes", "threads", "inline"]),
        (&["--json"], &["--output"]),
        (&["--overwrite"], &["--overwrite", "--output"]),
        (&["--frobnicate"], &["--frobnicate"]),
        (&["--progress", "sometimes"], &["--progress", "auto", "always", "never"]),
        (&["--log-file", "no/such/folder/log"], &["--log-file", "no/such/folder/log"]),
        (&["--log-level", "a=b=c"], &["--log-level", "a=b=c"]),
        (&["--log-file", "log", "--log-file-level", "a=b=c"], &["--log-file-level", "a=b=c"]),
        (&["--log-file-level", "info"], &["--log-file"]),
        (&["--log-max-bytes", "1M"], &["--log-file"]),
        (&["--log-file", "log", "--log-backups", "3"], &["--log-max-bytes"]),
        (&["--log-file", "log", "--log-format", "xml"], &["--log-format", "json", "text"]),
    ];
    for (arguments, named) in cases {
        let finished = case.command(JOBS).args(["words", "in.txt"]).args(*arguments).run().assert_code(2);
        let error = finished.stderr_text();
        assert!(finished.stdout.is_empty(), "{arguments:?}: {finished}");
        assert!(error.starts_with("error: "), "{arguments:?}: {error}");
        for name in *named {
            assert!(error.contains(name), "{arguments:?}: {name} is not in the message: {error}");
        }
    }
    assert_eq!(case.names("."), ["in.txt", "tmp"], "a refused run leaves nothing");
    case.finish();
}

/// The controls to the refusals above: the same options with sense.
#[test]
fn sense_is_accepted() {
    let case = Case::new();
    case.file("in.txt", "a\n");
    let accepted: [&[&str]; 8] = [
        &["--workers", "1", "--executor", "inline"],
        &["--task-timeout", "0", "--executor", "threads"],
        &["--task-timeout", "1h 30min"],
        &["--chunk-size", "1.5KiB", "--memory", "64 MiB"],
        &["--chunk-size", "16TiB"],
        &["--max-attempts", "3", "--durable"],
        &["-w", "3", "-r", "5", "-c", "10", "-m", "100M"],
        &["--log-level", "warn,gristmill=error"],
    ];
    for arguments in accepted {
        let finished = case.command(JOBS).args(["words", "in.txt"]).args(arguments).run().assert_code(0);
        assert_eq!(finished.stdout_text(), "a\t1\n", "{arguments:?}");
        assert!(finished.stderr.is_empty(), "{arguments:?}: {finished}");
    }
    case.finish();
}

#[test]
fn a_job_without_input_says_so_and_one_with_a_sample_runs() {
    let case = Case::new();
    let finished = case.command(JOBS).arg("words").run().assert_code(2);
    assert!(finished.stderr_text().contains("no input"), "{finished}");
    let finished = case.command(WORD_COUNT).run().assert_code(0);
    assert!(finished.stdout_text().contains("TOP 20 WORDS BY FREQUENCY"), "{finished}");
    case.finish();
}

#[test]
fn an_unknown_or_missing_job_is_refused() {
    let case = Case::new();
    let finished = case.command(JOBS).arg("wrods").run().assert_code(2);
    assert!(
        finished.stderr_text().contains("wrods") && finished.stderr_text().contains("words"),
        "{finished}"
    );
    let finished = case.command(JOBS).run().assert_code(2);
    assert!(finished.stderr_text().contains("positions"), "the jobs are listed: {finished}");
    // A job that only the program itself runs has no command.
    case.command(JOBS).arg("pairs-of-items").run().assert_code(2);
    case.finish();
}

/// Sockets have short names: a long folder for them must not be cut off silently, nor be waited for.
#[test]
fn a_folder_for_temporary_files_that_cannot_be_used_is_named() {
    let case = Case::new();
    case.file("in.txt", "a\n");
    let long = case.path("tmp").join("x".repeat(150));
    std::fs::create_dir(&long).expect("a folder");
    let folders = [
        (long.clone(), "bytes long"),
        (case.path("no-such-folder"), "No such file"),
        (case.path("in.txt"), "not a directory"),
    ];
    for (folder, said) in folders {
        let command =
            case.command(JOBS).args(["words", "in.txt", "-o", "out", "-w", "1"]).env("TMPDIR", &folder);
        let finished = command.run().assert_code(2);
        let error = finished.stderr_text();
        assert!(error.contains(&folder.display().to_string()) && error.contains(said), "{error}");
        assert!(!case.path("out").exists());
    }
    std::fs::remove_dir(long).expect("it can be removed");
    case.finish();
}

#[test]
fn help_lists_every_option() {
    let case = Case::new();
    let finished = case.command(WORD_COUNT).arg("--help").run().assert_code(0);
    let help = finished.stdout_text();
    for option in [
        "[INPUT]...",
        "-o, --output <DIR>",
        "--overwrite",
        "-w, --workers <N>",
        "-c, --chunk-size <SIZE>",
        "-r, --partitions <N>",
        "-m, --memory <SIZE>",
        "--executor <KIND>",
        "--max-attempts <N>",
        "--task-timeout <DUR>",
        "--resume",
        "--restart",
        "--from <PHASE>",
        "--verify",
        "--worker-memory <SIZE>",
        "--max-tasks-per-worker <N>",
        "--spill-compression <CODEC>",
        "--max-spill <SIZE>",
        "--tune",
        "--tune-time <DUR>",
        "--tune-plot <FILE>",
        "--durable",
        "--work-dir <DIR>",
        "--progress <WHEN>",
        "--json",
        "--log-level <FILTER>",
        "--log-file <PATH>",
        "--log-file-level <FILTER>",
        "--log-max-bytes <SIZE>",
        "--log-when <WHEN>",
        "--log-backups <N>",
        "--log-format <FORMAT>",
        "--tokenizer <KIND>",
        "--top <N>",
    ] {
        assert!(help.contains(option), "{option} is not in the help:\n{help}");
    }
    for program in [WORD_COUNT, JOBS] {
        let version = case.command(program).arg("--version").run().assert_code(0).stdout_text();
        assert!(version.trim_end().ends_with(env!("CARGO_PKG_VERSION")), "{version}");
    }
    case.finish();
}

#[test]
fn an_error_that_nobody_can_be_told_shows_in_the_exit_status() {
    let case = Case::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("it can be opened");
    let status = std::process::Command::new(WORD_COUNT)
        .arg(case.path("missing.txt"))
        .args(["--progress", "never"])
        .stderr(full)
        .status()
        .expect("it starts");
    assert_eq!(status.code(), Some(2));
}
