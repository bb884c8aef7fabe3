//! Tests of opening and reading files, above all of those that change on the way.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use tempfile::TempDir;

use super::super::testing::{Collect, plan_one, read_split};
use super::super::{Cut, Input, Lines, Plan};
use super::*;

/// A folder, a file in it and the plan made of that.
fn planned(content: &[u8]) -> (TempDir, PathBuf, Plan) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, content).unwrap();
    let plan = plan_one(&path, Cut::Anywhere, 1 << 20);
    (folder, path, plan)
}

fn read(plan: &Plan) -> Result<Collect> {
    let mut sink = Collect::default();
    read_split(&Lines, plan, 0, &mut Buffers::default(), &mut sink)?;
    Ok(sink)
}

#[track_caller]
fn assert_fails(plan: &Plan, path: &Path, expected: &str) {
    let message = read(plan).unwrap_err().to_string();
    assert!(message.contains(expected) && message.contains(path.to_str().unwrap()), "{message}");
}

#[test]
fn a_file_that_has_grown_shrunk_or_vanished_is_an_error() {
    let (_folder, path, plan) = planned(b"one\ntwo\n");
    assert_eq!(read(&plan).unwrap().seen.len(), 2);
    fs::write(&path, b"one\ntwo\nthree\n").unwrap();
    assert_fails(&plan, &path, "input changed during the run: ");
    assert_fails(&plan, &path, "(size was 8, is 14)");
    fs::write(&path, b"one\n").unwrap();
    assert_fails(&plan, &path, "(size was 8, is 4)");
    fs::remove_file(&path).unwrap();
    assert_fails(&plan, &path, "vanished during the run");
}

#[test]
fn a_file_of_the_same_size_but_another_time_is_an_error() {
    let (_folder, path, plan) = planned(b"one\n");
    let later = SystemTime::now() + Duration::from_secs(5);
    File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    assert_fails(&plan, &path, "(modified at ");
}

#[test]
fn a_pipe_in_the_place_of_a_file_does_not_block() {
    let (_folder, path, plan) = planned(b"one\n");
    fs::remove_file(&path).unwrap();
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert_fails(&plan, &path, "no longer a file");
}

#[test]
fn a_change_after_opening_shows_while_reading_or_at_the_end() {
    let (_folder, path, plan) = planned(b"one\ntwo\n");
    let (mut buffers, mut sink) = (Buffers::default(), Collect::default());
    let mut source = Source::open(&plan.files[0], 0, plan.splits[0].pieces[0], &mut buffers).unwrap();
    File::options().append(true).open(&path).unwrap().set_len(9).unwrap();
    Lines.read(&mut source, &mut sink).unwrap();
    assert_eq!(sink.seen.len(), 2, "what lies beyond the planned size is not read");
    assert!(source.finish().unwrap_err().to_string().contains("size was 8, is 9"));

    let (_folder, path, plan) = planned(b"one\ntwo\n");
    let mut source = Source::open(&plan.files[0], 0, plan.splits[0].pieces[0], &mut buffers).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(2).unwrap();
    let error = Lines.read(&mut source, &mut sink).unwrap_err();
    assert!(error.to_string().contains("size was 8, is 2"), "{error}");
}

#[test]
fn reading_at_an_offset_stops_at_the_planned_size() {
    let (_folder, path, plan) = planned(b"one\ntwo\n");
    let mut buffers = Buffers::default();
    let source = Source::open(&plan.files[0], 3, plan.splits[0].pieces[0], &mut buffers).unwrap();
    let mut bytes = [0; 100];
    assert_eq!((source.read_at(&mut bytes, 5).unwrap(), &bytes[..3]), (3, &b"wo\n"[..]));
    assert_eq!(source.read_at(&mut bytes, 8).unwrap(), 0);
    assert_eq!(source.read_at(&mut bytes, u64::MAX).unwrap(), 0);
    assert_eq!((source.path(), source.ordinal(), source.end()), (Some(path.as_path()), 3, 8));
}
