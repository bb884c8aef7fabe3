//! Short lines, written into room that is made at once: the buffer learns their length when they are whole.
//!
//! A buffer that is told of each piece has to be asked again where the next one goes, and the answer comes out of
//! memory each time.

use super::escape::is_plain_json_image;
use crate::key::{Image, Part, Parts};
use crate::text::put_u64;

/// Enough for each key that has an image, as text or as JSON, and an integer behind it, with what is written too far.
const ROOM: usize = 96;

/// A line in the making.
pub(crate) struct Line<'o> {
    room: &'o mut [u8; ROOM],
    len: usize,
}

/// Appends what `write` writes, if that returns true: it may be one key that has an image and one number. Otherwise `out` is
/// as it was.
#[inline(always)]
pub(crate) fn write_short(out: &mut Vec<u8>, write: impl FnOnce(&mut Line<'_>) -> bool) -> bool {
    let start = out.len();
    out.extend_from_slice(&[0; ROOM]);
    let Some(room) = out.last_chunk_mut() else { return false };
    let mut line = Line { room, len: 0 };
    let written = write(&mut line);
    let len = line.len;
    out.truncate(if written { start + len } else { start });
    written
}

impl Line<'_> {
    /// The bytes of a key, none of which is escaped.
    #[inline(always)]
    pub(crate) fn key(&mut self, key: Image) -> bool {
        let bytes = key.bytes();
        // A fixed length, so that it needs no call.
        self.room[self.len..self.len + bytes.len()].copy_from_slice(&bytes);
        self.len += key.len();
        true
    }

    /// A key of such parts as JSON; false if it has to be decoded.
    #[inline(always)]
    pub(crate) fn parts(&mut self, parts: Parts, key: Image) -> bool {
        let Some([first, second]) = parts.read_image(key) else { return false };
        self.byte(b'[');
        let begun = self.part(first);
        self.byte(b',');
        let written = begun && self.part(second);
        self.byte(b']');
        written
    }

    #[inline(always)]
    fn part(&mut self, part: Part<Image>) -> bool {
        match part {
            Part::Text(text) if !is_plain_json_image(text) => return false,
            Part::Text(text) => {
                self.byte(b'"');
                self.key(text);
                self.byte(b'"');
            }
            Part::Unsigned(number) => self.number(number),
            Part::Signed(number) => {
                if number < 0 {
                    self.byte(b'-');
                }
                self.number(number.unsigned_abs());
            }
        }
        true
    }

    /// A value behind the key, and the end of the line.
    #[inline(always)]
    pub(crate) fn value(&mut self, number: u64) -> bool {
        self.byte(b'\t');
        self.number(number);
        self.byte(b'\n');
        true
    }

    #[inline(always)]
    fn byte(&mut self, byte: u8) {
        self.room[self.len] = byte;
        self.len += 1;
    }

    #[inline(always)]
    fn number(&mut self, number: u64) {
        self.len = put_u64(self.room, self.len, number);
    }
}

#[cfg(test)]
mod tests {
    use bstr::ByteSlice;
    use proptest::prelude::*;

    use super::*;
    use crate::datum::Datum;
    use crate::key::{INLINE, encode_to_vec};
    use crate::output::text::write_field;

    /// A line that is written as its key is encoded looks as if that had been decoded. Returns whether one was.
    fn agree<K: Datum>(key: &K, value: u64) -> bool {
        let (parts, encoded) = (Parts::of::<K>().expect("a pair"), encode_to_vec(key).expect("a key"));
        let Some(image) = Image::new(&encoded) else { return false };
        let (mut wanted, mut out) = (b"before".to_vec(), b"before".to_vec());
        let written = write_short(&mut out, |line| line.parts(parts, image) && line.value(value));
        if written {
            write_field(key, &mut wanted).expect("a field");
            wanted.extend_from_slice(format!("\t{value}\n").as_bytes());
        }
        assert_eq!(out.as_bstr(), wanted.as_bstr(), "what was not written leaves nothing");
        written
    }

    proptest! {
        #[test]
        fn pairs_are_written_from_their_images_as_they_are_from_themselves(
            text in prop_oneof![4 => "[a-z]{0,21}", 1 => "[\"\\\\\n\u{0}\u{1f}aß]{0,9}"],
            other in "[a-z]{0,9}",
            number: i64,
            value: u64,
        ) {
            agree(&(text.clone(), number as u32), value);
            agree(&(number, text.clone()), value);
            agree(&(other, text), value);
            agree(&(number as u16, number as i8), value);
        }
    }

    #[test]
    fn the_longest_lines_have_room() {
        assert!(agree(&("a".repeat(17), u32::MAX), u64::MAX));
        assert!(agree(&(i64::MIN, u64::MAX), u64::MAX));
        assert!(agree(&(u64::MAX, "a".repeat(13)), u64::MAX));
        assert!(agree(&("a".repeat(18), "z".to_owned()), u64::MAX));
        assert!(!agree(&("ß".to_owned(), 1_u8), 0), "characters are left to the decoder");
        for len in 0..=INLINE {
            let (key, mut out) = ("k".repeat(len), b"before".to_vec());
            let image = Image::new(key.as_bytes()).expect("it is short");
            assert!(write_short(&mut out, |line| line.key(image) && line.value(u64::MAX)));
            assert_eq!(out.as_bstr(), format!("before{key}\t{}\n", u64::MAX).as_bytes());
        }
    }
}
