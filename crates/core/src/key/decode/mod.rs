//! Encoded bytes back into a key, read as its type says.
//!
//! Whatever the bytes are, reading them ends with a key or an error: it allocates in proportion to the input and never
//! recurses further than a key may nest. Only the one encoding that a key has is taken, but for the order of the
//! elements of a set, which serde does not tell from a sequence.

mod access;
mod element;
mod reader;

use std::any::type_name;

use serde::Deserialize;

use super::KeyError;
use element::Element;
use reader::Reader;

/// Reads a key of type `T` that takes up all of `encoded`.
///
/// A string that is the whole key can be borrowed, and so can one inside a compound key unless it holds a zero byte.
///
/// # Errors
/// When the bytes are not an encoded `T`, or `T` can only be read from data that describes itself.
#[inline]
pub(crate) fn decode<'de, T: Deserialize<'de>>(encoded: &'de [u8]) -> Result<T, KeyError> {
    read_whole(encoded).map_err(|error| error.of_type(type_name::<T>()))
}

#[inline]
fn read_whole<'de, T: Deserialize<'de>>(encoded: &'de [u8]) -> Result<T, KeyError> {
    let mut reader = Reader::new(encoded);
    let key = T::deserialize(Element::whole(&mut reader))?;
    reader.finish()?;
    Ok(key)
}

#[cfg(test)]
mod tests;
