//! The run format: pinned bytes, long rows through small buffers, and damage at every offset.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{CommitRecord, Kind, RowShape, RunFile, RunWriter, SegmentReader, put_row};
use crate::counters::Counters;
use crate::result::Result;

type Row = (Vec<u8>, u32, Vec<u8>);

fn record() -> CommitRecord {
    let mut counters = Counters::default();
    counters.add("lines", 300);
    CommitRecord { tasks: vec![(7, 1), (8, 2)], counters }
}

/// Two partitions, the first in two spills.
fn write_run(folder: &Path) -> PathBuf {
    let path = folder.join("w-0.run");
    let mut writer = RunWriter::create(&path).expect("a run");
    for (partition, spill, key, value) in [(0, 0, "ape", "1"), (2, 0, "bee", "22"), (0, 1, "cat", "")] {
        let mut rows = Vec::new();
        put_row(&mut rows, RowShape::WithSplit, key.as_bytes(), 7, value.as_bytes());
        writer.begin(partition, spill, 0, Kind::Rows).expect("a segment");
        writer.write(&rows, 1).expect("rows");
    }
    writer.commit(&path, record(), false).expect("a commit");
    path
}

fn read_segment(run: &Arc<RunFile>, segment: usize, buffer: usize) -> Result<Vec<Row>> {
    let mut reader = SegmentReader::new(Arc::clone(run), segment, RowShape::WithSplit, buffer);
    let mut rows = Vec::new();
    while reader.advance()? {
        rows.push((reader.key().to_vec(), reader.split(), reader.value().to_vec()));
    }
    Ok(rows)
}

fn read_all(path: &Path) -> Result<Vec<Vec<Row>>> {
    let run = Arc::new(RunFile::open(path)?);
    (0..run.index.segments.len()).map(|i| read_segment(&run, i, 64)).collect()
}

#[test]
fn the_format_is_pinned() {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = fs::read(write_run(folder.path())).expect("the run");
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, include_str!("pinned-run.hex").trim());
}

#[test]
fn a_run_gives_back_its_rows_and_its_commit_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write_run(folder.path());
    let run = RunFile::open(&path).expect("the run");
    assert_eq!(run.index.commit, record());
    let places: Vec<_> = run.index.segments.iter().map(|s| (s.partition, s.spill, s.count)).collect();
    assert_eq!(places, [(0, 0, 1), (2, 0, 1), (0, 1, 1)]);
    let rows = read_all(&path).expect("rows").concat();
    let row = |key: &str, value: &str| (key.as_bytes().to_vec(), 7, value.as_bytes().to_vec());
    assert_eq!(rows, [row("ape", "1"), row("bee", "22"), row("cat", "")]);
}

#[test]
fn a_wrong_byte_anywhere_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write_run(folder.path());
    let whole = fs::read(&path).expect("the run");
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        fs::write(&path, &bytes).expect("a damaged run");
        let error = read_all(&path).expect_err(&format!("byte {at} is wrong"));
        assert!(error.to_string().contains("w-0.run"), "byte {at}: {error}");
    }
}

#[test]
fn a_run_that_is_cut_off_anywhere_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write_run(folder.path());
    let whole = fs::read(&path).expect("the run");
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).expect("a truncated run");
        RunFile::open(&path).expect_err(&format!("only {len} bytes are left"));
    }
}

#[test]
fn rows_longer_than_the_buffer_are_read_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("long.run");
    let mut writer = RunWriter::create(&path).expect("a run");
    writer.begin(0, 0, 0, Kind::Rows).expect("a segment");
    let lengths = [0, 1, 29, 30, 31, 64, 1000, 700_000, 3];
    for (i, len) in lengths.into_iter().enumerate() {
        let mut row = Vec::new();
        put_row(&mut row, RowShape::WithSplit, &vec![i as u8; len], i as u32, &vec![b'v'; len / 2]);
        writer.write(&row, 1).expect("a row");
    }
    writer.commit(&path, CommitRecord::default(), false).expect("a commit");
    let run = Arc::new(RunFile::open(&path).expect("the run"));
    for buffer in [1, 31, 64, 4096] {
        let rows = read_segment(&run, 0, buffer).expect("rows");
        let found: Vec<_> = rows.iter().map(|(key, split, value)| (key.len(), *split, value.len())).collect();
        let wanted: Vec<_> = lengths.iter().enumerate().map(|(i, &len)| (len, i as u32, len / 2)).collect();
        assert_eq!(found, wanted, "buffer of {buffer}");
    }
}

#[test]
fn a_run_that_is_not_committed_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = RunWriter::create(&folder.path().join("w-0.run")).expect("a run");
    writer.begin(0, 0, 0, Kind::Rows).expect("a segment");
    writer.write(&[0; 1 << 20], 1).expect("rows");
    drop(writer);
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0);
}
