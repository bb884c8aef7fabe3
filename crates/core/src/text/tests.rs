//! Every kernel against what the standard library says, at every border there is.
//!
//! Numbers and the word type are tested where they are.

use std::convert::Infallible;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::edges::PIECE;
use super::kernel::{CHUNK, Kernel, Task};
use super::key_values::key_values_by;
use super::scratch::{PADDING, Scratch};
use super::simd::Machine;
use super::word::Word;
use super::words::{lower_words_by, words_by};

type Pair = (Vec<u8>, Vec<u8>);

fn is_padded(word: Word<'_>) -> bool {
    word.tail().len() >= word.len() + PADDING && word.tail().starts_with(word.bytes())
}

fn split(block: &[u8]) -> Vec<Vec<u8>> {
    let words = block.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.map(<[u8]>::to_vec).collect()
}

fn check_words(block: &[u8], scratch: &mut Scratch) {
    let expected = split(block);
    for machine in Machine::all() {
        for lowered in [false, true] {
            let mut seen = Vec::new();
            let each = |word: Word<'_>| {
                assert!(is_padded(word), "{machine:?}: {word:?}");
                seen.push(word.to_vec());
                Ok::<_, Infallible>(())
            };
            let parts = scratch.parts();
            let Ok(()) = if lowered {
                lower_words_by(machine, block, parts, each)
            } else {
                words_by(machine, block, parts, each)
            };
            let expected = if lowered { split(&block.to_ascii_lowercase()) } else { expected.clone() };
            assert!(seen == expected, "{machine:?}, lowered: {lowered}, block: {:?}", bstr::BStr::new(block));
        }
    }
}

fn naive_pairs(block: &[u8], separator: u8) -> Vec<Pair> {
    let mut lines: Vec<&[u8]> = block.split(|byte| *byte == b'\n').collect();
    let rest = lines.pop().expect("a split has one part at least");
    let ended = lines.into_iter().map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let lines = ended.chain([rest]).filter(|line| !line.is_empty());
    let pair = |line: &[u8]| match line.iter().position(|byte| *byte == separator) {
        Some(at) => (line[..at].to_vec(), line[at + 1..].to_vec()),
        None => (line.to_vec(), Vec::new()),
    };
    lines.map(pair).collect()
}

fn check_pairs(block: &[u8], separator: u8, scratch: &mut Scratch) {
    let expected = naive_pairs(block, separator);
    for machine in Machine::all() {
        let mut seen = Vec::new();
        let each = |key: Word<'_>, value: &[u8]| {
            assert!(is_padded(key), "{machine:?}: {key:?}");
            seen.push((key.to_vec(), value.to_vec()));
            Ok::<_, Infallible>(())
        };
        let Ok(()) = key_values_by(machine, block, separator, scratch.parts(), each);
        assert!(seen == expected, "{machine:?}, separator {separator}: {:?}", bstr::BStr::new(block));
    }
}

fn check(block: &[u8], scratch: &mut Scratch) {
    check_words(block, scratch);
    for separator in [b'\t', b' ', b'\n', b'\r', 0] {
        check_pairs(block, separator, scratch);
    }
}

/// Text with all that matters in it, of which no two chunks are alike.
fn sample(len: usize) -> Vec<u8> {
    const BYTES: &[u8] = b"aB \tZ\nz@[\x0b{\r\nq\r`\x0c\0A\xC1\x89\xA0\x8A";
    let step = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        Some(BYTES[(*state >> 33) as usize % BYTES.len()])
    };
    let mut state = len as u64;
    std::iter::from_fn(|| step(&mut state)).take(len).collect()
}

#[test]
fn every_length_near_a_border() {
    let mut scratch = Scratch::default();
    let near = |border: usize| border.saturating_sub(70)..border + 70;
    for len in (0..200).chain(near(PIECE)).chain(near(2 * PIECE)).chain(near(5 * PIECE)) {
        check(&sample(len), &mut scratch);
    }
}

#[test]
fn a_word_and_a_line_at_every_place_around_a_border() {
    let mut scratch = Scratch::default();
    for border in [CHUNK, PIECE, 2 * PIECE] {
        for start in border.saturating_sub(70).max(1)..border + 2 {
            for len in [1, 2, 3, 24, 63, 64, 65, 70] {
                let mut block = vec![b' '; start];
                block.resize(start + len, b'W');
                check_words(&block, &mut scratch);
                block.extend(b" \nnext\tline");
                check(&block, &mut scratch);
                block[start - 1] = b'\n';
                block[start + len - 1] = b'\t';
                check(&block, &mut scratch);
            }
        }
    }
}

#[test]
fn words_and_lines_longer_than_a_piece() {
    let mut scratch = Scratch::default();
    for len in [PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 20 * PIECE + 17] {
        for before in [0, 1, 63, 64, 100] {
            let mut block = sample(before);
            block.resize(before + len, b'L');
            check(&block, &mut scratch);
            block.extend(sample(200));
            check(&block, &mut scratch);
            block[before + len / 2] = b'\t';
            check(&block, &mut scratch);
        }
    }
}

#[test]
fn every_byte_is_classified_alike_in_every_place() {
    let mut scratch = Scratch::default();
    for byte in 0..=u8::MAX {
        let mut block = vec![b'm'; 2 * CHUNK];
        for place in 0..CHUNK {
            block[place] = byte;
            check_words(&block, &mut scratch);
            check_pairs(&block, byte, &mut scratch);
            block[place] = b'm';
        }
        // All of a chunk at once: nothing may leak into the neighbours.
        block[..CHUNK].fill(byte);
        check_words(&block, &mut scratch);
        check_pairs(&block, byte, &mut scratch);
    }
}

#[test]
fn positions_of_any_mask() {
    struct Positions(u64);
    impl Task for Positions {
        type Output = [Vec<u16>; 2];

        fn run<K: Kernel>(self, kernel: K) -> [Vec<u16>; 2] {
            let (mut many, mut few) = ([0; CHUNK], [0; CHUNK]);
            kernel.positions(self.0, 4032, &mut many);
            kernel.few_positions(self.0, 4032, &mut few);
            [many, few].map(|out| out[..self.0.count_ones() as usize].to_vec())
        }
    }
    for bits in 0..=CHUNK {
        let low = if bits == CHUNK { !0 } else { (1_u64 << bits) - 1 };
        for mask in [low, low.reverse_bits(), low & 0x5555_5555_5555_5555, low ^ 0x8001_0000_0180_0001] {
            let expected: Vec<u16> =
                (0..64).filter(|bit| mask >> bit & 1 == 1).map(|bit| 4032 + bit).collect();
            for found in Machine::all().into_iter().map(|machine| machine.run(Positions(mask))) {
                assert_eq!(found, [expected.clone(), expected.clone()], "{mask:x}");
            }
        }
    }
}

#[test]
fn an_error_ends_the_call() {
    let block = b"one two three\nfour\n".repeat(1000);
    let mut scratch = Scratch::default();
    let mut words = Vec::new();
    let each = |word: Word<'_>| {
        words.push(word.to_vec());
        if word.bytes() == b"four" { Err("four") } else { Ok(()) }
    };
    assert_eq!(super::lower_words(&block, &mut scratch, each), Err("four"));
    assert_eq!(words.len(), 4);
    let pairs = super::key_values(&block, b' ', &mut scratch, |_, value| match value {
        b"" => Err("no value"),
        _ => Ok(()),
    });
    assert_eq!(pairs, Err("no value"));
    // What was left behind is not seen by the next call.
    check(b"x y", &mut scratch);
}

fn blocks() -> impl Strategy<Value = Vec<u8>> {
    let likely = select(&b" \n\t\r\x0c\x0bAZaz@[`{0\xff\x80"[..]);
    let byte = prop_oneof![1 => any::<u8>(), 1 => likely, 2 => Just(b'x')];
    let short = vec(byte.clone(), 0..400);
    let long = (vec(byte, 0..400), PIECE - 200..2 * PIECE + 200, vec(any::<u8>(), 0..200));
    let long = long.prop_map(|(unit, len, end)| {
        let mut block: Vec<u8> = unit.iter().chain(b"-").copied().cycle().take(len).collect();
        block.extend(end);
        block
    });
    prop_oneof![3 => short, 1 => long]
}

proptest! {
    #[test]
    fn any_blocks(blocks in vec(blocks(), 1..4), separator: u8) {
        let mut scratch = Scratch::default();
        for block in blocks {
            check(&block, &mut scratch);
            check_pairs(&block, separator, &mut scratch);
        }
    }
}
