//! Prints the most frequent words in the article's form.
//!
//! It does not count, and it does not decode words: they are bytes and written as they are.

use std::cmp::Reverse;
use std::io::{self, Write};

/// Prints the `n` most frequent words of `rows`, the most frequent first and ties in the words' byte order.
///
/// The colons stand in one column, one space behind the longest word printed. With fewer than `n` rows all are
/// printed, under the same title.
pub(crate) fn print_top<W: AsRef<[u8]>>(
    mut rows: Vec<(W, u64)>,
    n: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    keep_top(&mut rows, n);
    let longest = rows.iter().map(|(word, _)| word.as_ref().len()).max().unwrap_or(0);
    write!(out, "\nTOP {n} WORDS BY FREQUENCY\n\n")?;
    for (word, count) in &rows {
        let padding = longest + 1 - word.as_ref().len();
        out.write_all(word.as_ref())?;
        writeln!(out, "{:padding$}: {count:>5}", "")?;
    }
    out.flush()
}

/// Leaves the first `n` rows in printing order.
fn keep_top<W: AsRef<[u8]>>(rows: &mut Vec<(W, u64)>, n: usize) {
    let by_frequency =
        |a: &(W, u64), b: &(W, u64)| (Reverse(a.1), a.0.as_ref()).cmp(&(Reverse(b.1), b.0.as_ref()));
    // Only the few rows that are printed need sorting, however many words there are.
    if n < rows.len() {
        rows.select_nth_unstable_by(n, by_frequency);
        rows.truncate(n);
    }
    rows.sort_unstable_by(by_frequency);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(rows: &[(&[u8], u64)], n: usize) -> Vec<u8> {
        let mut out = Vec::new();
        print_top(rows.to_vec(), n, &mut out).expect("writing to memory does not fail");
        out
    }

    #[test]
    fn looks_as_in_the_article() {
        let rows: [(&[u8], u64); 4] =
            [(b"worker", 35), (b"running", 5), (b"process", 74), (b"multiprocessing", 42)];
        let want = "\nTOP 3 WORDS BY FREQUENCY\n\n\
                    process         :    74\n\
                    multiprocessing :    42\n\
                    worker          :    35\n";
        assert_eq!(String::from_utf8_lossy(&printed(&rows, 3)), want);
    }

    #[test]
    fn the_column_fits_the_longest_word_printed_not_the_longest_of_all() {
        let rows: [(&[u8], u64); 3] = [(b"incomprehensible", 1), (b"a", 123_456), (b"the", 9)];
        assert_eq!(printed(&rows, 2), b"\nTOP 2 WORDS BY FREQUENCY\n\na   : 123456\nthe :     9\n");
    }

    #[test]
    fn ties_come_in_word_order_at_the_cut_too() {
        let rows: [(&[u8], u64); 5] = [(b"e", 1), (b"d", 2), (b"c", 1), (b"b", 1), (b"a", 1)];
        assert_eq!(printed(&rows, 3), b"\nTOP 3 WORDS BY FREQUENCY\n\nd :     2\na :     1\nb :     1\n");
    }

    #[test]
    fn fewer_words_than_asked_for_keep_the_title() {
        assert_eq!(printed(&[], 20), b"\nTOP 20 WORDS BY FREQUENCY\n\n");
        assert_eq!(printed(&[(b"\xff", 1)], 20), b"\nTOP 20 WORDS BY FREQUENCY\n\n\xff :     1\n");
    }
}
