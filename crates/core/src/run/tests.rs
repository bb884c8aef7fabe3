//! The run format: pinned bytes, long rows through small buffers, blocks, and damage at every offset.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::pack::{Codec, HEAD, MOST_BLOCK, Packer, Press, unpack};
use super::{
    CommitRecord, Kind, Label, RowShape, RunFile, RunWriter, SegmentReader, Spilling, put_row, scan,
};
use crate::counters::Counters;
use crate::options::SpillCompression;
use crate::result::Result;

type Row = (Vec<u8>, u32, Vec<u8>);

fn record() -> CommitRecord {
    let mut counters = Counters::default();
    counters.add("lines", 300);
    CommitRecord { tasks: vec![(7, 1), (8, 2)], counters }
}

const ALL: [SpillCompression; 3] = [SpillCompression::None, SpillCompression::Lz4, SpillCompression::Zstd];

fn spilling(compression: SpillCompression, block: usize) -> Arc<Spilling> {
    Arc::new(Spilling::fixed(compression, block))
}

/// Two segments of rows that shrink, of a row that is longer than a block, and of some that do not shrink.
fn write_packed(folder: &Path, compression: SpillCompression) -> PathBuf {
    let path = folder.join("w-0.run");
    let mut writer = RunWriter::create(&path, &spilling(compression, 100)).expect("a run");
    for partition in [0, 1] {
        writer.begin(Label { partition, ..Label::default() }).expect("a segment");
        for (key, value) in
            [("the same", vec![b'x'; 30]), ("long", vec![b'y'; 150]), ("odd", b"!#$%&".into())]
        {
            let mut row = Vec::new();
            put_row(&mut row, RowShape::WithSplit, key.as_bytes(), 3, &value);
            writer.write(&row, 1).expect("a row");
        }
    }
    writer.commit(&path, record(), false).expect("a commit");
    path
}

/// Two partitions, the first in two spills.
fn write_run(folder: &Path) -> PathBuf {
    let path = folder.join("w-0.run");
    let mut writer = RunWriter::create(&path, &Arc::default()).expect("a run");
    for (partition, spill, key, value) in [(0, 0, "ape", "1"), (2, 0, "bee", "22"), (0, 1, "cat", "")] {
        let mut rows = Vec::new();
        put_row(&mut rows, RowShape::WithSplit, key.as_bytes(), 7, value.as_bytes());
        writer.begin(Label { partition, spill, bucket: 3, ..Label::default() }).expect("a segment");
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
    let places: Vec<_> =
        run.index.segments.iter().map(|s| (s.label.partition, s.label.spill, s.count)).collect();
    assert_eq!(places, [(0, 0, 1), (2, 0, 1), (0, 1, 1)]);
    let rows = read_all(&path).expect("rows").concat();
    let row = |key: &str, value: &str| (key.as_bytes().to_vec(), 7, value.as_bytes().to_vec());
    assert_eq!(rows, [row("ape", "1"), row("bee", "22"), row("cat", "")]);
}

fn fail_at_every_byte(path: &Path) {
    let whole = fs::read(path).expect("the run");
    for at in 0..whole.len() {
        // Small changes make lengths and offsets that could be right.
        for change in [0x01, 0x41, 0x80] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            fs::write(path, &bytes).expect("a damaged run");
            let error = read_all(path).expect_err(&format!("byte {at} is wrong")).to_string();
            assert!(error.contains("w-0.run") && error.contains("damaged"), "byte {at}: {error}");
        }
    }
}

#[test]
fn a_wrong_byte_anywhere_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    fail_at_every_byte(&write_run(folder.path()));
    for compression in ALL {
        fail_at_every_byte(&write_packed(folder.path(), compression));
    }
}

#[test]
fn packed_segments_say_so_and_are_smaller() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sizes = Vec::new();
    for (compression, codec) in ALL.into_iter().zip([Codec::None, Codec::Lz4, Codec::Zstd]) {
        let path = write_packed(folder.path(), compression);
        let run = RunFile::open(&path).expect("the run");
        let raw = run.index.segments[0].raw_len;
        assert!(run.index.segments.iter().all(|segment| (segment.codec, segment.raw_len) == (codec, raw)));
        sizes.push(run.index.segments[0].len);
        assert_eq!(read_all(&path).expect("rows").concat().len(), 6);
    }
    assert!(sizes[1] < sizes[0] && sizes[2] < sizes[0], "{sizes:?}");
    let mut writer =
        RunWriter::create(&folder.path().join("o"), &spilling(SpillCompression::Zstd, 100)).expect("a run");
    writer.begin(Label { kind: Kind::Output, ..Label::default() }).expect("a segment");
    writer.write(&[0; 1000], 1).expect("results");
    let index = writer.commit(&folder.path().join("o"), record(), false).expect("a commit");
    assert_eq!(
        (index.segments[0].codec, index.segments[0].len),
        (Codec::None, 1000),
        "results are never packed"
    );
}

#[test]
fn a_run_without_a_name_is_read_all_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    for compression in ALL {
        let path = folder.path().join("spill");
        let mut writer = RunWriter::create_unnamed(&path, &spilling(compression, 64)).expect("a run");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0);
        writer.begin(Label::default()).expect("a segment");
        let mut row = Vec::new();
        put_row(&mut row, RowShape::WithSplit, &[b'k'; 700], 3, b"v");
        writer.write(&row.repeat(3), 3).expect("rows");
        let run = Arc::new(writer.into_unnamed().expect("the run"));
        assert_eq!(read_segment(&run, 0, 64).expect("rows").len(), 3);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blocks_unpack_to_what_was_packed(
        pieces in prop::collection::vec((any::<u8>(), 0_usize..3, prop::collection::vec(any::<u8>(), 0..200)), 0..12),
        block in prop_oneof![Just(1_usize), 2_usize..600, Just(MOST_BLOCK)],
        lz4 in any::<bool>(),
    ) {
        let codec = if lz4 { Codec::Lz4 } else { Codec::Zstd };
        let (mut packer, mut raw, mut stored) = (Packer::new(codec, block), Vec::new(), Vec::new());
        for (same, times, random) in pieces {
            // What shrinks, what does not, and more than a block at once.
            let piece = [vec![same; times * 100_000 * block / MOST_BLOCK], random].concat();
            packer.push(&piece, |bytes| { stored.extend_from_slice(bytes); Ok(()) }).expect("blocks");
            raw.extend(piece);
        }
        packer.finish(|bytes| { stored.extend_from_slice(bytes); Ok(()) }).expect("the last block");
        let (mut back, mut rest) = (Vec::new(), &stored[..]);
        while let Some((head, behind)) = rest.split_first_chunk() {
            let head = super::pack::Head::parse(*head).expect("a head");
            prop_assert!(head.raw <= block);
            let (bytes, behind) = behind.split_at(head.stored);
            let mut unpacked = bytes.to_vec();
            if head.stored < head.raw {
                unpacked = vec![0; head.raw];
                unpack(codec, bytes, &mut unpacked).expect("a block");
            }
            back.extend(unpacked);
            rest = behind;
        }
        prop_assert!(back == raw && rest.is_empty());
    }

    #[test]
    fn rows_come_back_through_blocks_of_any_size(
        rows in prop::collection::vec((0_usize..300, 0_usize..90, any::<u8>()), 1..60),
        block in 1_usize..400,
        buffer in 1_usize..300,
        which in 0_usize..3,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("w-0.run");
        let mut writer = RunWriter::create(&path, &spilling(ALL[which], block)).expect("a run");
        writer.begin(Label::default()).expect("a segment");
        let mut wanted = Vec::new();
        for (key, value, byte) in rows {
            let (key, value) = (vec![byte; key], (0..value).map(|i| byte.wrapping_mul(i as u8)).collect::<Vec<_>>());
            let mut row = Vec::new();
            put_row(&mut row, RowShape::WithSplit, &key, 9, &value);
            writer.write(&row, 1).expect("a row");
            wanted.push((key, 9, value));
        }
        writer.commit(&path, CommitRecord::default(), false).expect("a commit");
        let run = Arc::new(RunFile::open(&path).expect("the run"));
        prop_assert_eq!(&read_segment(&run, 0, buffer).expect("rows"), &wanted);
        let (mut found, mut reused) = (Vec::new(), Vec::new());
        scan(&run, 0, RowShape::WithSplit, &mut reused, buffer, |row| {
            found.push((row.key().to_vec(), row.split, row.value().to_vec()));
            Ok(())
        }).expect("rows");
        prop_assert_eq!(&found, &wanted);
    }
}

#[test]
fn a_sample_tells_what_a_block_comes_to() {
    let text: Vec<u8> = (0..8192_u32).flat_map(|n| (n / 64).to_le_bytes()).collect();
    // Counters that are multiplied by an odd number do not shrink.
    let noise: Vec<u8> =
        (1..8192_u64).flat_map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()).collect();
    for (raw, shrinks) in [(text, true), (noise, false)] {
        let mut packer = Packer::new(Codec::Lz4, raw.len());
        packer.push(&raw, |_| Ok(())).unwrap();
        let block = packer.take_packed();
        let sample = Press::default().try_lz4(&raw).unwrap();
        assert_eq!((sample.raw, sample.stored + HEAD), (block.raw, block.stored));
        assert_eq!(sample.stored < raw.len(), shrinks);
        assert!(sample.took < Duration::MAX);
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
    let mut writer = RunWriter::create(&path, &Arc::default()).expect("a run");
    writer.begin(Label::default()).expect("a segment");
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
    let mut writer = RunWriter::create(&folder.path().join("w-0.run"), &Arc::default()).expect("a run");
    writer.begin(Label::default()).expect("a segment");
    // Not written yet, and written.
    writer.write(&[0; 1 << 10], 1).expect("rows");
    writer.write(&[0; 1 << 20], 1).expect("rows");
    drop(writer);
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 0);
}
