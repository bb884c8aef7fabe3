//! Values as rows hold them: the codes of integers, which are also kept in one word of a slot, are their lowest bytes.
//!
//! Every other value goes through the value codec. A code does not say which of the two it is: the type of the job's
//! values does.

use std::any::{Any, TypeId};

use gristmill_ipc::codec;

use crate::datum::Datum;
use crate::key::Image;
use crate::result::{BoxError, Result};

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

macro_rules! zigzag {
    ($($signed:ty)*) => {
        /// An integer's word as a small number whatever the sign, which is its lowest bit.
        #[inline(always)]
        fn unsigned<V: 'static>(word: u64) -> u64 {
            $(if TypeId::of::<V>() == TypeId::of::<$signed>() {
                return word << 1 ^ (word.cast_signed() >> 63).cast_unsigned();
            })*
            word
        }

        /// The word that [`unsigned`] was made of.
        #[inline(always)]
        fn signed<V: 'static>(unsigned: u64) -> u64 {
            $(if TypeId::of::<V>() == TypeId::of::<$signed>() {
                return (unsigned >> 1) ^ (unsigned & 1).wrapping_neg();
            })*
            unsigned
        }
    };
}

zigzag!(i8 i16 i32 i64 isize);

/// The longest code of an integer.
const LONGEST: usize = size_of::<u64>();

/// The code of an integer: the lowest `len` bytes of `word`, above which are zeros.
///
/// Two numbers and not an array: those stay in registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SmallCode {
    pub(crate) word: u64,
    pub(crate) len: usize,
}

/// The code of an integer: as few bytes as hold it, but one at least, the lowest first. `None` for other values.
#[inline(always)]
pub(crate) fn encode_small<V: 'static>(value: &V) -> Option<SmallCode> {
    let word = unsigned::<V>(to_word(value));
    is_word::<V>().then_some(SmallCode { word, len: 1 + (word | 1).ilog2() as usize / 8 })
}

/// Appends the code of `value`.
#[inline(always)]
pub(crate) fn encode_into<V: Datum>(value: &V, out: &mut Vec<u8>) -> Result {
    match encode_small(value) {
        Some(SmallCode { word, len }) => out.extend_from_slice(&word.to_le_bytes()[..len]),
        None => codec::encode_into(value, out)?,
    }
    Ok(())
}

/// The value that `code` holds.
#[inline(always)]
pub(crate) fn decode<V: Datum>(code: &[u8]) -> Result<V> {
    decode_within(code, code.len())
}

/// The value that the first `len` bytes of `tail` hold. Where there are eight to read, the length decides no branch.
#[inline(always)]
pub(crate) fn decode_within<V: Datum>(tail: &[u8], len: usize) -> Result<V> {
    if !is_word::<V>() {
        return Ok(codec::decode(&tail[..len])?);
    }
    let word = match tail.first_chunk() {
        Some(bytes) if (1..=LONGEST).contains(&len) => {
            u64::from_le_bytes(*bytes) & u64::MAX >> (8 * (LONGEST - len))
        }
        _ => match Image::new(&tail[..len]) {
            Some(image) if (1..=LONGEST).contains(&len) => image.0[0],
            _ => return Err(not_in_range()),
        },
    };
    let word = signed::<V>(word);
    // What is too large for its type comes back as another number.
    match from_word(word) {
        Some(value) if to_word(&value) == word => Ok(value),
        _ => Err(not_in_range()),
    }
}

#[cold]
#[inline(never)]
fn not_in_range() -> BoxError {
    "the code of an integer holds none, or one that its type cannot hold".into()
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;
    use proptest::prelude::*;

    fn same<V: Datum + Copy + PartialEq + Debug>(value: V) {
        let mut code = Vec::new();
        encode_into(&value, &mut code).expect("a value");
        assert_eq!(decode::<V>(&code).expect("its code"), value);
        if is_word::<V>() {
            assert_eq!(from_word::<V>(to_word(&value)), Some(value));
            assert!(code.len() <= size_of::<V>(), "{value:?}: {code:?}");
            assert!(code.len() == 1 || code.last() != Some(&0), "{value:?}: {code:?} is too long");
        }
        let len = code.len();
        code.extend([0xff; 9]);
        assert_eq!(decode_within::<V>(&code, len).expect("its code"), value, "other bytes behind it");
    }

    proptest! {
        #[test]
        fn integers_come_back_from_as_few_bytes_as_hold_them(bits: u64, shift in 0_u32..64) {
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
            let number = code.iter().rev().try_fold(0_u128, |n, byte| n.checked_mul(256).map(|n| n + u128::from(*byte)));
            let number = number.filter(|_| (1..=8).contains(&code.len()));
            prop_assert_eq!(decode::<u32>(&code).ok(), number.and_then(|n| n.try_into().ok()));
            let signed = number.map(|n| (n >> 1).cast_signed() ^ -(n & 1).cast_signed());
            prop_assert_eq!(decode::<i16>(&code).ok(), signed.and_then(|n| n.try_into().ok()));
        }
    }

    #[test]
    fn other_values_are_no_words() {
        assert!(!is_word::<String>());
        assert_eq!(from_word::<String>(7), None);
        same('x');
    }
}
