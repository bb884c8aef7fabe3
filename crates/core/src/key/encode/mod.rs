//! The whole key: a string or scalar goes straight to its consumer, a compound key put together first.
//!
//! What stands inside a compound key is written by [`element`] and [`parts`].

mod code;
mod compound;
mod element;
mod parts;

use std::any::type_name;

use serde::ser::{Serialize, Serializer};

use super::form::{ABSENT, Scalar};
use super::{AnyKey, KeyError};
pub(crate) use code::Code;
use compound::Compound;
use element::Element;
use parts::{Elements, Entries, Fields};

/// Gives the encoding of `key` to `consumer` and returns what that makes of it.
///
/// A string, byte string or scalar is never copied to the heap: the consumer gets the key's own bytes, or an array
/// on the stack. Anything else is put together in `scratch`, whose contents are replaced.
///
/// # Errors
/// When the key holds something that has no canonical encoding; the consumer is not called then.
#[inline]
pub(crate) fn encode<Q, R>(
    key: &Q,
    scratch: &mut Code,
    consumer: impl FnOnce(AnyKey<'_>) -> R,
) -> Result<R, KeyError>
where
    Q: Serialize + ?Sized,
{
    key.serialize(Whole { scratch, consumer }).map_err(|error| error.of_type(type_name::<Q>()))
}

/// The encoding of `key` as a vector of its own.
///
/// # Errors
/// As [`encode`].
pub(crate) fn encode_to_vec<Q: Serialize + ?Sized>(key: &Q) -> Result<Vec<u8>, KeyError> {
    encode(key, &mut Code::default(), |encoded| encoded.with_bytes(<[u8]>::to_vec))
}

/// Serialises a whole key.
struct Whole<'s, F> {
    scratch: &'s mut Code,
    consumer: F,
}

impl<'s, F> Whole<'s, F> {
    /// Begins a compound key.
    #[inline]
    fn begin<C>(
        self,
        parts: impl FnOnce(Element<'s>) -> Result<C, KeyError>,
    ) -> Result<Compound<C, F>, KeyError> {
        self.scratch.clear();
        Ok(Compound { parts: parts(Element::first(self.scratch))?, consumer: self.consumer })
    }
}

impl<'s, F: FnOnce(AnyKey<'_>) -> R, R> Whole<'s, F> {
    /// Writes a compound key that comes in one piece.
    #[inline]
    fn write(self, write: impl FnOnce(Element<'s>) -> Result<&'s mut Code, KeyError>) -> Result<R, KeyError> {
        let Compound { parts, consumer } = self.begin(write)?;
        Ok(consumer(parts.get()))
    }
}

macro_rules! scalars {
    ($($method:ident $type:ty;)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<R, KeyError> {
            Ok((self.consumer)(AnyKey::Long(&value.to_form())))
        }
    )*};
}

impl<'s, F: FnOnce(AnyKey<'_>) -> R, R> Serializer for Whole<'s, F> {
    type Ok = R;
    type Error = KeyError;
    type SerializeSeq = Compound<Elements<'s>, F>;
    type SerializeTuple = Compound<Fields<'s>, F>;
    type SerializeTupleStruct = Compound<Fields<'s>, F>;
    type SerializeTupleVariant = Compound<Fields<'s>, F>;
    type SerializeMap = Compound<Entries<'s>, F>;
    type SerializeStruct = Compound<Fields<'s>, F>;
    type SerializeStructVariant = Compound<Fields<'s>, F>;

    scalars! {
        serialize_u8 u8; serialize_u16 u16; serialize_u32 u32; serialize_u64 u64; serialize_u128 u128;
        serialize_i8 i8; serialize_i16 i16; serialize_i32 i32; serialize_i64 i64; serialize_i128 i128;
        serialize_f32 f32; serialize_f64 f64;
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<R, KeyError> {
        Ok((self.consumer)(AnyKey::Long(value.as_bytes())))
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> Result<R, KeyError> {
        Ok((self.consumer)(AnyKey::Long(value)))
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<R, KeyError> {
        self.serialize_u8(u8::from(value))
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<R, KeyError> {
        self.serialize_u32(u32::from(value))
    }

    #[inline]
    fn serialize_unit(self) -> Result<R, KeyError> {
        Ok((self.consumer)(AnyKey::Long(&[])))
    }

    #[inline]
    fn serialize_unit_struct(self, _name: &'static str) -> Result<R, KeyError> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_none(self) -> Result<R, KeyError> {
        Ok((self.consumer)(AnyKey::Long(&[ABSENT])))
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<R, KeyError> {
        self.write(|element| element.serialize_some(value))
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<R, KeyError> {
        self.write(|element| element.serialize_unit_variant(name, index, variant))
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<R, KeyError> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<R, KeyError> {
        self.write(|element| element.serialize_newtype_variant(name, index, variant, value))
    }

    #[inline]
    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, KeyError> {
        self.begin(|element| element.serialize_seq(len))
    }

    #[inline]
    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple, KeyError> {
        self.begin(|element| element.serialize_tuple(len))
    }

    #[inline]
    fn serialize_tuple_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTuple, KeyError> {
        self.begin(|element| element.serialize_tuple_struct(name, len))
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeTupleVariant, KeyError> {
        self.begin(|element| element.serialize_tuple_variant(name, index, variant, len))
    }

    #[inline]
    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, KeyError> {
        self.begin(|element| element.serialize_map(len))
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, len: usize) -> Result<Self::SerializeStruct, KeyError> {
        self.begin(|element| element.serialize_struct(name, len))
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Self::SerializeStructVariant, KeyError> {
        self.begin(|element| element.serialize_struct_variant(name, index, variant, len))
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }
}
