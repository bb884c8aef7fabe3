//! Counts words the slow and obvious way.
//!
//! It shares nothing with the example's tokeniser: no tables, whole texts instead of lines, and a list of stop words of
//! its own. White space is space, tab, newline, form feed and carriage return; letters, punctuation and lower case are
//! ASCII's; every other byte is kept and is no letter.

use std::collections::BTreeMap;

const STOP_WORDS: &str = "a an and are as be for if in is it of or py rst the to with";
const WHITE_SPACE: [u8; 5] = [b' ', b'\t', b'\n', 0x0C, b'\r'];
const PUNCTUATION: &[u8] = br##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##;

/// Counts the words of articles in reStructuredText: lines that begin with `..` are left out, punctuation counts as
/// white space, and only lower-cased words of letters alone that are no stop words remain.
pub fn article_counts(texts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> BTreeMap<Vec<u8>, u64> {
    let mut counts = BTreeMap::new();
    for text in texts {
        for line in text.as_ref().split(|&byte| byte == b'\n') {
            if !is_comment(line) {
                let words = words(&blank_punctuation(line));
                count(words.into_iter().filter(|word| is_counted(word)), &mut counts);
            }
        }
    }
    counts
}

/// Counts what white space separates, lower-cased.
pub fn whitespace_counts(texts: impl IntoIterator<Item = impl AsRef<[u8]>>) -> BTreeMap<Vec<u8>, u64> {
    let mut counts = BTreeMap::new();
    for text in texts {
        count(words(text.as_ref()), &mut counts);
    }
    counts
}

/// The `n` most frequent words, ties in the words' byte order.
pub fn top(counts: &BTreeMap<Vec<u8>, u64>, n: usize) -> Vec<(Vec<u8>, u64)> {
    let mut rows: Vec<(Vec<u8>, u64)> = counts.iter().map(|(word, count)| (word.clone(), *count)).collect();
    // A stable sort: words of equal frequency stay in the map's order.
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    rows.truncate(n);
    rows
}

fn count(words: impl IntoIterator<Item = Vec<u8>>, counts: &mut BTreeMap<Vec<u8>, u64>) {
    for word in words {
        *counts.entry(word).or_insert(0) += 1;
    }
}

fn words(text: &[u8]) -> Vec<Vec<u8>> {
    let pieces = text.split(|byte| WHITE_SPACE.contains(byte));
    pieces.filter(|piece| !piece.is_empty()).map(|piece| piece.to_ascii_lowercase()).collect()
}

fn blank_punctuation(line: &[u8]) -> Vec<u8> {
    line.iter().map(|byte| if PUNCTUATION.contains(byte) { b' ' } else { *byte }).collect()
}

fn is_comment(line: &[u8]) -> bool {
    let first_visible = line.iter().position(|byte| !WHITE_SPACE.contains(byte));
    first_visible.is_some_and(|at| line[at..].starts_with(b".."))
}

fn is_counted(word: &[u8]) -> bool {
    let letters_alone = word.iter().all(|byte| byte.is_ascii_lowercase());
    letters_alone && !STOP_WORDS.split(' ').any(|stop| stop.as_bytes() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(counts: &BTreeMap<Vec<u8>, u64>) -> Vec<(String, u64)> {
        counts.iter().map(|(word, count)| (String::from_utf8_lossy(word).into_owned(), *count)).collect()
    }

    #[test]
    fn article_words() {
        let text =
            b"The pool's pool_size is 2x.\n  .. note:: pool\n. . Pool\r\n\xffpool caf\xc3\xa9 pool\x0b";
        assert_eq!(rows(&article_counts([text])), [("pool".into(), 3), ("s".into(), 1), ("size".into(), 1)]);
    }

    #[test]
    fn whitespace_words() {
        let counts = whitespace_counts(["A b,\ta\x0ca\x0bA\r\n".as_bytes(), b"a \xff"]);
        let want = [("a".into(), 3), ("a\x0ba".into(), 1), ("b,".into(), 1), ("\u{fffd}".into(), 1)];
        assert_eq!(rows(&counts), want);
    }

    #[test]
    fn the_most_frequent_words_come_first_and_ties_in_word_order() {
        let counts = whitespace_counts(["c b b a c d"]);
        let words: Vec<(Vec<u8>, u64)> = top(&counts, 3);
        assert_eq!(words, [(b"b".to_vec(), 2), (b"c".to_vec(), 2), (b"a".to_vec(), 1)]);
    }
}
