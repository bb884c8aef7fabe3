//! Values that are integers: kept in one word of a slot, and encoded without serde.
//!
//! Every other value goes through the value codec; the bytes are the codec's in both cases.

use std::any::{Any, TypeId};

use gristmill_ipc::codec;

use crate::datum::Datum;
use crate::result::Result;

macro_rules! words {
    ($($type:ty)*) => {
        /// Whether values of `V` are kept as words.
        #[inline(always)]
        pub(crate) fn is_word<V: 'static>() -> bool {
            $(TypeId::of::<V>() == TypeId::of::<$type>())||*
        }

        /// The word for an integer.
        #[inline(always)]
        pub(crate) fn to_word<V: 'static>(value: &V) -> u64 {
            let value = value as &dyn Any;
            $(if let Some(value) = value.downcast_ref::<$type>() {
                return *value as u64;
            })*
            0
        }

        /// The integer for a word; `None` if `V` is no integer.
        #[inline(always)]
        pub(crate) fn from_word<V: 'static>(word: u64) -> Option<V> {
            let mut value = None::<V>;
            let any = &mut value as &mut dyn Any;
            $(if let Some(value) = any.downcast_mut::<Option<$type>>() {
                *value = Some(word as $type);
            })*
            value
        }
    };
}

words!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

macro_rules! codes {
    (unsigned $($unsigned:ty)*; signed $($signed:ty)*) => {
        /// The integer that the codec's variable-length form stands for, as an unsigned number.
        #[inline(always)]
        fn plain<V: 'static>(word: u64) -> Option<u64> {
            $(if TypeId::of::<V>() == TypeId::of::<$unsigned>() {
                return Some(word);
            })*
            // Zigzag: the sign becomes the lowest bit.
            $(if TypeId::of::<V>() == TypeId::of::<$signed>() {
                return Some(word << 1 ^ (word.cast_signed() >> 63).cast_unsigned());
            })*
            None
        }

        #[inline(always)]
        fn unplain<V: 'static>(plain: u64) -> Option<V> {
            $(if TypeId::of::<V>() == TypeId::of::<$unsigned>() {
                return <$unsigned>::try_from(plain).ok().and_then(|n| from_word(n as u64));
            })*
            $(if TypeId::of::<V>() == TypeId::of::<$signed>() {
                let word = (plain >> 1) ^ (plain & 1).wrapping_neg();
                return <$signed>::try_from(word.cast_signed()).ok().and_then(|n| from_word(n as u64));
            })*
            None
        }
    };
}

// One byte integers have no variable-length form: the codec writes the byte.
codes!(unsigned u16 u32 u64 usize; signed i16 i32 i64 isize);

/// An encoded integer: `len` bytes, of which the first is the mark and the others are the lowest of `rest`.
///
/// Two numbers and not an array: those stay in registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SmallCode {
    pub(crate) mark: u8,
    pub(crate) rest: u64,
    pub(crate) len: usize,
}

impl SmallCode {
    /// The code at the front, something else behind it.
    #[inline(always)]
    pub(crate) fn bytes(&self) -> [u8; 9] {
        let mut bytes = [self.mark; 9];
        bytes[1..].copy_from_slice(&self.rest.to_le_bytes());
        bytes
    }
}

/// The codec's form of an integer; `None` for other values.
#[inline(always)]
pub(crate) fn encode_small<V: 'static>(value: &V) -> Option<SmallCode> {
    let plain = plain::<V>(to_word(value))?;
    let (mark, len) = match plain {
        0..251 => (plain as u8, 1),
        251..0x1_0000 => (251, 3),
        0x1_0000..0x1_0000_0000 => (252, 5),
        _ => (253, 9),
    };
    Some(SmallCode { mark, rest: plain, len })
}

/// Appends the codec's form of `value`.
#[inline(always)]
pub(crate) fn encode_into<V: Datum>(value: &V, out: &mut Vec<u8>) -> Result {
    match encode_small(value) {
        Some(code) => out.extend_from_slice(&code.bytes()[..code.len]),
        None => codec::encode_into(value, out)?,
    }
    Ok(())
}

/// The value that `code` holds.
#[inline(always)]
pub(crate) fn decode<V: Datum>(code: &[u8]) -> Result<V> {
    match decode_small(code) {
        Some(value) => Ok(value),
        None => Ok(codec::decode(code)?),
    }
}

/// `None` also for what is no integer's code: then the codec says what is wrong.
#[inline(always)]
fn decode_small<V: 'static>(code: &[u8]) -> Option<V> {
    // Only integers have such a form.
    plain::<V>(0)?;
    let plain = match *code {
        [byte @ 0..251] => u64::from(byte),
        [251, a, b] => u64::from(u16::from_le_bytes([a, b])),
        [252, a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])),
        [253, ref rest @ ..] => u64::from_le_bytes(*rest.as_array()?),
        _ => return None,
    };
    unplain(plain)
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use proptest::prelude::*;

    fn same<V: Datum + Copy + PartialEq + Debug>(value: V) {
        let code = codec::encode(&value).expect("an integer");
        let mut out = Vec::new();
        encode_into(&value, &mut out).expect("an integer");
        assert_eq!(out, code, "{value:?}");
        assert_eq!(decode::<V>(&code).expect("its code"), value);
        if is_word::<V>() {
            assert_eq!(from_word::<V>(to_word(&value)), Some(value));
        }
    }

    proptest! {
        #[test]
        fn integers_are_encoded_as_the_codec_does(bits: u64, shift in 0_u32..64) {
            let n = bits >> shift;
            same(n as u8);
            same(n as u16);
            same(n as u32);
            same(n);
            same(n as usize);
            same(n as i8);
            same(n as i16);
            same(n as i32);
            same(n.cast_signed());
            same(n as isize);
            same(n.wrapping_neg().cast_signed());
            same(n.wrapping_neg() as i32);
        }

        #[test]
        fn what_is_no_code_is_refused(code in prop::collection::vec(any::<u8>(), 0..12)) {
            prop_assert_eq!(decode::<u32>(&code).ok(), codec::decode::<u32>(&code).ok());
            prop_assert_eq!(decode::<i16>(&code).ok(), codec::decode::<i16>(&code).ok());
        }
    }

    #[test]
    fn other_values_are_no_words() {
        assert!(!is_word::<String>());
        assert_eq!(from_word::<String>(7), None);
        same('x');
    }
}
