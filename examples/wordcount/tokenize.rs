//! Cuts a line of bytes into the words that the article counts.
//!
//! It knows nothing of files, counts or the framework, and it allocates nothing once `scratch` has grown to the
//! longest line.
//!
//! Letters, punctuation, lower case and white space (space, tab, newline, form feed, carriage return) are ASCII's.
//! Every other byte, a vertical tab included, is kept as it is and is no letter. A line may come with or without its
//! line end: `\n` and `\r` are white space, and a line never begins with its own end unless it is empty.

use memchr::{memchr, memchr_iter};

/// What a separator becomes: white space and punctuation.
const GAP: u8 = b' ';
/// What a byte becomes that spoils the word it stands in: a digit, a control character, a byte above ASCII.
const SPOILER: u8 = 0;

static ARTICLE: [u8; 256] = article_table();

/// Calls `each` with every word of a line of an article: lower-cased, of letters alone, without the stop words.
///
/// A line whose first visible characters are `..` is reStructuredText's comment or directive and has no words.
/// Punctuation separates words, as white space does. The first error of `each` ends the line and is returned.
pub(crate) fn article_words<E>(
    line: &[u8],
    scratch: &mut Vec<u8>,
    mut each: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    if is_comment(line) {
        return Ok(());
    }
    translate(line, &ARTICLE, scratch);
    // Most lines hold nothing but letters and gaps: one look at the line saves one at every word.
    let spoiled = memchr(SPOILER, scratch).is_some();
    split_at_gaps(scratch, |word| {
        if (spoiled && word.contains(&SPOILER)) || is_stop_word(word) { Ok(()) } else { each(word) }
    })
}

/// Puts `line`, each byte mapped by `table`, in place of what `scratch` held.
fn translate(line: &[u8], table: &[u8; 256], scratch: &mut Vec<u8>) {
    scratch.clear();
    scratch.extend(line.iter().map(|&byte| table[usize::from(byte)]));
}

/// Calls `each` with every longest stretch of `text` without a gap.
fn split_at_gaps<E>(text: &[u8], mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let mut start = 0;
    for gap in memchr_iter(GAP, text) {
        if gap > start {
            each(&text[start..gap])?;
        }
        start = gap + 1;
    }
    if start < text.len() { each(&text[start..]) } else { Ok(()) }
}

/// Tells whether the first two characters after leading white space are dots.
fn is_comment(line: &[u8]) -> bool {
    let visible = line.iter().position(|&byte| !is_white_space(byte)).unwrap_or(line.len());
    line[visible..].starts_with(b"..")
}

/// Tells whether an article's lower-cased word says too little to be counted.
fn is_stop_word(word: &[u8]) -> bool {
    matches!(
        word,
        b"a" | b"an"
            | b"and"
            | b"are"
            | b"as"
            | b"be"
            | b"for"
            | b"if"
            | b"in"
            | b"is"
            | b"it"
            | b"of"
            | b"or"
            | b"py"
            | b"rst"
            | b"the"
            | b"to"
            | b"with"
    )
}

const fn is_white_space(byte: u8) -> bool {
    // `u8::is_ascii_whitespace` is this very set; spelt out because the vertical tab must stay outside it.
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r')
}

const fn article_table() -> [u8; 256] {
    let mut table = [SPOILER; 256];
    let mut byte = 0_u8;
    while byte.is_ascii() {
        if byte.is_ascii_alphabetic() {
            table[byte as usize] = byte.to_ascii_lowercase();
        } else if byte.is_ascii_punctuation() || is_white_space(byte) {
            table[byte as usize] = GAP;
        }
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    fn article(line: &[u8]) -> Vec<Vec<u8>> {
        collect(|each| article_words(line, &mut Vec::new(), each))
    }

    fn collect(
        words: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), Infallible>) -> Result<(), Infallible>,
    ) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let Ok(()) = words(&mut |word| {
            found.push(word.to_vec());
            Ok(())
        });
        found
    }

    /// The rules again, in the words of the original program and without tables.
    fn naive_article(line: &[u8]) -> Vec<Vec<u8>> {
        let stop = "a an and are as be for if in is it of or py rst the to with";
        let visible: Vec<u8> =
            line.iter().copied().skip_while(|byte| b" \t\n\x0c\r".contains(byte)).collect();
        if visible.starts_with(b"..") {
            return Vec::new();
        }
        let blanked: Vec<u8> =
            line.iter().map(|&byte| if byte.is_ascii_punctuation() { b' ' } else { byte }).collect();
        naive_whitespace(&blanked)
            .into_iter()
            .filter(|word| word.iter().all(u8::is_ascii_alphabetic))
            .filter(|word| !stop.split(' ').any(|stop| stop.as_bytes() == word))
            .collect()
    }

    fn naive_whitespace(line: &[u8]) -> Vec<Vec<u8>> {
        line.split(|byte| b" \t\n\x0c\r".contains(byte))
            .filter(|word| !word.is_empty())
            .map(<[u8]>::to_ascii_lowercase)
            .collect()
    }

    #[test]
    fn article_words_are_letters_alone_in_lower_case_without_stop_words() {
        let line = b"The ``Pool`` class isn't to_be used with Python2.6, or IS it?  Caf\xc3\xa9 na\xefve ok";
        let want = ["pool", "class", "isn", "t", "used", "ok"];
        assert_eq!(article(line), want.map(|word| word.as_bytes().to_vec()));
    }

    #[test]
    fn a_digit_spoils_its_word_and_punctuation_ends_it() {
        assert_eq!(article(b"x86 x-86 v2.alpha"), [b"x".to_vec(), b"alpha".to_vec()]);
    }

    #[test]
    fn comments_are_lines_whose_first_visible_characters_are_two_dots() {
        for comment in ["..", ".. note:: here", " \t\x0c\r.. here", "...and so on"] {
            assert!(article(comment.as_bytes()).is_empty(), "{comment:?} is a comment");
        }
        for text in [". . here", "here ..", "\x0b.. here"] {
            assert_eq!(article(text.as_bytes()), [b"here".to_vec()], "{text:?} is no comment");
        }
    }

    #[test]
    fn a_vertical_tab_is_no_white_space() {
        assert_eq!(article(b"one\x0btwo three"), [b"three".to_vec()]);
    }

    #[test]
    fn the_first_error_ends_the_line() {
        let mut seen = 0;
        let result = article_words(b"one two three", &mut Vec::new(), |word| {
            seen += 1;
            if word == b"two" { Err("two") } else { Ok(()) }
        });
        assert_eq!((result, seen), (Err("two"), 2));
    }

    /// Bytes in which separators, dots, letters and spoilers all come often.
    fn line() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            4 => proptest::sample::select(b"aAbBtThHeEiIsS".to_vec()),
            2 => proptest::sample::select(b" \t\x0c\r\x0b.._'2\0".to_vec()),
            1 => any::<u8>().prop_filter("a record holds no newline", |&byte| byte != b'\n'),
        ];
        proptest::collection::vec(byte, 0..80)
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_rules(line in line()) {
            prop_assert_eq!(article(&line), naive_article(&line));
        }

        #[test]
        fn the_line_end_changes_nothing(line in line(), end in proptest::sample::select(vec!["\n", "\r\n"])) {
            let whole = [&line[..], end.as_bytes()].concat();
            prop_assert_eq!(article(&line), article(&whole));
        }

        #[test]
        fn what_scratch_held_before_changes_nothing(before in line(), line in line()) {
            let mut scratch = before;
            let reused = collect(|each| article_words(&line, &mut scratch, each));
            prop_assert_eq!(reused, article(&line));
        }
    }
}
