//! The parts of a key that is a pair of strings and integers, read without the key being made.
//!
//! It knows no other types, and does not say what is wrong with a key: [`super::decode`] does.

use std::any::TypeId;
use std::borrow::Cow;

use super::reader::Reader;
use crate::key::as_text;

/// One part of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part<'k> {
    Text(&'k str),
    Unsigned(u64),
    Signed(i64),
}

/// What the parts of a key are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts([Kind; 2]);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Text,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
}

macro_rules! kinds {
    ($($type:ty: $kind:ident;)*) => {
        impl Parts {
            /// Those of keys of type `K`, if it is such a pair.
            pub(crate) fn of<K: 'static>() -> Option<Self> {
                $(if let Some(second) = second_of::<K, $type>() {
                    return Some(Self([Kind::$kind, second]));
                })*
                None
            }
        }

        /// What the second part of `K` is, if the first is an `A`.
        fn second_of<K: 'static, A: 'static>() -> Option<Kind> {
            $(if TypeId::of::<K>() == TypeId::of::<(A, $type)>() {
                return Some(Kind::$kind);
            })*
            None
        }
    };
}

kinds! {
    String: Text;
    u8: U8; u16: U16; u32: U32; u64: U64;
    i8: I8; i16: I16; i32: I32; i64: I64;
}

impl Parts {
    /// Gives each part of `encoded` to `each` while that returns true. True in the end only if `encoded` is such a key, and
    /// no string in it holds a zero byte.
    #[inline(always)]
    pub(crate) fn read(&self, encoded: &[u8], mut each: impl FnMut(Part<'_>) -> bool) -> bool {
        let mut reader = Reader::new(encoded);
        self.0.iter().all(|kind| part(*kind, &mut reader).is_some_and(&mut each)) && reader.finish().is_ok()
    }
}

#[inline(always)]
fn part<'k>(kind: Kind, reader: &mut Reader<'k>) -> Option<Part<'k>> {
    Some(match kind {
        Kind::Text => match reader.string().ok()? {
            Cow::Borrowed(bytes) => Part::Text(as_text(bytes).ok()?),
            Cow::Owned(_) => return None,
        },
        Kind::U8 => Part::Unsigned(reader.scalar::<u8, 1>().ok()?.into()),
        Kind::U16 => Part::Unsigned(reader.scalar::<u16, 2>().ok()?.into()),
        Kind::U32 => Part::Unsigned(reader.scalar::<u32, 4>().ok()?.into()),
        Kind::U64 => Part::Unsigned(reader.scalar::<u64, 8>().ok()?),
        Kind::I8 => Part::Signed(reader.scalar::<i8, 1>().ok()?.into()),
        Kind::I16 => Part::Signed(reader.scalar::<i16, 2>().ok()?.into()),
        Kind::I32 => Part::Signed(reader.scalar::<i32, 4>().ok()?.into()),
        Kind::I64 => Part::Signed(reader.scalar::<i64, 8>().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::datum::Datum;
    use crate::key::{decode, encode_to_vec};

    /// What is read of `encoded`, which is to be a `K`.
    fn read<K: Datum>(encoded: &[u8]) -> Option<Vec<String>> {
        let mut found = Vec::new();
        let parts = Parts::of::<K>().expect("a pair of strings and integers");
        parts
            .read(encoded, |part| {
                found.push(match part {
                    Part::Text(text) => text.to_owned(),
                    Part::Unsigned(n) => n.to_string(),
                    Part::Signed(n) => n.to_string(),
                });
                true
            })
            .then_some(found)
    }

    fn agree<A: Datum + ToString, B: Datum + ToString>(pair: (A, B), change: (usize, u8)) {
        let mut encoded = encode_to_vec(&pair).expect("a key");
        let texts = vec![pair.0.to_string(), pair.1.to_string()];
        if !texts.concat().contains('\0') {
            assert_eq!(read::<(A, B)>(&encoded), Some(texts));
        }
        // What is no key is not read, whatever is wrong with it.
        let at = change.0 % encoded.len();
        encoded[at] ^= change.1;
        for encoded in [&encoded[..], &encoded[..at]] {
            let decoded = decode::<(A, B)>(encoded).ok().map(|(a, b)| vec![a.to_string(), b.to_string()]);
            if let Some(found) = read::<(A, B)>(encoded) {
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
