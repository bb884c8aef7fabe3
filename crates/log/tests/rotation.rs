//! The rotating file: what is in which file when it has been set aside, and when that fails.
//!
//! The handler is called directly, without a listener.

mod support;

use std::fs;
use std::path::Path;

use gristmill_log::{Handler, Level, LevelFilter, Record, RotateOptions, RotatingFile};
use support::{files, lines};

fn open(path: &Path, max_bytes: u64, backups: u32) -> RotatingFile {
    RotatingFile::open(path, RotateOptions { max_bytes, backups }).expect("log file")
}

/// Logs `messages`, and returns what failed.
fn log(file: &mut RotatingFile, messages: &[&str]) -> Vec<String> {
    let records = messages.iter().map(|message| Record::new(Level::INFO, "t", *message));
    let mut results: Vec<_> = records.map(|record| file.handle(&record)).collect();
    results.push(file.flush());
    results.into_iter().filter_map(|result| Some(result.err()?.to_string())).collect()
}

/// The messages in each file, oldest first.
fn messages(path: &Path) -> Vec<Vec<String>> {
    let message = |line: &str| line.rsplit(": ").next().unwrap_or_default().to_owned();
    let read = |path| fs::read_to_string(path).expect("log file").lines().map(message).collect();
    files(path).into_iter().map(read).collect()
}

#[test]
fn the_newest_backup_has_number_one_and_the_oldest_is_given_up() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.log");
    assert!(log(&mut open(&path, 1, 2), &["a", "b", "c", "d"]).is_empty());
    assert_eq!(messages(&path), [["b"], ["c"], ["d"]]);
}

#[test]
fn an_existing_file_is_continued() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.log");
    fs::write(&path, "from before\n").expect("write");
    assert!(log(&mut open(&path, 1 << 20, 1), &["a"]).is_empty());
    assert!(log(&mut open(&path, 1 << 20, 1), &["b"]).is_empty());
    assert_eq!(messages(&path), [["from before", "a", "b"]]);
    assert!(log(&mut open(&path, 1, 1), &["c"]).is_empty());
    assert_eq!(messages(&path).last().expect("a file"), &["c"], "its size counts");
}

#[test]
fn a_file_holds_as_much_as_it_may_and_no_record_is_split() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.log");
    let long = "long".repeat(200);
    let all: Vec<_> = (0..50).map(|n| if n % 10 == 9 { long.clone() } else { format!("m{n}") }).collect();
    let all: Vec<_> = all.iter().map(String::as_str).collect();
    assert!(log(&mut open(&path, 500, 100), &all).is_empty());
    assert_eq!(messages(&path).concat(), all);
    for (file, messages) in files(&path).iter().zip(messages(&path)) {
        let size = file.metadata().expect("log file").len();
        assert!(size <= 500 || messages == [long.as_str()], "{}: {size} bytes", file.display());
    }
}

#[test]
fn without_a_maximum_or_backups_a_file_grows() {
    for (max_bytes, backups) in [(0, 3), (1, 0)] {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.log");
        assert!(log(&mut open(&path, max_bytes, backups), &["a", "b", "c"]).is_empty());
        assert_eq!(messages(&path), [["a", "b", "c"]]);
    }
}

#[test]
fn a_rename_that_fails_is_told_and_the_file_goes_on() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.log");
    // A file cannot be renamed to a folder.
    fs::create_dir(folder.path().join("a.log.1")).expect("folder");
    let mut file = open(&path, 150, 1);
    let told = log(&mut file, &["a", "b", "c", "d"]);
    assert!(!told.is_empty() && told.iter().all(|error| error.contains("cannot rename ")), "{told:?}");
    assert_eq!(fs::read_to_string(&path).expect("log file").lines().count(), 4);

    fs::remove_dir(folder.path().join("a.log.1")).expect("removal");
    let more: Vec<_> = (0..10).map(|n| n.to_string()).collect();
    assert!(log(&mut file, &more.iter().map(String::as_str).collect::<Vec<_>>()).is_empty());
    assert!(files(&path).len() == 2, "it is tried again");
}

#[test]
fn a_level_keeps_lesser_records_out() {
    let folder = tempfile::tempdir().expect("folder");
    let file = open(&folder.path().join("a.log"), 0, 0).level(LevelFilter::WARN);
    assert!(file.accepts(&Level::WARN, "t") && !file.accepts(&Level::INFO, "t"));
}

#[test]
fn an_error_names_the_file() {
    let error = RotatingFile::open("/no/such/folder/a.log", RotateOptions::default()).expect_err("no folder");
    assert_eq!(error.to_string(), "cannot open log file /no/such/folder/a.log");
    assert_eq!(error.path(), Path::new("/no/such/folder/a.log"));
}

#[test]
fn a_line_of_a_message_is_not_taken_for_a_record() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("a.log");
    assert!(log(&mut open(&path, 0, 0), &["one\n2026-11-21 forged", "two"]).is_empty());
    let lines = lines(&path);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1], "    2026-11-21 forged");
}
