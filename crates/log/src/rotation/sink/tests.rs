//! Tests of what is in the file, and what is kept, when a write goes wrong.
//!
//! Rotation is tested with the handler.

use super::*;
use std::fs;

fn sink() -> (tempfile::TempDir, Sink) {
    let folder = tempfile::tempdir().expect("folder");
    let mut sink = Sink::new(folder.path().join("a.log"), false);
    sink.open().expect("log file");
    (folder, sink)
}

#[test]
fn a_torn_write_is_cut_off_and_done_again() {
    let (_folder, mut sink) = sink();
    sink.add(b"one\n").and_then(|()| sink.write()).expect("written");
    sink.add(b"two\n").expect("kept");
    // What a full disk does.
    sink.file.as_mut().expect("open").write_all(b"tw").expect("a part");
    sink.take_back(2);
    assert_eq!(fs::read(sink.path()).expect("log file"), b"one\n");
    sink.write().expect("written");
    assert_eq!(fs::read(sink.path()).expect("log file"), b"one\ntwo\n");
}

#[test]
fn a_removed_file_is_begun_anew_and_told() {
    let (_folder, mut sink) = sink();
    sink.add(b"one\n").and_then(|()| sink.write()).expect("written");
    fs::remove_file(sink.path()).expect("removal");
    sink.add(b"two\n").expect("kept");
    let told = sink.write().expect_err("it was removed").to_string();
    assert!(told.ends_with("a.log had been removed and is begun anew"), "{told}");
    assert_eq!(fs::read(sink.path()).expect("log file"), b"two\n");
    assert!(sink.write().is_ok());
}

#[test]
fn what_is_kept_is_bounded_and_what_is_lost_is_counted() {
    let (folder, mut sink) = sink();
    let path = sink.path().to_owned();
    fs::remove_dir_all(folder.path()).expect("removal");
    let record = [b'x'; 1000];
    let failed = (0..10_000).filter(|_| sink.add(&record).is_err()).count() as u64;
    assert!(sink.pending.len() <= KEPT && sink.lost > 5_000 && sink.lost <= failed);
    let (lost, kept) = (sink.lost, sink.pending.len() as u64);
    assert_eq!(lost + kept / 1000, 10_000);
    fs::create_dir(folder.path()).expect("folder");
    let told = sink.write().expect_err("it owns up").to_string();
    assert!(told.starts_with(&format!("{lost} records were lost while ")), "{told}");
    assert_eq!(path.metadata().expect("log file").len(), kept);
}
