//! Writes one serialisable value as one field of a line.
//!
//! Scalars are written here, simple arrays by [`super::array`]; anything else is given to `serde_json` whole.

use std::any::type_name;
use std::fmt::{self, Display, Write as _};
use std::io::Write as _;

use serde::ser::{self, Impossible};
use serde::{Serialize, Serializer};

use super::array::Array;
use super::escape::{escape, has_control};
use super::shared::{NotWritten, compound, integers};
use crate::result::Result;
use crate::text::push_u64;

/// Appends `value` to `out` as one field: no tab, no line end. On an error `out` is as it was.
///
/// # Errors
/// What the value's own `Serialize` says, or that JSON cannot hold it: a map with keys that are not strings.
#[inline]
pub(crate) fn write_field<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result {
    write(value, out, Escapes::Yes)
}

/// As [`write_field`], with the bytes of strings as they are.
///
/// # Errors
/// As [`write_field`].
#[inline]
pub(crate) fn write_raw<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result {
    write(value, out, Escapes::No)
}

/// Whether tabs, line ends and backslashes are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Yes,
    No,
}

#[inline(always)]
fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>, escapes: Escapes) -> Result {
    let start = out.len();
    let written = match value.serialize(Field { out, escapes }) {
        Err(NotWritten::Compound) => write_json(value, out, start),
        written => written,
    };
    written.map_err(|error| {
        out.truncate(start);
        format!("cannot write `{}` as text: {error}", type_name::<T>()).into()
    })
}

/// Writes a compound value, in place of what may have been written of it.
fn write_json<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>, start: usize) -> Result<(), NotWritten> {
    out.truncate(start);
    serde_json::to_writer(&mut *out, value).map_err(ser::Error::custom)?;
    blank_line_ends(&mut out[start..]);
    Ok(())
}

/// Makes tabs and line ends blanks. `serde_json` writes none, but a `RawValue` passes on those of its source; in JSON
/// they only ever stand between tokens.
fn blank_line_ends(json: &mut [u8]) {
    if has_control(json) {
        json.iter_mut().filter(|byte| **byte < b' ').for_each(|byte| *byte = b' ');
    }
}

/// Serialises a scalar to the end of `out`.
struct Field<'o> {
    out: &'o mut Vec<u8>,
    escapes: Escapes,
}

impl Field<'_> {
    #[inline(always)]
    fn bytes(&mut self, bytes: &[u8]) {
        match self.escapes {
            Escapes::Yes => escape(bytes, self.out),
            Escapes::No => self.out.extend_from_slice(bytes),
        }
    }

    /// Formats a value that needs no escaping.
    fn display(self, value: impl Display) -> Result<(), NotWritten> {
        write!(self.out, "{value}").map_err(ser::Error::custom)
    }
}

/// Escapes what is formatted into it.
impl fmt::Write for Field<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}

impl<'o> Serializer for Field<'o> {
    type Ok = ();
    type Error = NotWritten;

    compound!('o);

    integers!();

    fn serialize_f32(self, value: f32) -> Result<(), NotWritten> {
        self.display(value)
    }

    fn serialize_f64(self, value: f64) -> Result<(), NotWritten> {
        self.display(value)
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), NotWritten> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), NotWritten> {
        self.serialize_bytes(value.as_bytes())
    }

    #[inline]
    fn serialize_bytes(mut self, value: &[u8]) -> Result<(), NotWritten> {
        self.bytes(value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), NotWritten> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn collect_str<T: Display + ?Sized>(mut self, value: &T) -> Result<(), NotWritten> {
        write!(self, "{value}").map_err(ser::Error::custom)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), NotWritten> {
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), NotWritten> {
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), NotWritten> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_none(self) -> Result<(), NotWritten> {
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotWritten> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), NotWritten> {
        value.serialize(self)
    }
}

#[cfg(test)]
mod tests;
