//! Tests of long lines and large files.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use super::super::testing::{Collect, plan_one, read_split};
use super::super::{Buffers, Cut, Lines};

const MIB: u64 = 1 << 20;

#[test]
fn a_line_of_50_mb_is_read_once_and_the_buffer_shrinks_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let long = vec![b'x'; 50_000_000];
    fs::write(&path, [&b"first\n"[..], &long, b"\nlast"].concat()).unwrap();
    let plan = plan_one(&path, Cut::Anywhere, MIB);
    let mut buffers = Buffers::default();
    let mut lengths = Vec::new();
    for split in 0..plan.splits.len() {
        let mut sink = Collect::default();
        read_split(&Lines, &plan, split, &mut buffers, &mut sink).unwrap();
        lengths.extend(sink.seen.into_iter().map(|(_, _, line)| (split, line.unwrap().len())));
        assert!(buffers.held() as u64 <= MIB, "split {split} leaves {} bytes", buffers.held());
    }
    assert_eq!(lengths, [(0, 5), (0, long.len()), (plan.splits.len() - 1, 4)]);
}

#[test]
fn offsets_beyond_32_bits_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let file = File::create(&path).unwrap();
    file.set_len(4 << 30).unwrap();
    file.write_all_at(b"\nlast\nend", 4 << 30).unwrap();
    let plan = plan_one(&path, Cut::Anywhere, MIB);
    let mut sink = Collect::default();
    for split in plan.splits.len() - 2..plan.splits.len() {
        read_split(&Lines, &plan, split, &mut Buffers::default(), &mut sink).unwrap();
    }
    let seen: Vec<_> = sink.seen.into_iter().map(|(_, at, line)| (at.offset, line.unwrap())).collect();
    assert_eq!(seen, [((4 << 30) + 1, b"last".to_vec()), ((4 << 30) + 6, b"end".to_vec())]);
}
