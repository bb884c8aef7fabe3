//! The reversible escapes that keep tabs and line ends out of a field.
//!
//! Which values are escaped is decided by [`super::field`].

use std::borrow::Cow;

use memchr::{memchr, memchr3};

use crate::key::Image;
use crate::result::Result;

/// Appends `bytes` to `out`, escaped.
#[inline]
pub(super) fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    match first_special(bytes) {
        None => out.extend_from_slice(bytes),
        Some(first) => escape_from(first, bytes, out),
    }
}

/// Where the first byte is that cannot stand as it is.
#[inline]
fn first_special(bytes: &[u8]) -> Option<usize> {
    // Most fields are shorter than what it takes to set up the vectorised search.
    if bytes.len() < 32 {
        return if is_plain(bytes) { None } else { bytes.iter().position(|&byte| is_special(byte)) };
    }
    let found = memchr3(b'\t', b'\n', b'\\', bytes);
    let before = &bytes[..found.unwrap_or(bytes.len())];
    memchr(b'\r', before).or(found)
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b'\\')
}

/// Whether there is no special byte, by a look at eight at a time. Of some strings with other control characters it says
/// no, too.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    is_free_of::<{ b'\r' + 1 }>(bytes, b"\\")
}

/// Whether a string stands in JSON as it is: that escapes control characters, quotes and backslashes, and nothing else
/// has to be.
#[inline]
pub(super) fn is_plain_json(bytes: &[u8]) -> bool {
    is_free_of::<b' '>(bytes, b"\"\\")
}

/// [`is_plain`] of the bytes of an image, which are at hand in words.
#[inline(always)]
pub(crate) fn is_plain_image(image: Image) -> bool {
    !image.has_byte(|word| below_or_among::<{ b'\r' + 1 }>(word, b"\\"))
}

/// [`is_plain_json`] of the bytes of an image.
#[inline(always)]
pub(super) fn is_plain_json_image(image: Image) -> bool {
    !image.has_byte(|word| below_or_among::<b' '>(word, b"\"\\"))
}

/// Whether there is a control character.
pub(super) fn has_control(bytes: &[u8]) -> bool {
    !is_free_of::<b' '>(bytes, &[])
}

/// Whether no byte is below `LEAST` or one of `others`.
#[inline(always)]
fn is_free_of<const LEAST: u8>(bytes: &[u8], others: &[u8]) -> bool {
    let word = |bytes: &[u8]| bytes.first_chunk().map_or(0, |word| u64::from_le_bytes(*word));
    let half = |bytes: &[u8]| bytes.first_chunk().map_or(0, |half| u64::from(u32::from_le_bytes(*half)));
    let is_free = |word| below_or_among::<LEAST>(word, others) & u64::from_ne_bytes([0x80; 8]) == 0;
    match bytes.len() {
        0..4 => !bytes.iter().any(|byte| *byte < LEAST || others.contains(byte)),
        len @ 4..8 => is_free(half(bytes) | half(&bytes[len - 4..]) << 32),
        len => {
            let (whole, last) = (bytes.chunks_exact(8), &bytes[len - 8..]);
            whole.fold(is_free(word(last)), |free, eight| free & is_free(word(eight)))
        }
    }
}

/// Tests of all bytes of a word at once, as in "Bit Twiddling Hacks" (S. E. Anderson): is one less than `n`, is one zero.
///
/// The highest bit of the first byte for which that holds is set in what is returned; it may be in bytes above.
#[inline(always)]
fn below_or_among<const LEAST: u8>(word: u64, others: &[u8]) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low = word.wrapping_sub(EACH * u64::from(LEAST)) & !word;
    others.iter().fold(low, |found, other| {
        let zeroed = word ^ (EACH * u64::from(*other));
        found | zeroed.wrapping_sub(EACH) & !zeroed
    })
}

fn escape_from(first: usize, bytes: &[u8], out: &mut Vec<u8>) {
    let (plain, rest) = bytes.split_at(first);
    out.extend_from_slice(plain);
    for &byte in rest {
        match byte {
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            _ => out.push(byte),
        }
    }
}

/// Undoes the escapes in a field that holds a string, byte string or `char`.
///
/// A field without a backslash is returned as it is. A field that holds JSON must not be passed: its backslashes are
/// JSON's own.
///
/// # Errors
/// When a backslash is the last byte or begins none of `\t`, `\n`, `\r`, `\\`; the message has its offset.
pub fn unescape(field: &[u8]) -> Result<Cow<'_, [u8]>> {
    let Some(first) = memchr(b'\\', field) else {
        return Ok(Cow::Borrowed(field));
    };
    let mut plain = Vec::with_capacity(field.len());
    let mut start = 0;
    let mut next = Some(first);
    while let Some(backslash) = next {
        plain.extend_from_slice(&field[start..backslash]);
        plain.push(escaped(field, backslash)?);
        start = backslash + 2;
        next = memchr(b'\\', &field[start..]).map(|found| start + found);
    }
    plain.extend_from_slice(&field[start..]);
    Ok(Cow::Owned(plain))
}

/// The byte that the escape at `backslash` stands for.
fn escaped(field: &[u8], backslash: usize) -> Result<u8> {
    match field.get(backslash + 1) {
        Some(b't') => Ok(b'\t'),
        Some(b'n') => Ok(b'\n'),
        Some(b'r') => Ok(b'\r'),
        Some(b'\\') => Ok(b'\\'),
        Some(other) => Err(format!("unknown escape `\\{}` at byte {backslash}", other.escape_ascii()).into()),
        None => Err(format!("backslash at the end of the field, at byte {backslash}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped_form(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        escape(bytes, &mut out);
        out
    }

    #[test]
    fn each_special_byte_has_its_escape() {
        assert_eq!(escaped_form(b"a\tb\nc\rd\\e"), br"a\tb\nc\rd\\e");
        assert_eq!(escaped_form(b"as it is"), b"as it is");
    }

    #[test]
    fn the_first_special_byte_is_found_wherever_it_is() {
        for (len, special) in [5, 31, 32, 70].into_iter().flat_map(|len| b"\t\n\r\\".map(|byte| (len, byte)))
        {
            for at in 0..len {
                let mut bytes = vec![b'x'; len];
                bytes[at..].fill(special);
                assert_eq!(first_special(&bytes), Some(at), "{special:#x} in {len} bytes");
                bytes[at] = if special == b'\r' { b'\n' } else { b'\r' };
                assert_eq!(first_special(&bytes), Some(at), "before {special:#x} in {len} bytes");
            }
        }
    }

    #[test]
    fn a_field_without_backslashes_is_not_copied() {
        assert!(matches!(unescape(b"plain"), Ok(Cow::Borrowed(b"plain"))));
    }

    #[test]
    fn unknown_escapes_are_errors_with_their_offset() {
        let message = |field: &[u8]| unescape(field).expect_err("not a valid field").to_string();
        assert_eq!(message(br"ab\\c\x"), r"unknown escape `\x` at byte 5");
        assert_eq!(message(b"abc\\"), "backslash at the end of the field, at byte 3");
        assert_eq!(message(b"\\\xff"), r"unknown escape `\\xff` at byte 0");
    }

    /// Bytes of which many are special.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![prop::sample::select(b"\t\n\r\\tnr".to_vec()), any::<u8>()];
        prop::collection::vec(byte, 0..80)
    }

    proptest! {
        #[test]
        fn escapes_are_undone(bytes in bytes()) {
            let field = escaped_form(&bytes);
            prop_assert!(!field.iter().any(|byte| b"\t\n\r".contains(byte)));
            prop_assert_eq!(unescape(&field).expect("escaped just now"), bytes);
        }

        #[test]
        fn what_can_be_undone_is_undone_to_what_was_escaped(
            field in prop::collection::vec(prop::sample::select(br"\\tnrx".to_vec()), 0..12),
        ) {
            if let Ok(plain) = unescape(&field) {
                prop_assert_eq!(escaped_form(&plain), field);
            }
        }
    }
}
