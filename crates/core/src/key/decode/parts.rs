//! The parts of a key that is a pair of strings and integers, read without the key being made.
//!
//! It knows no other types, and does not say what is wrong with a key: [`super::decode`] does.

use std::any::TypeId;
use std::borrow::Cow;

use super::reader::Reader;
use super::short::ShortReader;
use crate::key::{Image, as_text, prefix};

/// One part of a key; strings are `T`s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<T> {
    Text(T),
    Unsigned(u64),
    Signed(i64),
}

/// What the parts of a key are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts([Kind; 2]);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    /// Of so many bytes.
    Unsigned(usize),
    Signed(usize),
}

macro_rules! kinds {
    ($($type:ty: $kind:expr;)*) => {
        impl Parts {
            /// Those of keys of type `K`, if it is such a pair.
            pub(crate) fn of<K: 'static>() -> Option<Self> {
                $(if let Some(second) = second_of::<K, $type>() {
                    return Some(Self([$kind, second]));
                })*
                None
            }
        }

        /// What the second part of `K` is, if the first is an `A`.
        fn second_of<K: 'static, A: 'static>() -> Option<Kind> {
            $(if TypeId::of::<K>() == TypeId::of::<(A, $type)>() {
                return Some($kind);
            })*
            None
        }
    };
}

kinds! {
    String: Kind::Text;
    u8: Kind::Unsigned(1); u16: Kind::Unsigned(2); u32: Kind::Unsigned(4); u64: Kind::Unsigned(8);
    i8: Kind::Signed(1); i16: Kind::Signed(2); i32: Kind::Signed(4); i64: Kind::Signed(8);
}

impl Parts {
    /// The parts of `encoded`, if it is such a key, and no string in it holds a zero byte.
    #[inline(always)]
    pub(crate) fn read<'k>(&self, encoded: &'k [u8]) -> Option<[Part<&'k str>; 2]> {
        self.read_from(Reader::new(encoded))
    }

    /// The same for a key that has an image; its strings have to be ASCII, besides.
    #[inline(always)]
    pub(crate) fn read_image(&self, encoded: Image) -> Option<[Part<Image>; 2]> {
        self.read_from(ShortReader::new(encoded))
    }

    #[inline(always)]
    fn read_from<S: Source>(&self, mut source: S) -> Option<[Part<S::Text>; 2]> {
        let Self([first, second]) = *self;
        let parts = [part(first, &mut source)?, part(second, &mut source)?];
        source.is_at_end().then_some(parts)
    }
}

#[inline(always)]
fn part<S: Source>(kind: Kind, source: &mut S) -> Option<Part<S::Text>> {
    Some(match kind {
        Kind::Text => Part::Text(source.text()?),
        Kind::Unsigned(bytes) => Part::Unsigned(source.form(bytes)? >> (64 - 8 * bytes)),
        // The highest bit, which is the sign's, is turned over in the encoding.
        Kind::Signed(bytes) => {
            Part::Signed((source.form(bytes)? ^ 1 << 63).cast_signed() >> (64 - 8 * bytes))
        }
    })
}

/// What parts are read from.
trait Source {
    type Text;
    fn text(&mut self) -> Option<Self::Text>;
    /// The form of an integer of so many bytes, the first byte highest; below it may be something else.
    fn form(&mut self, bytes: usize) -> Option<u64>;
    fn is_at_end(&self) -> bool;
}

impl<'k> Source for Reader<'k> {
    type Text = &'k str;

    #[inline(always)]
    fn text(&mut self) -> Option<&'k str> {
        match self.string().ok()? {
            Cow::Borrowed(bytes) => as_text(bytes).ok(),
            Cow::Owned(_) => None,
        }
    }

    #[inline(always)]
    fn form(&mut self, bytes: usize) -> Option<u64> {
        self.take(bytes).ok().map(prefix)
    }

    #[inline(always)]
    fn is_at_end(&self) -> bool {
        self.finish().is_ok()
    }
}

impl Source for ShortReader {
    type Text = Image;

    #[inline(always)]
    fn text(&mut self) -> Option<Image> {
        self.string().filter(Image::is_ascii)
    }

    #[inline(always)]
    fn form(&mut self, bytes: usize) -> Option<u64> {
        self.form(bytes)
    }

    #[inline(always)]
    fn is_at_end(&self) -> bool {
        self.is_at_end()
    }
}

#[cfg(test)]
mod tests {
    use bstr::ByteSlice;
    use proptest::prelude::*;

    use super::*;
    use crate::datum::Datum;
    use crate::key::{AnyKey, INLINE, decode, encode_to_vec};

    /// What is read of `encoded`, which is to be a `K`, and what of its image.
    fn read<K: Datum>(encoded: &[u8]) -> [Option<Vec<String>>; 2] {
        let parts = Parts::of::<K>().expect("a pair of strings and integers");
        let short = Image::new(encoded).and_then(|image| parts.read_image(image));
        [
            parts.read(encoded).map(|parts| in_words(parts, str::to_owned)),
            short.map(|parts| {
                in_words(parts, |text| AnyKey::Short(text).with_bytes(|text| text.to_str_lossy().into()))
            }),
        ]
    }

    fn in_words<T>(parts: [Part<T>; 2], text: impl Fn(T) -> String) -> Vec<String> {
        let in_words = |part| match part {
            Part::Text(string) => text(string),
            Part::Unsigned(n) => n.to_string(),
            Part::Signed(n) => n.to_string(),
        };
        parts.map(in_words).into()
    }

    fn agree<A: Datum + ToString, B: Datum + ToString>(pair: (A, B), change: (usize, u8)) {
        let mut encoded = encode_to_vec(&pair).expect("a key");
        let texts = vec![pair.0.to_string(), pair.1.to_string()];
        if !texts.concat().contains('\0') {
            let is_short = encoded.len() <= INLINE && texts.concat().is_ascii();
            assert_eq!(read::<(A, B)>(&encoded), [Some(texts.clone()), is_short.then_some(texts)]);
        }
        // What is no key is not read, whatever is wrong with it.
        let at = change.0 % encoded.len();
        encoded[at] ^= change.1;
        for encoded in [&encoded[..], &encoded[..at]] {
            let decoded = decode::<(A, B)>(encoded).ok().map(|(a, b)| vec![a.to_string(), b.to_string()]);
            for found in read::<(A, B)>(encoded).into_iter().flatten() {
                assert_eq!(Some(found), decoded, "{encoded:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn parts_are_those_of_the_decoded_key(
            text in "[a-c\u{0}é\"]{0,30}",
            other in "\\PC{0,9}",
            n: u64,
            change: (usize, u8),
        ) {
            agree((text.clone(), n as u32), change);
            agree((n.cast_signed(), text.clone()), change);
            agree((text, other), change);
            agree((n as u8, n as i16), change);
            agree((n as i8, n as u16), change);
            agree((n, n as i32), change);
        }
    }

    #[test]
    fn other_types_are_left_to_serde() {
        assert!(Parts::of::<String>().is_none());
        assert!(Parts::of::<(String, f64)>().is_none());
        assert!(Parts::of::<(String, u32, u32)>().is_none());
        assert!(Parts::of::<(bool, u32)>().is_none());
    }
}
