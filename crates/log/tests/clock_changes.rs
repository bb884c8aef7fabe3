//! The rotating file by time when the clock goes back, stands still or leaps: every record is in one file, and the
//! oldest goes first.
//!
//! How the next time is found is tested in the library.

mod support;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gristmill_log::{
    Clock, Format, Handler, Level, ManualClock, Record, RotatingFile, RotatingFileBuilder, Schedule, When,
};
use support::text;

struct Rig {
    folder: tempfile::TempDir,
    clock: ManualClock,
}

impl Rig {
    fn new(start: &str) -> Self {
        Self { folder: tempfile::tempdir().expect("folder"), clock: ManualClock::new(time(start)) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.log")
    }

    fn file(&self, schedule: Schedule) -> RotatingFileBuilder {
        RotatingFile::builder(self.path()).schedule(schedule).clock(self.clock.clone())
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("folder");
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("entry").file_name();
        let mut names: Vec<_> = entries.map(|entry| name(entry).into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }
}

fn time(text: &str) -> SystemTime {
    let stamp: jiff::Timestamp = text.parse().expect("a time");
    UNIX_EPOCH + Duration::from_secs(stamp.as_second().unsigned_abs())
}

fn open(builder: RotatingFileBuilder) -> RotatingFile {
    builder.open().expect("log file").format(Format::Pattern("{message}".parse().expect("pattern")))
}

fn log(file: &mut RotatingFile, message: &str) {
    file.handle(&Record::new(Level::INFO, "t", message)).expect("logged");
    file.flush().expect("flushed");
}

/// The messages in the order of the files.
fn messages(file: &RotatingFile) -> String {
    let files = file.files().expect("files");
    files.iter().map(|path| text(path).replace('\n', " ")).collect()
}

fn age(path: &Path, time: SystemTime) {
    File::options().append(true).open(path).and_then(|file| file.set_modified(time)).expect("a time");
}

#[test]
fn a_clock_that_was_years_ahead_does_not_stop_rotation() {
    let rig = Rig::new("2034-01-01T10:00:00Z");
    let mut file = open(rig.file(Schedule::new(When::Midnight).utc()));
    log(&mut file, "ahead");
    rig.clock.set(time("2024-03-09T23:00:00Z"));
    log(&mut file, "corrected");
    assert_eq!(file.due(), Some(time("2024-03-10T00:00:00Z")));
    rig.clock.set(time("2024-03-10T00:00:01Z"));
    log(&mut file, "next");
    assert_eq!(rig.names(), ["a.log", "a.log.2024-03-09"]);
}

#[test]
fn files_of_a_clock_that_was_years_ahead_go_first() {
    let rig = Rig::new("2034-01-01T10:00:00Z");
    let mut file = open(rig.file(Schedule::new(When::Hour).utc()).backups(3));
    for n in 0..3 {
        log(&mut file, &n.to_string());
        rig.clock.advance(Duration::from_secs(3600));
    }
    rig.clock.set(time("2024-03-09T10:00:00Z"));
    for n in 3..6 {
        log(&mut file, &n.to_string());
        rig.clock.advance(Duration::from_secs(3600));
    }
    assert_eq!(messages(&file), "1 2 3 4 5 ");
    let expected = ["a.log", "a.log.2024-03-09_10", "a.log.2024-03-09_11", "a.log.2034-01-01_11"];
    assert_eq!(rig.names(), expected);
}

#[test]
fn a_file_from_the_future_is_not_waited_for() {
    let rig = Rig::new("2024-03-09T23:00:00Z");
    fs::write(rig.path(), "future\n").expect("write");
    age(&rig.path(), time("2034-01-01T10:00:00Z"));
    let mut file = open(rig.file(Schedule::new(When::Midnight).utc()));
    log(&mut file, "one");
    rig.clock.set(time("2024-03-10T12:00:00Z"));
    log(&mut file, "two");
    assert_eq!(messages(&file), "future one two ");
    assert_eq!(rig.names(), ["a.log", "a.log.2024-03-09"]);
}

#[test]
fn when_the_clock_has_gone_back_the_oldest_still_goes_first() {
    let rig = Rig::new("2024-03-09T10:20:30Z");
    let mut file = open(rig.file(Schedule::new(When::Second).utc()).backups(3));
    for n in 0..6 {
        log(&mut file, &n.to_string());
        rig.clock.advance(Duration::from_secs(1));
    }
    rig.clock.set(time("2024-03-09T09:00:00Z"));
    for n in 6..9 {
        log(&mut file, &n.to_string());
        rig.clock.advance(Duration::from_secs(1));
    }
    // The sixth is in a file with the fifth, which was not due any more.
    assert_eq!(messages(&file), "4 5 6 7 8 ");
    let expected = ["", "_10-20-34", "_10-20-34.1", "_10-20-34.2"].map(|end| match end {
        "" => "a.log".to_owned(),
        end => format!("a.log.2024-03-09{end}"),
    });
    assert_eq!(rig.names(), expected);
}

#[test]
fn the_hour_that_comes_twice_keeps_its_order() {
    let rig = Rig::new("2024-10-27T00:10:00Z");
    let schedule = Schedule::new(When::Minute).every(20).zone("CET-1CEST,M3.5.0,M10.5.0/3").expect("a rule");
    let mut file = open(rig.file(schedule).backups(4));
    for n in 0..9 {
        log(&mut file, &n.to_string());
        rig.clock.advance(Duration::from_secs(20 * 60));
    }
    assert_eq!(messages(&file), "4 5 6 7 8 ");
}

/// A program that runs now and then writes its file again and again: its age is that of its first record.
#[test]
fn short_runs_rotate_by_the_age_of_the_file() {
    let rig = Rig::new("2024-03-09T10:20:30Z");
    let hourly = || rig.file(Schedule::new(When::Hour).utc());
    drop(open(hourly()));
    let created = rig.path().metadata().expect("log file").created();
    // Not every file system knows it.
    let Ok(created) = created else { return };
    rig.clock.set(created);
    for minutes in [0, 30, 50] {
        rig.clock.set(created + Duration::from_secs(minutes * 60));
        log(&mut open(hourly()), "early");
        age(&rig.path(), rig.clock.now());
    }
    rig.clock.set(created + Duration::from_secs(70 * 60));
    let mut file = open(hourly());
    log(&mut file, "late");
    assert_eq!(rig.names().len(), 2);
    assert_eq!(messages(&file), "early early early late ");
}

/// As `TimedRotatingFileHandler` is tested: the time of day is now, and the file was last written a second before.
#[test]
fn a_time_of_day_that_has_just_come_sets_an_earlier_file_aside() {
    for (when, old) in [(When::Midnight, "a.log.2024-03-08"), (When::Weekday(5), "a.log.2024-03-02")] {
        let rig = Rig::new("2024-03-09T10:20:30Z");
        let schedule = || rig.file(Schedule::new(when).utc().at(10, 20, 30));
        for n in 0..3 {
            log(&mut open(schedule()), &format!("one{n}"));
            age(&rig.path(), rig.clock.now());
        }
        assert_eq!(rig.names(), ["a.log"], "it was begun after that time, or then");
        age(&rig.path(), rig.clock.now() - Duration::from_secs(1));
        for n in 0..2 {
            log(&mut open(schedule()), &format!("two{n}"));
            age(&rig.path(), rig.clock.now());
        }
        assert_eq!(rig.names(), ["a.log", old]);
        assert_eq!(text(&rig.path()), "two0\ntwo1\n");
    }
}

#[test]
fn a_long_silence_costs_one_rotation() {
    let rig = Rig::new("2024-01-30T12:00:00Z");
    let mut file = open(rig.file(Schedule::new(When::Midnight).utc()));
    log(&mut file, "one");
    rig.clock.set(time("2024-03-02T08:00:00Z"));
    log(&mut file, "two");
    log(&mut file, "three");
    assert_eq!(rig.names(), ["a.log", "a.log.2024-01-30"]);
    assert_eq!(file.due(), Some(time("2024-03-03T00:00:00Z")));
}

#[test]
fn an_empty_file_is_not_set_aside() {
    let rig = Rig::new("2024-03-09T10:20:30Z");
    let mut file = open(rig.file(Schedule::new(When::Second).utc()).max_bytes(100));
    rig.clock.advance(Duration::from_secs(100));
    log(&mut file, "one");
    assert_eq!(rig.names(), ["a.log"]);
    assert_eq!(file.due(), Some(time("2024-03-09T10:22:11Z")));
}

/// Rotation takes place with a record, and never without.
#[test]
fn nothing_happens_without_a_record() {
    let rig = Rig::new("2024-03-09T10:20:30Z");
    let mut file = open(rig.file(Schedule::new(When::Second).utc()));
    log(&mut file, "one");
    rig.clock.advance(Duration::from_secs(100));
    file.flush().expect("flushed");
    file.finish().expect("finished");
    assert_eq!(rig.names(), ["a.log"]);
}

#[test]
fn fewer_backups_than_in_the_run_before_leave_no_others_behind() {
    let rig = Rig::new("2024-03-09T10:20:30Z");
    let second = || Schedule::new(When::Second).utc();
    let mut file = open(rig.file(second()).backups(5));
    for n in 0..8 {
        log(&mut file, &n.to_string());
        rig.clock.advance(Duration::from_secs(1));
    }
    drop(file);
    // A folder of such a name is somebody else's.
    fs::create_dir(rig.folder.path().join("a.log.2024-03-09_10-20-10")).expect("folder");
    age(&rig.path(), time("2024-03-09T10:20:37Z"));
    let mut file = open(rig.file(second()).backups(2));
    log(&mut file, "8");
    assert_eq!(messages(&file), "6 7 8 ");
    assert_eq!(rig.names().len(), 4);
}

/// Which files go when some are there: those that rotation by this schedule would have made, the oldest first.
#[test]
fn files_of_other_logs_and_schedules_are_left_alone() {
    let rig = Rig::new("2024-03-09T10:20:30Z");
    let foreign = [
        "a.log.log.2016-05-04",
        "b.2016-05-04",
        "a.2016-05-04",
        "a.log.2016-05-04_16-24-30",
        "a.log.2016-05-04.txt",
        "a.log.2016-05-04-1",
        "a.log.12016-05-04",
        "a.log.old.2016-05-04",
        "a.log.",
    ];
    let ours = ["a.log.2016-05-06", "a.log.2016-05-04", "a.log.2016-05-04.1", "a.log.2016-05-05.gz"];
    for name in foreign.iter().chain(&ours) {
        fs::write(rig.folder.path().join(name), "").expect("write");
    }
    let mut file = open(rig.file(Schedule::new(When::Midnight).utc()).backups(3));
    log(&mut file, "one");
    rig.clock.advance(Duration::from_secs(86_400));
    log(&mut file, "two");
    let names = rig.names();
    let left: Vec<_> = names.iter().map(String::as_str).filter(|name| !foreign.contains(name)).collect();
    assert_eq!(left, ["a.log", "a.log.2016-05-05.gz", "a.log.2016-05-06", "a.log.2024-03-09"]);
    assert_eq!(names.len(), foreign.len() + left.len());
}
