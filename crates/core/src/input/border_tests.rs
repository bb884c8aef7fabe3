//! Properties of the record kinds at the borders of chunks and buffers, against naive references.

use proptest::collection::vec;
use proptest::prelude::*;

use super::testing::{Seen, files, read_all};
use super::{Chunks, Fixed, Input, Lines, Plan, Span, Text, WholeFile};

/// Contents made of what lines trip over.
fn content(tokens: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    vec(proptest::sample::select(tokens), 0..25).prop_map(|tokens| tokens.concat())
}

const TEXT: &[&[u8]] =
    &[b"a", b"bc", b"\n", b"\n", b"\r\n", b"\r", "é".as_bytes(), "🌾".as_bytes(), b"a longer word", b"\n\n"];
const BYTES: &[&[u8]] = &[b"a", b"\n", b"\r\n", b"\r", "é".as_bytes(), b"\xff", b"\xc3", b"\x9f", b"\0"];

fn lines_of(contents: &[Vec<u8>]) -> Vec<Seen> {
    let mut all = Vec::new();
    for (ordinal, content) in (0..).zip(contents) {
        let mut offset = 0;
        for line in content.split_inclusive(|&byte| byte == b'\n') {
            let end = line.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
            let len = line.len() as u64;
            all.push((ordinal, Span { offset, len }, Ok(end.unwrap_or(line).to_vec())));
            offset += len;
        }
    }
    all
}

fn records_of(contents: &[Vec<u8>], record_len: usize) -> Vec<Seen> {
    let mut all = Vec::new();
    for (ordinal, content) in (0..).zip(contents) {
        for (index, record) in content.chunks(record_len).enumerate() {
            let span = Span { offset: (index * record_len) as u64, len: record_len as u64 };
            all.push((ordinal, span, Ok(record.to_vec())));
        }
    }
    all
}

/// Reads `contents` in chunks of several sizes: the records are always `expected`, in ranges that do not change.
fn check<I: Input>(
    input: &I,
    contents: &[Vec<u8>],
    expected: &[Seen],
    sizes: [u64; 2],
    buffer: usize,
    ranges: Option<u32>,
) -> Result<(), TestCaseError>
where
    super::testing::Collect: super::RecordSink<I>,
{
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path(), contents);
    let whole = Plan::cut(files.clone(), input.cut(), Chunks::of(u64::MAX), ranges).unwrap();
    let reference = read_all(input, &whole, 1 << 16).unwrap();
    let seen: Vec<Seen> = reference.iter().map(|(_, seen)| seen.clone()).collect();
    prop_assert_eq!(&seen[..], expected);
    prop_assert!(reference.is_sorted_by_key(|(partition, _)| *partition));
    for size in sizes {
        let plan = Plan::cut(files.clone(), input.cut(), Chunks::of(size), ranges).unwrap();
        prop_assert_eq!(&read_all(input, &plan, buffer).unwrap(), &reference, "chunks of {}", size);
    }
    Ok(())
}

proptest! {
    #[test]
    fn lines_are_the_same_however_they_are_cut(
        contents in vec(content(BYTES), 0..4),
        sizes in [1..40u64, 1..200u64],
        buffer in 1..40usize,
        ranges in proptest::option::of(1..7u32),
    ) {
        check(&Lines, &contents, &lines_of(&contents), sizes, buffer, ranges)?;
    }

    #[test]
    fn text_is_the_same_however_it_is_cut(
        contents in vec(content(TEXT), 0..4),
        sizes in [1..40u64, 1..200u64],
        buffer in 1..40usize,
        ranges in proptest::option::of(1..7u32),
    ) {
        check(&Text, &contents, &lines_of(&contents), sizes, buffer, ranges)?;
    }

    #[test]
    fn a_line_that_is_not_utf8_is_an_error_in_its_place(
        content in content(BYTES),
        size in 1..40u64,
        buffer in 1..40usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let files = files(folder.path(), std::slice::from_ref(&content));
        let name = files[0].to_string();
        let expected: Vec<Seen> = lines_of(&[content]).into_iter().map(|(ordinal, at, line)| {
            let line = line.unwrap();
            match std::str::from_utf8(&line).map_err(|error| error.valid_up_to()) {
                Ok(_) => (ordinal, at, Ok(line)),
                Err(byte) => {
                    let offset = at.offset;
                    let message = format!("input {name}, offset {offset}: byte {byte} of the line is not UTF-8");
                    (ordinal, at, Err(message))
                }
            }
        }).collect();
        let plan = Plan::cut(files, Text.cut(), Chunks::of(size), None).unwrap();
        let seen: Vec<Seen> = read_all(&Text, &plan, buffer).unwrap().into_iter().map(|(_, seen)| seen).collect();
        prop_assert_eq!(seen, expected);
    }

    #[test]
    fn fixed_records_are_the_same_however_they_are_cut(
        record_len in 1..9usize,
        counts in vec(0..12usize, 0..4),
        sizes in [1..40u64, 1..200u64],
        buffer in 1..40usize,
        ranges in proptest::option::of(1..7u32),
    ) {
        let contents: Vec<Vec<u8>> =
            counts.iter().map(|count| (0u8..).take(count * record_len).collect()).collect();
        let expected = records_of(&contents, record_len);
        check(&Fixed::new(record_len), &contents, &expected, sizes, buffer, ranges)?;
    }

    #[test]
    fn a_whole_file_is_one_record_even_when_it_is_empty(
        contents in vec(content(BYTES), 0..5),
        sizes in [1..40u64, 1..200u64],
        buffer in 1..40usize,
        ranges in proptest::option::of(1..7u32),
    ) {
        let expected: Vec<Seen> = (0..).zip(&contents).map(|(ordinal, content)| {
            (ordinal, Span { offset: 0, len: content.len() as u64 }, Ok(content.clone()))
        }).collect();
        check(&WholeFile, &contents, &expected, sizes, buffer, ranges)?;
    }
}
