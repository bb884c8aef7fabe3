//! One value of a key, read as the visitor's type says.
//!
//! The parts of a compound value are handed out by [`super::access`].

use std::borrow::Cow;

use serde::de::{Deserializer, Expected, Visitor};

use super::access::{Elements, Entries, Fields, Variant};
use super::reader::Reader;
use crate::key::error::Kind;
use crate::key::form::MAX_DEPTH;
use crate::key::{KeyError, as_text};

/// Deserialises the value that begins where the reader stands.
pub(super) struct Element<'r, 'de> {
    pub(super) reader: &'r mut Reader<'de>,
    /// 0 for the key itself, of which a string is not terminated.
    depth: u8,
}

impl<'r, 'de> Element<'r, 'de> {
    /// The whole key.
    #[inline]
    pub(super) fn whole(reader: &'r mut Reader<'de>) -> Self {
        Self { reader, depth: 0 }
    }

    /// A further value at the same depth.
    #[inline]
    pub(super) fn again(&mut self) -> Element<'_, 'de> {
        Element { reader: self.reader, depth: self.depth }
    }

    /// Goes one level deeper, for the contents of this value.
    #[inline]
    pub(super) fn enter(self) -> Result<Self, KeyError> {
        if self.depth == MAX_DEPTH {
            return Err(Kind::TooDeep.into());
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    #[inline(always)]
    fn string(&mut self) -> Result<Cow<'de, [u8]>, KeyError> {
        if self.depth == 0 { Ok(Cow::Borrowed(self.reader.rest())) } else { self.reader.string() }
    }

    /// Reads `count` parts.
    #[inline]
    pub(super) fn fields<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, KeyError> {
        Fields::new(self.enter()?, count).visit(visitor)
    }

    #[cold]
    fn refuse<V: Visitor<'de>>(visitor: &V) -> KeyError {
        Kind::SelfDescribing((visitor as &dyn Expected).to_string()).into()
    }
}

macro_rules! scalars {
    ($($method:ident $visit:ident;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, KeyError> {
            visitor.$visit(self.reader.scalar()?)
        }
    )*};
}

macro_rules! refuse {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, KeyError> {
            Err(Self::refuse(&visitor))
        }
    )*};
}

impl<'de> Deserializer<'de> for Element<'_, 'de> {
    type Error = KeyError;

    scalars! {
        deserialize_u8 visit_u8; deserialize_u16 visit_u16; deserialize_u32 visit_u32;
        deserialize_u64 visit_u64; deserialize_u128 visit_u128;
        deserialize_i8 visit_i8; deserialize_i16 visit_i16; deserialize_i32 visit_i32;
        deserialize_i64 visit_i64; deserialize_i128 visit_i128;
        deserialize_f32 visit_f32; deserialize_f64 visit_f64;
    }

    refuse!(deserialize_any deserialize_identifier deserialize_ignored_any);

    #[inline]
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, KeyError> {
        visitor.visit_bool(self.reader.is_present()?)
    }

    #[inline]
    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, KeyError> {
        visitor.visit_char(self.reader.char()?)
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, KeyError> {
        let offset = self.reader.offset();
        let not_text = |source| KeyError::from(Kind::Utf8 { offset, source });
        match self.string()? {
            Cow::Borrowed(bytes) => visitor.visit_borrowed_str(as_text(bytes).map_err(not_text)?),
            Cow::Owned(bytes) => {
                visitor.visit_string(String::from_utf8(bytes).map_err(|error| not_text(error.utf8_error()))?)
            }
        }
    }

    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, KeyError> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, KeyError> {
        match self.string()? {
            Cow::Borrowed(bytes) => visitor.visit_borrowed_bytes(bytes),
            Cow::Owned(bytes) => visitor.visit_byte_buf(bytes),
        }
    }

    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, KeyError> {
        self.deserialize_bytes(visitor)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, KeyError> {
        if self.reader.is_present()? { visitor.visit_some(self.enter()?) } else { visitor.visit_none() }
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, KeyError> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &str, visitor: V) -> Result<V::Value, KeyError> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &str,
        visitor: V,
    ) -> Result<V::Value, KeyError> {
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, KeyError> {
        Elements::new(self.enter()?).visit(visitor)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, KeyError> {
        self.fields(len, visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, KeyError> {
        self.fields(len, visitor)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, KeyError> {
        Entries::new(self.enter()?).visit(visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, KeyError> {
        self.fields(fields.len(), visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, KeyError> {
        visitor.visit_enum(Variant(self))
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }
}
