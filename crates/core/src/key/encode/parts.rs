//! The parts of compound keys: fields one after the other, elements and entries each behind a marker.
//!
//! A single value is written by [`Element`]; where the finished bytes go is not known here.

use std::ops::Range;

use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};

use super::element::Element;
use super::{Code, KeyError};
use crate::key::error::Kind;
use crate::key::form::{ABSENT, PRESENT};

/// Writes a number of parts that the type fixes: tuples, structs, and variants of both.
pub(in crate::key) struct Fields<'s>(pub(super) Element<'s>);

/// Writes the elements of a sequence.
pub(in crate::key) struct Elements<'s>(pub(super) Element<'s>);

/// Writes the entries of a map, whose keys must ascend.
pub(in crate::key) struct Entries<'s> {
    element: Element<'s>,
    /// Where the encoded key of the entry before lies in the buffer.
    previous: Option<Range<usize>>,
}

impl<'s> Entries<'s> {
    #[inline]
    pub(super) fn new(element: Element<'s>) -> Self {
        Self { element, previous: None }
    }
}

macro_rules! fields {
    ($($trait:ident: $method:ident;)*) => {$(
        impl<'s> $trait for Fields<'s> {
            type Ok = &'s mut Code;
            type Error = KeyError;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), KeyError> {
                self.0.write(value)
            }

            #[inline]
            fn end(self) -> Result<Self::Ok, KeyError> {
                Ok(self.0.out)
            }
        }
    )*};
}

macro_rules! named_fields {
    ($($trait:ident)*) => {$(
        impl<'s> $trait for Fields<'s> {
            type Ok = &'s mut Code;
            type Error = KeyError;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                _name: &'static str,
                value: &T,
            ) -> Result<(), KeyError> {
                self.0.write(value)
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), KeyError> {
                Err(Kind::SkippedField(name).into())
            }

            #[inline]
            fn end(self) -> Result<Self::Ok, KeyError> {
                Ok(self.0.out)
            }
        }
    )*};
}

fields! {
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
}
named_fields!(SerializeStruct SerializeStructVariant);

impl<'s> SerializeSeq for Elements<'s> {
    type Ok = &'s mut Code;
    type Error = KeyError;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), KeyError> {
        self.0.out.put([PRESENT]);
        self.0.write(value)
    }

    #[inline]
    fn end(self) -> Result<Self::Ok, KeyError> {
        self.0.out.put([ABSENT]);
        Ok(self.0.out)
    }
}

impl<'s> SerializeMap for Entries<'s> {
    type Ok = &'s mut Code;
    type Error = KeyError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), KeyError> {
        // Keys are compared where they stand.
        let out = self.element.out.lengthen();
        out.push(PRESENT);
        let start = out.len();
        self.element.write(key)?;
        let out = self.element.out.lengthen();
        let key = start..out.len();
        match self.previous.replace(key.clone()) {
            Some(previous) if out[previous.clone()] >= out[key] => Err(Kind::UnorderedMap.into()),
            _ => Ok(()),
        }
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), KeyError> {
        self.element.write(value)
    }

    #[inline]
    fn end(self) -> Result<Self::Ok, KeyError> {
        self.element.out.put([ABSENT]);
        Ok(self.element.out)
    }
}
