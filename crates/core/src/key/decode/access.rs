//! The parts of compound values, handed to a visitor one at a time.
//!
//! Each part is read by [`Element`]. A visitor that stops early gets an error rather than a key read from the
//! wrong place.

use serde::de::value::U32Deserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::element::Element;
use crate::key::KeyError;

const STOPPED_EARLY: &str = "more parts than the type takes";

/// Reads a number of parts that the type fixes.
pub(super) struct Fields<'r, 'de> {
    element: Element<'r, 'de>,
    left: usize,
}

impl<'r, 'de> Fields<'r, 'de> {
    #[inline]
    pub(super) fn new(element: Element<'r, 'de>, count: usize) -> Self {
        Self { element, left: count }
    }

    #[inline]
    pub(super) fn visit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, KeyError> {
        let value = visitor.visit_seq(&mut self)?;
        match self.left {
            0 => Ok(value),
            _ => Err(self.element.reader.malformed(self.element.reader.offset(), STOPPED_EARLY)),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Fields<'_, 'de> {
    type Error = KeyError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, KeyError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(self.element.again()).map(Some)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// Reads elements, each behind a marker, up to the end marker.
pub(super) struct Elements<'r, 'de> {
    element: Element<'r, 'de>,
    ended: bool,
}

impl<'r, 'de> Elements<'r, 'de> {
    #[inline]
    pub(super) fn new(element: Element<'r, 'de>) -> Self {
        Self { element, ended: false }
    }

    #[inline]
    pub(super) fn visit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, KeyError> {
        let value = visitor.visit_seq(&mut self)?;
        self.end()?;
        Ok(value)
    }

    /// Whether another element follows; asked at most once per element and end.
    #[inline]
    fn goes_on(&mut self) -> Result<bool, KeyError> {
        if !self.ended {
            self.ended = !self.element.reader.is_present()?;
        }
        Ok(!self.ended)
    }

    /// Checks that the visitor has taken all elements.
    #[inline]
    fn end(&mut self) -> Result<(), KeyError> {
        match self.goes_on()? {
            true => Err(self.element.reader.malformed(self.element.reader.offset(), STOPPED_EARLY)),
            false => Ok(()),
        }
    }
}

impl<'de> SeqAccess<'de> for &mut Elements<'_, 'de> {
    type Error = KeyError;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, KeyError> {
        if self.goes_on()? { seed.deserialize(self.element.again()).map(Some) } else { Ok(None) }
    }
}

/// Reads the entries of a map, whose keys must ascend as they were made to when written.
pub(super) struct Entries<'r, 'de> {
    elements: Elements<'r, 'de>,
    previous: Option<&'de [u8]>,
}

impl<'r, 'de> Entries<'r, 'de> {
    #[inline]
    pub(super) fn new(element: Element<'r, 'de>) -> Self {
        Self { elements: Elements::new(element), previous: None }
    }

    #[inline]
    pub(super) fn visit<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, KeyError> {
        let value = visitor.visit_map(&mut self)?;
        self.elements.end()?;
        Ok(value)
    }
}

impl<'de> MapAccess<'de> for &mut Entries<'_, 'de> {
    type Error = KeyError;

    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, KeyError> {
        if !self.elements.goes_on()? {
            return Ok(None);
        }
        let element = &mut self.elements.element;
        let start = element.reader.offset();
        let key = seed.deserialize(element.again())?;
        let encoded = element.reader.since(start);
        match self.previous.replace(encoded) {
            Some(previous) if previous >= encoded => {
                Err(element.reader.malformed(start, "map key out of order"))
            }
            _ => Ok(Some(key)),
        }
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, KeyError> {
        seed.deserialize(self.elements.element.again())
    }
}

/// Reads the index of an enum variant, then what it holds.
pub(super) struct Variant<'r, 'de>(pub(super) Element<'r, 'de>);

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = KeyError;
    type Variant = Self;

    #[inline]
    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), KeyError> {
        let index: U32Deserializer<KeyError> = self.0.reader.variant()?.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = KeyError;

    #[inline]
    fn unit_variant(self) -> Result<(), KeyError> {
        Ok(())
    }

    #[inline]
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, KeyError> {
        seed.deserialize(self.0.enter()?)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, KeyError> {
        self.0.fields(len, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, KeyError> {
        self.0.fields(fields.len(), visitor)
    }
}
