//! The byte form of messages, parameters and values: bincode with one fixed configuration.
//!
//! It does not preserve order and is therefore never used for keys.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::error::{DecodeError, EncodeError};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// No single decoded value may claim more bytes than this, so that a damaged length cannot ask for all memory.
pub const DECODE_LIMIT: usize = 1 << 30;

const ENCODING: Configuration = bincode::config::standard();
const DECODING: Configuration<LittleEndian, Varint, Limit<DECODE_LIMIT>> =
    bincode::config::standard().with_limit::<DECODE_LIMIT>();

/// A value that could not be turned into bytes, or bytes that are not the value they should be.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The value's own `Serialize` failed, or it has a shape that bincode does not take.
    #[error("cannot encode: {0}")]
    Encode(String),
    /// The bytes end too early, hold an impossible value or claim more than [`DECODE_LIMIT`].
    #[error("cannot decode: {0}")]
    Decode(String),
    /// The value was whole before the bytes ended, so writer and reader disagree on its type.
    #[error("cannot decode: {extra} bytes follow the end of the value at offset {end}")]
    Trailing {
        /// Where the value ended.
        end: usize,
        /// How many bytes came after it.
        extra: usize,
    },
}

/// bincode prints its errors in their `Debug` form, also those that a value's own code has put into words.
impl From<EncodeError> for CodecError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(match error {
            EncodeError::OtherString(text) => text,
            other => other.to_string(),
        })
    }
}

impl From<DecodeError> for CodecError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(match error {
            DecodeError::OtherString(text) => text,
            other => other.to_string(),
        })
    }
}

/// Encodes `value` into a new vector.
///
/// # Errors
/// When the value refuses to be serialised.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CodecError> {
    Ok(bincode::serde::encode_to_vec(value, ENCODING)?)
}

/// Appends the encoded `value` to `out`. On an error `out` is as long as before.
///
/// # Errors
/// When the value refuses to be serialised.
pub fn encode_into<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), CodecError> {
    let before = out.len();
    bincode::serde::encode_into_std_write(value, out, ENCODING).inspect_err(|_| out.truncate(before))?;
    Ok(())
}

/// Decodes a value that must fill `bytes` exactly; it may borrow from them.
///
/// # Errors
/// When the bytes are too short, too long, claim more than [`DECODE_LIMIT`] or are not a `T`.
pub fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, CodecError> {
    let (value, end) = bincode::serde::borrow_decode_from_slice(bytes, DECODING)?;
    match bytes.len() - end {
        0 => Ok(value),
        extra => Err(CodecError::Trailing { end, extra }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_and_appends_behind_what_is_there() {
        let mut out = b"head".to_vec();
        encode_into(&("pear", 7u32), &mut out).expect("encode");
        assert_eq!(decode::<(&str, u32)>(&out[4..]).expect("decode"), ("pear", 7));
        assert_eq!(encode(&("pear", 7u32)).expect("encode"), out[4..]);
    }

    #[test]
    fn trailing_and_missing_bytes_are_errors() {
        let mut bytes = encode(&300u32).expect("encode");
        bytes.push(0);
        assert!(matches!(decode::<u32>(&bytes), Err(CodecError::Trailing { end: 3, extra: 1 })));
        assert!(matches!(decode::<u32>(&bytes[..2]), Err(CodecError::Decode(_))));
    }

    #[test]
    fn a_length_over_the_limit_is_refused() {
        let claim = encode(&(DECODE_LIMIT as u64 + 1)).expect("encode");
        let error = decode::<String>(&claim).expect_err("a string longer than the limit");
        assert!(error.to_string().contains("cannot decode"), "{error}");
    }

    #[test]
    fn a_failed_encode_leaves_the_output_alone() {
        struct Refuses;
        impl Serialize for Refuses {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("no"))
            }
        }
        let mut out = b"kept".to_vec();
        encode_into(&(1u64, Refuses), &mut out).expect_err("refused");
        assert_eq!(out, b"kept");
    }
}
