//! Encoded bytes back into a key, read as its type says.
//!
//! Whatever the bytes are, reading them ends with a key or an error: it allocates in proportion to the input and never
//! recurses further than a key may nest. Only the one encoding that a key has is taken, but for the order of the
//! elements of a set, which serde does not tell from a sequence.

mod access;
mod element;
mod parts;
mod reader;
mod short;

use std::any::type_name;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::KeyError;
use element::Element;
pub(crate) use parts::{Part, Parts};
use reader::Reader;

/// Reads a key of type `T` that takes up all of `encoded`.
///
/// A string that is the whole key can be borrowed, and so can one inside a compound key unless it holds a zero byte.
///
/// # Errors
/// When the bytes are not an encoded `T`, or `T` can only be read from data that describes itself.
#[inline]
pub(crate) fn decode<'de, T: Deserialize<'de>>(encoded: &'de [u8]) -> Result<T, KeyError> {
    read_whole(encoded, |element| T::deserialize(element)).map_err(|error| error.of_type(type_name::<T>()))
}

/// As [`decode`], into `place`, where the key of before may lend its memory: strings do, and tuples of them.
///
/// # Errors
/// As [`decode`]; `place` may hold half a key then.
#[inline]
pub(crate) fn decode_into<'p, T: DeserializeOwned>(
    encoded: &[u8],
    place: &'p mut Option<T>,
) -> Result<&'p T, KeyError> {
    match place {
        Some(key) => {
            // Not in serde's documentation, but stable: an assignment, unless a type knows better.
            read_whole(encoded, |element| T::deserialize_in_place(element, key))
                .map_err(|error| error.of_type(type_name::<T>()))?;
            Ok(key)
        }
        None => Ok(place.insert(decode(encoded)?)),
    }
}

#[inline]
fn read_whole<'de, R>(
    encoded: &'de [u8],
    read: impl FnOnce(Element<'_, 'de>) -> Result<R, KeyError>,
) -> Result<R, KeyError> {
    let mut reader = Reader::new(encoded);
    let read = read(Element::whole(&mut reader))?;
    reader.finish()?;
    Ok(read)
}

#[cfg(test)]
mod tests;
