//! Tests of cutting: every byte once, in order, in a range that the chunk size does not move.

use std::path::PathBuf;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::file::Origin;
use super::*;

fn files(sizes: &[u64]) -> Vec<InputFile> {
    let file = |size: &u64| InputFile {
        path: PathBuf::from("file"),
        size: *size,
        modified: (0, 0),
        origin: Origin::File,
    };
    sizes.iter().map(file).collect()
}

fn cut(sizes: &[u64], cut: Cut, chunk_size: u64, ranges: Option<u32>) -> Vec<Split> {
    Plan::cut(files(sizes), cut, Chunks::of(chunk_size), ranges).unwrap().splits
}

fn shape(splits: &[Split]) -> Vec<Vec<(u32, u64, u64)>> {
    let pieces = |split: &Split| split.pieces.iter().map(|p| (p.file, p.offset, p.len)).collect();
    splits.iter().map(pieces).collect()
}

/// The partition of every byte, after checking that the pieces cover each once and in order.
fn cover(sizes: &[u64], splits: &[Split]) -> Result<Vec<u32>, TestCaseError> {
    let mut bytes = Vec::new();
    let mut partitions = Vec::new();
    for split in splits {
        prop_assert!(!split.pieces.is_empty());
        for piece in &split.pieces {
            bytes.extend((piece.offset..piece.offset + piece.len).map(|offset| (piece.file, offset)));
        }
        partitions.resize(bytes.len(), split.partition);
    }
    let all = (0..).zip(sizes).flat_map(|(file, size)| (0..*size).map(move |offset| (file, offset)));
    prop_assert_eq!(bytes, all.collect::<Vec<_>>());
    prop_assert!(partitions.is_sorted());
    Ok(partitions)
}

fn any_cut() -> impl Strategy<Value = Cut> {
    prop_oneof![Just(Cut::Anywhere), Just(Cut::Never), (1..6u64).prop_map(Cut::Multiple)]
}

proptest! {
    #[test]
    fn every_byte_is_in_one_piece_and_its_range_is_fixed(
        kind in any_cut(),
        counts in vec(0..30u64, 0..8),
        chunk_sizes in [1..50u64, 1..200u64],
        shares in 0..9u64,
        ranges in proptest::option::of(1..9u32),
    ) {
        let sizes: Vec<u64> = counts.iter().map(|count| count * unit(kind)).collect();
        let partitions = cover(&sizes, &cut(&sizes, kind, u64::MAX, ranges))?;
        for chunk_size in chunk_sizes {
            let chunks = Chunks::of(chunk_size).shorter_at_the_end(shares, 3);
            let splits = Plan::cut(files(&sizes), kind, chunks, ranges).unwrap().splits;
            prop_assert_eq!(&cover(&sizes, &splits)?, &partitions);
            for piece in splits.iter().flat_map(|split| &split.pieces) {
                prop_assert_eq!(piece.offset % unit(kind), 0);
            }
            if kind != Cut::Never {
                let mut left: u64 = sizes.iter().sum();
                for split in &splits {
                    let share = left.checked_div(shares).unwrap_or(u64::MAX).max(chunk_size / 8).max(2 * 3);
                    prop_assert!(split.len() <= chunk_size.min(share).max(unit(kind)));
                    left -= split.len();
                }
            }
        }
    }

    #[test]
    fn ranges_hold_equal_shares(sizes in vec(0..50u64, 1..6), count in 1..9u32, chunk_size in 1..60u64) {
        let total: u64 = sizes.iter().sum();
        let partitions = cover(&sizes, &cut(&sizes, Cut::Anywhere, chunk_size, Some(count)))?;
        for range in 0..u64::from(count) {
            let border = |k: u64| k * total / u64::from(count);
            let held = partitions.iter().filter(|&&partition| u64::from(partition) == range).count() as u64;
            prop_assert_eq!(held, border(range + 1) - border(range));
        }
    }
}

#[test]
fn small_files_share_a_split_also_with_the_end_of_a_large_one() {
    let splits = cut(&[3, 3, 25, 4, 2], Cut::Anywhere, 10, None);
    let expected = [
        vec![(0, 0, 3), (1, 0, 3)],
        vec![(2, 0, 10)],
        vec![(2, 10, 10)],
        vec![(2, 20, 5), (3, 0, 4)],
        vec![(4, 0, 2)],
    ];
    assert_eq!(shape(&splits), expected);
}

#[test]
fn splits_at_the_end_are_shorter() {
    let lengths = |chunks, size| -> Vec<u64> {
        let plan = Plan::cut(files(&[size]), Cut::Anywhere, chunks, None).unwrap();
        plan.splits.iter().map(Split::len).collect()
    };
    assert_eq!(lengths(Chunks::of(16).shorter_at_the_end(2, 1), 100), [16, 16, 16, 16, 16, 8, 4, 4, 2, 2]);
    assert_eq!(lengths(Chunks::of(16).shorter_at_the_end(2, 8), 100), [16, 16, 16, 16, 16, 8, 8, 4]);
    assert_eq!(lengths(Chunks::of(2).shorter_at_the_end(2, 8), 5), [2, 2, 1]);
}

#[test]
fn an_empty_file_is_a_piece_only_where_files_are_records() {
    assert_eq!(cut(&[0, 0], Cut::Anywhere, 10, Some(3)), []);
    assert_eq!(shape(&cut(&[0, 4, 0], Cut::Never, 10, None)), [vec![(0, 0, 0), (1, 0, 4), (2, 0, 0)]]);
}

#[test]
fn a_file_that_is_never_cut_belongs_to_the_range_in_which_it_begins() {
    let splits = cut(&[4, 8, 8, 0], Cut::Never, 100, Some(2));
    assert_eq!(shape(&splits), [vec![(0, 0, 4), (1, 0, 8)], vec![(2, 0, 8), (3, 0, 0)]]);
}

#[test]
fn records_larger_than_a_chunk_stay_whole() {
    assert_eq!(shape(&cut(&[14], Cut::Multiple(7), 3, None)), [vec![(0, 0, 7)], vec![(0, 7, 7)]]);
    assert_eq!(shape(&cut(&[14], Cut::Multiple(0), 14, None)), [vec![(0, 0, 14)]]);
}

#[test]
fn a_split_holds_no_more_pieces_than_a_message_does() {
    let splits = cut(&vec![1; MAX_PIECES + 1], Cut::Anywhere, u64::MAX, None);
    assert_eq!(splits.iter().map(|split| split.pieces.len()).collect::<Vec<_>>(), [MAX_PIECES, 1]);
}

#[test]
fn too_many_splits_are_an_error_that_names_the_chunk_size() {
    let error = Plan::cut(files(&[1 << 40]), Cut::Anywhere, Chunks::of(3), None).unwrap_err();
    assert!(error.to_string().starts_with("a chunk size of 3 cuts"), "{error}");
}
