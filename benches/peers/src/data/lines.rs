//! The contents of the generated files: running text, `key value` lines and records to sort.
//!
//! A file is made of chunks that depend on their number alone, so that they can be made in parallel and in any order.

use super::random::{Random, Vocabulary, mix};

const TEXT_SEED: u64 = 0x7a69_7066;
const KEYS_SEED: u64 = 0x6b65_7973;
const RECORDS_SEED: u64 = 0x7465_7261;
const LINE: usize = 74;

/// Running text of at least `bytes` bytes in lines of about 80; one word in sixteen has a capital.
pub(super) fn text(vocabulary: &Vocabulary, part: u64, bytes: usize) -> Vec<u8> {
    let mut random = Random::new(TEXT_SEED, part);
    let mut text = Vec::with_capacity(bytes + 128);
    while text.len() < bytes {
        let start = text.len();
        while text.len() < start + LINE {
            word(vocabulary, &mut random, &mut text);
            text.push(b' ');
        }
        *text.last_mut().expect("a line has at least one word") = b'\n';
    }
    text
}

/// Appends a word.
pub(super) fn word(vocabulary: &Vocabulary, random: &mut Random, text: &mut Vec<u8>) {
    let start = text.len();
    text.extend_from_slice(vocabulary.draw(random));
    if random.below(16) == 0 {
        text[start].make_ascii_uppercase();
    }
}

/// `count` lines of a key of 10 to 16 characters, a space and a value below 1000.
///
/// Keys are drawn uniformly from a pool of that size.
pub(super) fn keys(pool: u64, part: u64, count: u64) -> Vec<u8> {
    let mut random = Random::new(KEYS_SEED, part);
    let mut lines = Vec::with_capacity(count as usize * 20);
    for _ in 0..count {
        let mut bits = mix(random.below(pool) + 1);
        let length = 10 + bits % 7;
        for i in 0..length {
            // Ten characters take 50 bits; the rest is drawn from the same bits, mixed once more.
            if i == 10 {
                bits = mix(bits ^ KEYS_SEED);
            }
            lines.push(b"abcdefghijklmnopqrstuvwxyz012345"[(bits >> 59) as usize]);
            bits <<= 5;
        }
        lines.push(b' ');
        number(random.below(1000), &mut lines);
        lines.push(b'\n');
    }
    lines
}

fn number(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(value.to_string().as_bytes());
}

/// `count` records of 100 bytes from number `first` on: a key of ten visible characters, a space, the number in twenty
/// digits, letters, and a line end.
pub(super) fn records(part: u64, first: u64, count: u64) -> Vec<u8> {
    let mut random = Random::new(RECORDS_SEED, part);
    let mut records = Vec::with_capacity(count as usize * 100);
    for record in first..first + count {
        records.extend((0..10).map(|_| b'!' + random.below(94) as u8));
        records.extend_from_slice(format!(" {record:020} ").as_bytes());
        records.extend((0..67).map(|i| b'A' + ((record + i) % 26) as u8));
        records.push(b'\n');
    }
    records
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn text_is_made_of_lines_of_about_eighty_bytes() {
        let vocabulary = Vocabulary::new(1, 1000);
        let text = String::from_utf8(text(&vocabulary, 3, 100_000)).expect("letters are text");
        assert!(text.ends_with('\n') && (100_000..100_100).contains(&text.len()));
        assert!(text.lines().all(|line| (LINE - 1..LINE + 13).contains(&line.len())));
        let capitals = text.split_whitespace().filter(|word| word.starts_with(|c: char| c.is_uppercase()));
        let share = capitals.count() * 16 * 100 / text.split_whitespace().count();
        assert!((80..120).contains(&share), "{share} % of the capitals there should be");
    }

    #[test]
    fn half_as_many_keys_as_lines() {
        let lines = String::from_utf8(keys(12_550, 0, 20_000)).expect("letters and digits are text");
        let pairs: Vec<(&str, u64)> = lines
            .lines()
            .map(|line| line.split_once(' ').expect("a key and a value"))
            .map(|(key, value)| (key, value.parse().expect("a number")))
            .collect();
        assert!(pairs.iter().all(|(key, value)| (10..=16).contains(&key.len()) && *value < 1000));
        let distinct: HashSet<&str> = pairs.iter().map(|(key, _)| *key).collect();
        assert!((9_700..10_300).contains(&distinct.len()), "{} keys", distinct.len());
    }

    #[test]
    fn records_have_a_hundred_bytes_and_different_keys() {
        let records = records(0, 5, 1000);
        assert_eq!(records.len(), 100_000);
        assert!(records.chunks(100).all(|record| record[99] == b'\n' && record[10] == b' '));
        assert!(records.chunks(100).all(|record| record[..10].iter().all(u8::is_ascii_graphic)));
        let keys: HashSet<&[u8]> = records.chunks(100).map(|record| &record[..10]).collect();
        assert_eq!(keys.len(), 1000);
    }
}
