//! The end of a compound key: when its last part is written, the consumer gets it.
//!
//! The parts themselves are written by [`super::parts`].

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::KeyError;
use super::parts::{Elements, Entries, Fields};
use crate::key::AnyKey;

/// A compound key of which parts are still to come; `C` writes them.
pub(super) struct Compound<C, F> {
    pub(super) parts: C,
    pub(super) consumer: F,
}

macro_rules! compound {
    ($($trait:ident for $parts:ident: $method:ident;)*) => {$(
        impl<'s, F: FnOnce(AnyKey<'_>) -> R, R> $trait for Compound<$parts<'s>, F> {
            type Ok = R;
            type Error = KeyError;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), KeyError> {
                $trait::$method(&mut self.parts, value)
            }

            #[inline]
            fn end(self) -> Result<R, KeyError> {
                Ok((self.consumer)($trait::end(self.parts)?.get()))
            }
        }
    )*};
}

macro_rules! compound_struct {
    ($($trait:ident)*) => {$(
        impl<'s, F: FnOnce(AnyKey<'_>) -> R, R> $trait for Compound<Fields<'s>, F> {
            type Ok = R;
            type Error = KeyError;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), KeyError> {
                $trait::serialize_field(&mut self.parts, name, value)
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), KeyError> {
                $trait::skip_field(&mut self.parts, name)
            }

            #[inline]
            fn end(self) -> Result<R, KeyError> {
                Ok((self.consumer)($trait::end(self.parts)?.get()))
            }
        }
    )*};
}

compound! {
    SerializeSeq for Elements: serialize_element;
    SerializeTuple for Fields: serialize_element;
    SerializeTupleStruct for Fields: serialize_field;
    SerializeTupleVariant for Fields: serialize_field;
}
compound_struct!(SerializeStruct SerializeStructVariant);

impl<'s, F: FnOnce(AnyKey<'_>) -> R, R> SerializeMap for Compound<Entries<'s>, F> {
    type Ok = R;
    type Error = KeyError;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), KeyError> {
        self.parts.serialize_key(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), KeyError> {
        self.parts.serialize_value(value)
    }

    #[inline]
    fn end(self) -> Result<R, KeyError> {
        Ok((self.consumer)(self.parts.end()?.get()))
    }
}
