//! The rotating file among programs that do other things with its files, and after runs that were cut short.
//!
//! The handler is called directly, without a listener.

mod support;

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use gristmill_log::{Format, Handler, Level, Record, RotatingFile, RotatingFileBuilder};
use support::text;

struct Rig {
    folder: tempfile::TempDir,
}

impl Rig {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Every record has a file of its own.
    fn builder(&self) -> RotatingFileBuilder {
        RotatingFile::builder(self.path("a.log")).max_bytes(1).backups(3)
    }

    /// The names of the files that are no folders, and the messages in each.
    fn content(&self) -> Vec<(String, String)> {
        let entries = fs::read_dir(self.folder.path()).expect("folder").map(|entry| entry.expect("entry"));
        let mut content: Vec<_> = entries
            .filter(|entry| entry.path().is_file())
            .map(|entry| (entry.file_name().into_string().expect("UTF-8"), text(&entry.path())))
            .map(|(name, text)| (name, text.trim().replace('\n', " ")))
            .collect();
        content.sort();
        content
    }

    fn assert_content(&self, expected: &[(&str, &str)]) {
        let content = self.content();
        let pairs: Vec<_> = content.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(pairs, expected);
    }
}

fn open(builder: RotatingFileBuilder) -> RotatingFile {
    builder.open().expect("log file").format(Format::Pattern("{message}".parse().expect("pattern")))
}

fn log(file: &mut RotatingFile, messages: &[&str]) {
    for message in messages {
        file.handle(&Record::new(Level::INFO, "t", *message)).expect("logged");
        file.flush().expect("flushed");
    }
}

fn refusal(builder: RotatingFileBuilder) -> String {
    gristmill_log::chain(&builder.open().expect_err("it is refused")).to_string()
}

#[test]
fn fewer_backups_than_in_the_run_before_leave_no_others_behind() {
    let rig = Rig::new();
    log(&mut open(rig.builder().backups(5)), &["1", "2", "3", "4", "5", "6"]);
    // Without a break they would be ours.
    fs::write(rig.path("a.log.7"), "foreign").expect("write");
    log(&mut open(rig.builder().backups(2)), &["7"]);
    rig.assert_content(&[("a.log", "7"), ("a.log.1", "6"), ("a.log.2", "5"), ("a.log.7", "foreign")]);
}

#[test]
fn foreign_files_of_similar_names_are_left_alone() {
    let rig = Rig::new();
    let foreign = ["a.log.01", "a.log.1.bak", "a.log.2024-03-09", "a.log.x", "a.logs.1", "ba.log.1", "a.1"];
    foreign.iter().for_each(|name| fs::write(rig.path(name), "foreign").expect("write"));
    log(&mut open(rig.builder().backups(1)), &["1", "2", "3"]);
    for name in foreign {
        assert_eq!(text(&rig.path(name)), "foreign", "{name}");
    }
    assert_eq!(rig.content().len(), foreign.len() + 2);
}

#[test]
fn a_torn_compressed_file_does_not_replace_its_whole_one() {
    let rig = Rig::new();
    log(&mut open(rig.builder()), &["one", "two"]);
    fs::write(rig.path("a.log.1.gz"), b"\x1f\x8b\x08\x00torn").expect("write");
    // A program without compression meets it, and moves the whole one.
    log(&mut open(rig.builder()), &["three"]);
    rig.assert_content(&[("a.log", "three"), ("a.log.1", "two"), ("a.log.2", "one")]);

    fs::write(rig.path("a.log.2.gz"), b"\x1f\x8b\x08\x00torn").expect("write");
    drop(open(rig.builder().gzip(true)));
    rig.assert_content(&[("a.log", "three"), ("a.log.1", "two"), ("a.log.2", "one")]);
}

/// What a rotation that was killed between its two steps leaves where one old file is kept.
#[test]
fn a_compressed_file_of_the_same_size_is_not_taken_for_the_newer_one() {
    let rig = Rig::new();
    let mut file = open(rig.builder().backups(1).gzip(true));
    log(&mut file, &["old", "new"]);
    file.finish().expect("compressed");
    drop(file);
    rig.assert_content(&[("a.log", "new"), ("a.log.1.gz", "old")]);
    fs::rename(rig.path("a.log"), rig.path("a.log.1")).expect("rename");
    drop(open(rig.builder().backups(1).gzip(true)));
    rig.assert_content(&[("a.log", ""), ("a.log.1", "new")]);
}

#[test]
fn a_second_log_on_a_file_that_is_rotated_is_refused() {
    let rig = Rig::new();
    let plain = || RotatingFile::builder(rig.path("a.log"));
    let mut first = open(rig.builder());
    log(&mut first, &["one", "two"]);
    for second in [rig.builder(), plain()] {
        let told = refusal(second);
        assert!(told.starts_with("cannot open log file ") && told.contains("another log's"), "{told}");
    }
    drop(first);
    let (one, other) = (open(plain()), open(plain()));
    assert!(
        refusal(rig.builder()).contains("one of the two rotates it"),
        "it is not for those alone that rotate"
    );
    drop((one, other));
    log(&mut open(rig.builder()), &["three"]);
    rig.assert_content(&[("a.log", "three"), ("a.log.1", "two"), ("a.log.2", "one")]);
}

#[test]
fn a_claim_that_is_given_up_at_once_is_waited_for() {
    let rig = Rig::new();
    let first = open(rig.builder());
    let given_up = std::thread::spawn(move || {
        std::thread::park_timeout(std::time::Duration::from_millis(20));
        drop(first);
    });
    log(&mut open(rig.builder()), &["one"]);
    given_up.join().expect("no panic");
}

#[test]
fn a_file_that_is_opened_anew_stays_claimed() {
    let rig = Rig::new();
    let mut file = open(rig.builder());
    log(&mut file, &["one"]);
    file.reopen().expect("opened");
    assert!(refusal(rig.builder()).contains("another log's"));
}

#[test]
fn a_link_stays_and_the_file_that_it_leads_to_is_rotated() {
    let rig = Rig::new();
    let disk = Rig::new();
    symlink(disk.path("real.log"), rig.path("a.log")).expect("link");
    let mut file = open(rig.builder().gzip(true));
    log(&mut file, &["one", "two", "three"]);
    file.finish().expect("compressed");
    disk.assert_content(&[("real.log", "three"), ("real.log.1.gz", "two"), ("real.log.2.gz", "one")]);
    assert_eq!(fs::read_link(rig.path("a.log")).expect("a link"), disk.path("real.log"));
    assert_eq!(file.files().expect("files").len(), 3);
}

#[test]
fn a_removed_or_replaced_file_is_begun_anew() {
    let rig = Rig::new();
    let mut file = open(RotatingFile::builder(rig.path("a.log")));
    log(&mut file, &["one"]);
    fs::write(rig.path("b"), "foreign\n").expect("write");
    fs::rename(rig.path("b"), rig.path("a.log")).expect("rename");
    file.handle(&Record::new(Level::INFO, "t", "two")).expect("kept");
    let told = file.flush().expect_err("it is told").to_string();
    assert!(told.ends_with("a.log had been removed and is begun anew"), "{told}");
    log(&mut file, &["three"]);
    rig.assert_content(&[("a.log", "foreign two three")]);
}

#[test]
fn a_pipe_without_a_reader_does_not_stop_the_program() {
    let rig = Rig::new();
    let path = rig.path("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    let builder = RotatingFile::builder(&path).max_bytes(1).backups(1);
    assert_eq!(
        refusal(builder.clone()),
        format!("cannot open log file {}: nobody reads from it", path.display())
    );

    let reader = support::drain(support::open_pipe(&path), "one\ntwo\n".len());
    let mut file = open(builder);
    log(&mut file, &["one", "two"]);
    file.rotate().expect("a pipe is never set aside");
    assert!(rig.path("pipe").exists() && !rig.path("pipe.1").exists());
    drop(file);
    assert_eq!(reader.join().expect("no panic"), "one\ntwo\n");
}

/// The reader takes nothing until the end: what has no room in the pipe is kept, and comes later.
#[test]
fn a_pipe_whose_reader_is_slow_costs_a_moment_and_no_record() {
    let rig = Rig::new();
    let path = rig.path("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    let reader = support::open_pipe(&path);
    let mut file = open(RotatingFile::builder(&path));
    let message = "x".repeat(999);
    let failed = (0..200).filter(|_| file.handle(&Record::new(Level::INFO, "t", &*message)).is_err()).count();
    assert!((1..10).contains(&failed), "{failed}");
    let reader = support::drain(reader, 200_000);
    while file.flush().is_err() {}
    drop(file);
    let got = reader.join().expect("no panic");
    assert!(got.lines().count() == 200 && got.lines().all(|line| line == message));
}

#[test]
fn a_device_is_not_set_aside_on_request_either() {
    let link = Rig::new();
    symlink("/dev/null", link.path("a.log")).expect("link");
    let mut file = open(link.builder());
    log(&mut file, &["nowhere"]);
    file.rotate().expect("nothing to be done");
    assert!(fs::metadata("/dev/null").is_ok_and(|metadata| !metadata.is_file()));
    assert!(!Path::new("/dev/null.1").exists() && !link.path("a.log.1").exists());
}

#[test]
fn a_file_that_keeps_no_old_ones_is_not_set_aside_on_request_either() {
    let rig = Rig::new();
    let mut file = open(rig.builder().backups(0));
    log(&mut file, &["one"]);
    file.rotate().expect("nothing to be done");
    log(&mut file, &["two"]);
    rig.assert_content(&[("a.log", "one two")]);
}

#[test]
fn a_file_that_is_emptied_by_somebody_begins_at_nothing() {
    let rig = Rig::new();
    let mut file = open(RotatingFile::builder(rig.path("a.log")).max_bytes(10).backups(1));
    log(&mut file, &["12345678"]);
    File::options().write(true).truncate(true).open(rig.path("a.log")).expect("emptied");
    log(&mut file, &["1"]);
    log(&mut file, &["2"]);
    rig.assert_content(&[("a.log", "1 2")]);
}

#[test]
fn a_torn_line_of_a_killed_program_is_not_continued() {
    let rig = Rig::new();
    for (before, after) in
        [("whole\ntor", "whole tor one two"), ("whole\n", "whole one two"), ("", "one two")]
    {
        fs::write(rig.path("a.log"), before).expect("write");
        log(&mut open(RotatingFile::builder(rig.path("a.log"))), &["one", "two"]);
        rig.assert_content(&[("a.log", after)]);
    }
}

#[test]
fn a_new_file_does_not_bear_what_failed_with_an_old_one() {
    let rig = Rig::new();
    // A file cannot be renamed to a folder.
    fs::create_dir(rig.path("a.log.1")).expect("folder");
    let mut file = open(rig.builder().max_bytes(10).backups(1));
    let failed =
        |file: &mut RotatingFile| file.handle(&Record::new(Level::INFO, "t", "x".repeat(500))).is_err();
    assert!(!failed(&mut file) && failed(&mut file));
    file.flush().expect("flushed");
    fs::remove_dir(rig.path("a.log.1")).expect("removal");
    fs::rename(rig.path("a.log"), rig.path("moved")).expect("rename");
    file.reopen().expect("opened");
    log(&mut file, &["12345678", "9"]);
    assert_eq!(
        (text(&rig.path("a.log.1")).as_str(), text(&rig.path("a.log")).as_str()),
        ("12345678\n", "9\n")
    );
}

#[test]
fn a_folder_is_no_log_file() {
    let rig = Rig::new();
    let told = refusal(RotatingFile::builder(rig.folder.path()));
    assert!(told.starts_with("cannot open log file ") && told.contains("directory"), "{told}");
    assert!(refusal(RotatingFile::builder("")).starts_with("cannot open log file "));
}
