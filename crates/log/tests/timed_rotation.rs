//! The rotating file by time, by time and size together, and compressed; the clock is set by the tests.
//!
//! The dates themselves are tested in the library, and rotation by size in `rotation`.

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gristmill_log::{
    Format, Handler, Level, ManualClock, Record, RotatingFile, RotatingFileBuilder, Schedule, When,
};
use support::text;

/// 2024-03-09T10:20:30Z, a Saturday.
const START: u64 = 1_709_979_630;

struct Rig {
    folder: tempfile::TempDir,
    clock: ManualClock,
}

impl Rig {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("folder"), clock: ManualClock::new(at(0)) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.log")
    }

    fn file(&self, when: When) -> RotatingFileBuilder {
        let schedule = Schedule::new(when).utc();
        RotatingFile::builder(self.path()).schedule(schedule).clock(self.clock.clone())
    }

    /// The names in the folder and the messages in each file.
    fn content(&self) -> Vec<(String, String)> {
        let entries = fs::read_dir(self.folder.path()).expect("folder");
        let mut content: Vec<_> = entries
            .map(|entry| entry.expect("entry").path())
            .map(|path| {
                (
                    path.file_name().expect("name").to_str().expect("UTF-8").to_owned(),
                    text(&path).replace('\n', " "),
                )
            })
            .collect();
        content.sort();
        content
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(START + seconds)
}

fn open(builder: RotatingFileBuilder) -> RotatingFile {
    builder.open().expect("log file").format(Format::Pattern("{message}".parse().expect("pattern")))
}

fn log(file: &mut RotatingFile, message: &str) {
    file.handle(&Record::new(Level::INFO, "t", message)).expect("logged");
    file.flush().expect("flushed");
}

fn pairs(content: &[(String, String)]) -> Vec<(&str, &str)> {
    content.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

fn age(path: &Path, time: SystemTime) {
    File::options().append(true).open(path).and_then(|file| file.set_modified(time)).expect("a time");
}

#[test]
fn old_files_carry_the_time_at_which_they_were_begun() {
    for (when, unit, name) in [
        (When::Second, 1, "a.log.2024-03-09_10-20-30"),
        (When::Minute, 60, "a.log.2024-03-09_10-20"),
        (When::Hour, 3600, "a.log.2024-03-09_10"),
        (When::Day, 86_400, "a.log.2024-03-09"),
        (When::Midnight, 86_400, "a.log.2024-03-09"),
        (When::Weekday(5), 86_400, "a.log.2024-03-03"),
    ] {
        let rig = Rig::new();
        let mut file = open(rig.file(when));
        log(&mut file, "one");
        log(&mut file, "two");
        rig.clock.advance(Duration::from_secs(unit));
        log(&mut file, "three");
        assert_eq!(pairs(&rig.content()), [("a.log", "three "), (name, "one two ")], "{when}");
    }
}

#[test]
fn nothing_happens_before_it_is_time() {
    let rig = Rig::new();
    let mut file = open(rig.file(When::Hour));
    log(&mut file, "one");
    rig.clock.advance(Duration::from_secs(3599));
    log(&mut file, "two");
    assert_eq!(file.due(), Some(at(3600)));
    assert_eq!(pairs(&rig.content()), [("a.log", "one two ")]);
}

#[test]
fn a_file_of_an_earlier_run_is_due_by_the_time_of_its_last_record() {
    let rig = Rig::new();
    fs::write(rig.path(), "old\n").expect("write");
    age(&rig.path(), at(0) - Duration::from_secs(90_000));
    let mut file = open(rig.file(When::Midnight));
    log(&mut file, "new");
    assert_eq!(pairs(&rig.content()), [("a.log", "new "), ("a.log.2024-03-08", "old ")]);

    drop(file);
    age(&rig.path(), at(0));
    let mut file = open(rig.file(When::Midnight));
    log(&mut file, "newer");
    assert_eq!(text(&rig.path()), "new\nnewer\n");
}

#[test]
fn only_our_own_old_files_are_removed() {
    let rig = Rig::new();
    let others = [
        "a.log.bak",
        "a.log.2024-03-09_10-20-3",
        "a.log.2024-03-09.txt",
        "b.log.2024-03-09_10-20-10",
        "a.log.1",
    ];
    for other in others {
        fs::write(rig.folder.path().join(other), "").expect("write");
    }
    let mut file = open(rig.file(When::Second).backups(2));
    for n in 0..6 {
        log(&mut file, &n.to_string());
        rig.clock.advance(Duration::from_secs(1));
    }
    let content = rig.content();
    let ours: Vec<_> = pairs(&content).into_iter().filter(|(_, text)| !text.is_empty()).collect();
    assert_eq!(
        ours,
        [("a.log", "5 "), ("a.log.2024-03-09_10-20-33", "3 "), ("a.log.2024-03-09_10-20-34", "4 ")]
    );
    assert_eq!(content.len(), 3 + others.len());
}

#[test]
fn without_a_number_of_backups_all_are_kept() {
    let rig = Rig::new();
    let mut file = open(rig.file(When::Second));
    for n in 0..20 {
        log(&mut file, &n.to_string());
        rig.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(rig.content().len(), 20);
    assert_eq!(file.files().expect("files").len(), 20);
}

#[test]
fn size_and_time_work_together() {
    let rig = Rig::new();
    let mut file = open(rig.file(When::Hour).max_bytes(8));
    for message in ["aaa", "bbb", "ccc", "ddd", "eee"] {
        log(&mut file, message);
    }
    rig.clock.advance(Duration::from_secs(3600));
    log(&mut file, "fff");
    let expected = [
        ("a.log", "fff "),
        ("a.log.2024-03-09_10", "aaa bbb "),
        ("a.log.2024-03-09_10.1", "ccc ddd "),
        ("a.log.2024-03-09_10.2", "eee "),
    ];
    assert_eq!(pairs(&rig.content()), expected);
    let files = file.files().expect("files");
    assert_eq!(files.iter().map(|path| text(path)).collect::<String>(), "aaa\nbbb\nccc\nddd\neee\nfff\n");
}

#[test]
fn the_oldest_of_one_period_goes_first() {
    let rig = Rig::new();
    let mut file = open(rig.file(When::Hour).max_bytes(1).backups(3));
    (0..15).for_each(|n| log(&mut file, &n.to_string()));
    let files = file.files().expect("files");
    assert_eq!(files.iter().map(|path| text(path)).collect::<String>(), "11\n12\n13\n14\n");
}

#[test]
fn a_date_that_comes_twice_costs_nothing() {
    let rig = Rig::new();
    let mut file = open(rig.file(When::Hour));
    log(&mut file, "one");
    rig.clock.advance(Duration::from_secs(3600));
    log(&mut file, "two");
    // The clock is set back.
    rig.clock.set(at(0));
    file.rotate().expect("rotated");
    log(&mut file, "three");
    file.rotate().expect("rotated");
    let content = rig.content();
    let kept: String = content.iter().map(|(_, text)| text.as_str()).collect();
    for message in ["one", "two", "three"] {
        assert!(kept.contains(message), "{content:?}");
    }
}

#[test]
fn old_files_are_compressed_and_stay_in_order() {
    let rig = Rig::new();
    let mut by_size = open(RotatingFile::builder(rig.path()).max_bytes(1).backups(3).gzip(true));
    (0..6).for_each(|n| log(&mut by_size, &n.to_string()));
    by_size.finish().expect("compressed");
    let expected = [("a.log", "5 "), ("a.log.1.gz", "4 "), ("a.log.2.gz", "3 "), ("a.log.3.gz", "2 ")];
    assert_eq!(pairs(&rig.content()), expected);
    drop(by_size);

    // Without compression the same files are found, moved and given up.
    let mut plain = open(RotatingFile::builder(rig.path()).max_bytes(1).backups(3));
    log(&mut plain, "6");
    let expected = [("a.log", "6 "), ("a.log.1", "5 "), ("a.log.2.gz", "4 "), ("a.log.3.gz", "3 ")];
    assert_eq!(pairs(&rig.content()), expected);
    let names: Vec<_> = plain.files().expect("files").into_iter().map(|path| text(&path)).collect();
    assert_eq!(names.concat(), "3\n4\n5\n6\n");
    log(&mut plain, "7");
    log(&mut plain, "8");
    assert_eq!(pairs(&rig.content())[1..], [("a.log.1", "7 "), ("a.log.2", "6 "), ("a.log.3", "5 ")]);
}

#[test]
fn dated_files_are_compressed_and_removed_as_well() {
    let rig = Rig::new();
    let mut file = open(rig.file(When::Second).backups(2).gzip(true));
    for n in 0..5 {
        log(&mut file, &n.to_string());
        rig.clock.advance(Duration::from_secs(1));
    }
    file.finish().expect("compressed");
    let expected =
        [("a.log", "4 "), ("a.log.2024-03-09_10-20-32.gz", "2 "), ("a.log.2024-03-09_10-20-33.gz", "3 ")];
    assert_eq!(pairs(&rig.content()), expected);
}

#[test]
fn what_a_killed_compression_left_is_tidied_up() {
    let rig = Rig::new();
    let builder = RotatingFile::builder(rig.path()).max_bytes(1).backups(5).gzip(true);
    let mut file = open(builder.clone());
    ["one", "two", "three"].iter().for_each(|message| log(&mut file, message));
    file.finish().expect("compressed");
    drop(file);
    // It had got its name, and the plain file was still there; of another there is a part.
    let old = |name: &str| rig.folder.path().join(name);
    fs::write(old("a.log.1"), "two\n").expect("write");
    fs::write(old("a.log.2.gz.part"), "torn").expect("write");
    drop(open(builder));
    assert_eq!(pairs(&rig.content()), [("a.log", "three "), ("a.log.1.gz", "two "), ("a.log.2.gz", "one ")]);
}

#[test]
fn a_compression_that_fails_is_told_and_loses_nothing() {
    let rig = Rig::new();
    let mut file = open(RotatingFile::builder(rig.path()).max_bytes(1).backups(3).gzip(true));
    // Nothing can be created under this name.
    fs::create_dir(rig.folder.path().join("a.log.1.gz.part")).expect("folder");
    log(&mut file, "one");
    file.handle(&Record::new(Level::INFO, "t", "two")).expect("logged");
    let error = file.finish().expect_err("a folder is in the way").to_string();
    assert!(error.starts_with(&format!("cannot compress {}.1: ", rig.path().display())), "{error}");
    fs::remove_dir(rig.folder.path().join("a.log.1.gz.part")).expect("removal");
    assert_eq!(pairs(&rig.content()), [("a.log", "two "), ("a.log.1", "one ")]);
}

#[test]
fn a_delayed_file_is_opened_by_its_first_record() {
    let rig = Rig::new();
    let mut file = open(RotatingFile::builder(rig.path()).max_bytes(10).backups(1).delay(true));
    assert!(!rig.path().exists());
    fs::write(rig.path(), "from before\n").expect("write");
    log(&mut file, "one");
    assert_eq!(pairs(&rig.content()), [("a.log", "one "), ("a.log.1", "from before ")]);
}

#[test]
fn a_device_is_never_set_aside() {
    let rig = Rig::new();
    let schedule = Schedule::new(When::Second).utc();
    let builder = RotatingFile::builder("/dev/null").max_bytes(1).backups(3);
    let mut file = open(builder.schedule(schedule).clock(rig.clock.clone()));
    for _ in 0..3 {
        log(&mut file, "nowhere");
        rig.clock.advance(Duration::from_secs(10));
    }
    assert!(!Path::new("/dev/null.1").exists());
    assert!(!fs::metadata("/dev/null").expect("device").is_file());
}

#[test]
fn a_time_rotation_that_fails_is_tried_again_later() {
    let rig = Rig::new();
    // There is no room for a date behind such a name.
    let path = rig.folder.path().join("x".repeat(250));
    let schedule = Schedule::new(When::Hour).utc();
    let mut file = open(RotatingFile::builder(&path).schedule(schedule).clock(rig.clock.clone()));
    let mut say = |message: &str| file.handle(&Record::new(Level::INFO, "t", message));
    say("one").expect("not due");
    rig.clock.advance(Duration::from_secs(3600));
    let error = say("two").expect_err("the name is too long").to_string();
    assert!(error.starts_with("cannot rename "), "{error}");
    say("three").expect("it is not tried with every record");
    rig.clock.advance(Duration::from_secs(60));
    assert!(say("four").is_err());
    file.flush().expect("flushed");
    assert_eq!(text(&path), "one\ntwo\nthree\nfour\n");
}
