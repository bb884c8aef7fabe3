//! One value inside a compound key, appended to it.
//!
//! The parts of a value that is compound itself are written by [`super::parts`].

use memchr::memchr;
use serde::ser::{Serialize, Serializer};

use super::parts::{Elements, Entries, Fields};
use super::{Code, KeyError};
use crate::key::error::Kind;
use crate::key::form::{ABSENT, LONG_VARIANT, MAX_DEPTH, PRESENT, STRING_END, Scalar, ZERO_INSIDE};
use crate::key::image::Image;

/// Serialises one value to the end of `out` and hands the buffer back.
pub(in crate::key) struct Element<'s> {
    pub(super) out: &'s mut Code,
    depth: u8,
}

impl<'s> Element<'s> {
    /// The outermost value of a compound key.
    #[inline]
    pub(super) fn first(out: &'s mut Code) -> Self {
        Self { out, depth: 0 }
    }

    /// Appends a value at this depth.
    #[inline(always)]
    pub(super) fn write<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), KeyError> {
        value.serialize(Element { out: self.out, depth: self.depth }).map(|_| ())
    }

    /// Goes one level deeper, for the contents of this value.
    #[inline]
    fn enter(self) -> Result<Self, KeyError> {
        if self.depth == MAX_DEPTH {
            return Err(Kind::TooDeep.into());
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    /// Begins an enum variant with its index.
    #[inline]
    fn enter_variant(mut self, index: u32) -> Result<Self, KeyError> {
        self.append_variant(index);
        self.enter()
    }

    #[inline]
    fn append_variant(&mut self, index: u32) {
        match u8::try_from(index) {
            Ok(short) if short < LONG_VARIANT => self.out.put([short]),
            _ => {
                self.out.put([LONG_VARIANT]);
                self.out.put(index.to_form());
            }
        }
    }

    /// Appends a terminated string, so that what follows it cannot change its place in the order.
    #[inline(always)]
    fn append_string(&mut self, string: &[u8]) {
        match Image::new(string) {
            Some(image) if !image.has_zero() => self.out.put_image(image),
            _ => self.append_with_zeros(string),
        }
        self.out.put_zeros::<STRING_END>();
    }

    #[inline(never)]
    fn append_with_zeros(&mut self, mut string: &[u8]) {
        let out = self.out.lengthen();
        while let Some(zero) = memchr(0, string) {
            let (head, tail) = string.split_at(zero + 1);
            out.extend_from_slice(head);
            out.push(ZERO_INSIDE);
            string = tail;
        }
        out.extend_from_slice(string);
    }
}

macro_rules! scalars {
    ($($method:ident $type:ty;)*) => {$(
        #[inline(always)]
        fn $method(self, value: $type) -> Result<Self::Ok, KeyError> {
            self.out.put(value.to_form());
            Ok(self.out)
        }
    )*};
}

impl<'s> Serializer for Element<'s> {
    type Ok = &'s mut Code;
    type Error = KeyError;
    type SerializeSeq = Elements<'s>;
    type SerializeTuple = Fields<'s>;
    type SerializeTupleStruct = Fields<'s>;
    type SerializeTupleVariant = Fields<'s>;
    type SerializeMap = Entries<'s>;
    type SerializeStruct = Fields<'s>;
    type SerializeStructVariant = Fields<'s>;

    scalars! {
        serialize_u8 u8; serialize_u16 u16; serialize_u32 u32; serialize_u64 u64; serialize_u128 u128;
        serialize_i8 i8; serialize_i16 i16; serialize_i32 i32; serialize_i64 i64; serialize_i128 i128;
        serialize_f32 f32; serialize_f64 f64;
    }

    #[inline(always)]
    fn serialize_str(self, value: &str) -> Result<Self::Ok, KeyError> {
        self.serialize_bytes(value.as_bytes())
    }

    #[inline(always)]
    fn serialize_bytes(mut self, value: &[u8]) -> Result<Self::Ok, KeyError> {
        self.append_string(value);
        Ok(self.out)
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<Self::Ok, KeyError> {
        self.serialize_u8(u8::from(value))
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<Self::Ok, KeyError> {
        self.serialize_u32(u32::from(value))
    }

    #[inline]
    fn serialize_unit(self) -> Result<Self::Ok, KeyError> {
        Ok(self.out)
    }

    #[inline]
    fn serialize_unit_struct(self, _name: &'static str) -> Result<Self::Ok, KeyError> {
        Ok(self.out)
    }

    #[inline]
    fn serialize_none(self) -> Result<Self::Ok, KeyError> {
        self.out.put([ABSENT]);
        Ok(self.out)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Self::Ok, KeyError> {
        self.out.put([PRESENT]);
        value.serialize(self.enter()?)
    }

    #[inline]
    fn serialize_unit_variant(
        mut self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
    ) -> Result<Self::Ok, KeyError> {
        self.append_variant(index);
        Ok(self.out)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Self::Ok, KeyError> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        value: &T,
    ) -> Result<Self::Ok, KeyError> {
        value.serialize(self.enter_variant(index)?)
    }

    #[inline]
    fn serialize_seq(self, _len: Option<usize>) -> Result<Elements<'s>, KeyError> {
        Ok(Elements(self.enter()?))
    }

    #[inline]
    fn serialize_tuple(self, _len: usize) -> Result<Fields<'s>, KeyError> {
        Ok(Fields(self.enter()?))
    }

    #[inline]
    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Fields<'s>, KeyError> {
        Ok(Fields(self.enter()?))
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Fields<'s>, KeyError> {
        Ok(Fields(self.enter_variant(index)?))
    }

    #[inline]
    fn serialize_map(self, _len: Option<usize>) -> Result<Entries<'s>, KeyError> {
        Ok(Entries::new(self.enter()?))
    }

    #[inline(always)]
    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Fields<'s>, KeyError> {
        Ok(Fields(self.enter()?))
    }

    #[inline(always)]
    fn serialize_struct_variant(
        self,
        _name: &'static str,
        index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Fields<'s>, KeyError> {
        Ok(Fields(self.enter_variant(index)?))
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }
}
