//! Writes tuples and sequences of strings and integers as JSON: that is what most compound keys are.
//!
//! It knows no other values. If there is one anywhere inside, `serde_json` is to write the whole.

use serde::ser::{Impossible, SerializeSeq, SerializeTuple, SerializeTupleStruct};
use serde::{Serialize, Serializer};

use super::escape::{is_plain_json, is_plain_json_image};
use super::shared::{NotWritten, compound, integers};
use crate::key::{Image, Part, Parts};
use crate::text::push_u64;

/// Appends an encoded key of such parts as it would be written after it was decoded; false if it is to be decoded. Then
/// `out` is as it was.
#[inline(always)]
pub(crate) fn write_parts(parts: Parts, key: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(parts) = parts.read(key) else { return false };
    let start = out.len();
    let mut array = Array::begin(out);
    for part in &parts {
        let _checked_at_the_end = match part {
            Part::Text(text) => array.element(*text),
            Part::Unsigned(number) => array.element(number),
            Part::Signed(number) => array.element(number),
        };
    }
    let written = array.close().is_ok();
    if !written {
        out.truncate(start);
    }
    written
}

/// A JSON array in the making.
pub(super) struct Array<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
    /// Whether an element was not written, whatever the value's own `Serialize` made of the error.
    broken: bool,
}

impl<'o> Array<'o> {
    #[inline(always)]
    pub(super) fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'[');
        Self { out, empty: true, broken: false }
    }

    #[inline(always)]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotWritten> {
        if !std::mem::replace(&mut self.empty, false) {
            self.out.push(b',');
        }
        value.serialize(Element { out: self.out }).inspect_err(|_| self.broken = true)
    }

    #[inline(always)]
    fn close(self) -> Result<(), NotWritten> {
        if self.broken {
            return Err(NotWritten::Compound);
        }
        self.out.push(b']');
        Ok(())
    }
}

macro_rules! arrays {
    ($($trait:ident: $method:ident;)*) => {$(
        impl $trait for Array<'_> {
            type Ok = ();
            type Error = NotWritten;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotWritten> {
                self.element(value)
            }

            #[inline]
            fn end(self) -> Result<(), NotWritten> {
                self.close()
            }
        }
    )*};
}

arrays! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
}

/// One value of an array.
struct Element<'o> {
    out: &'o mut Vec<u8>,
}

impl Element<'_> {
    fn literal(self, literal: &[u8]) -> Result<(), NotWritten> {
        self.out.extend_from_slice(literal);
        Ok(())
    }
}

impl<'o> Serializer for Element<'o> {
    type Ok = ();
    type Error = NotWritten;

    compound!('o);

    integers!();

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), NotWritten> {
        let image = Image::new(value.as_bytes());
        if !image.map_or_else(|| is_plain_json(value.as_bytes()), is_plain_json_image) {
            return Err(NotWritten::Compound);
        }
        self.out.push(b'"');
        match image {
            Some(short) => short.append_to(self.out),
            None => self.out.extend_from_slice(value.as_bytes()),
        }
        self.out.push(b'"');
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), NotWritten> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_bool(self, value: bool) -> Result<(), NotWritten> {
        self.literal(if value { b"true" } else { b"false" })
    }

    fn serialize_unit(self) -> Result<(), NotWritten> {
        self.literal(b"null")
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), NotWritten> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), NotWritten> {
        self.serialize_str(variant)
    }

    fn serialize_none(self) -> Result<(), NotWritten> {
        self.serialize_unit()
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

    fn serialize_f32(self, _value: f32) -> Result<(), NotWritten> {
        Err(NotWritten::Compound)
    }

    fn serialize_f64(self, _value: f64) -> Result<(), NotWritten> {
        Err(NotWritten::Compound)
    }

    fn serialize_bytes(self, _value: &[u8]) -> Result<(), NotWritten> {
        Err(NotWritten::Compound)
    }
}

#[cfg(test)]
mod tests;
