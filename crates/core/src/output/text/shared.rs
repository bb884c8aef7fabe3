//! What the writers of fields and of what is inside them share.

use std::fmt::{self, Display};

use serde::ser;

/// Why a value was not written.
#[derive(Debug)]
pub(super) enum NotWritten {
    /// It is not of the kind that the writer knows.
    Compound,
    /// It failed to serialise itself.
    Failed(Box<Message>),
}

/// What a value says of its failure. Boxed, a result with it fits into two registers: written to memory in halves and read
/// as a whole at once, it would keep every value waiting.
#[derive(Debug)]
pub(super) struct Message(String);

impl Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compound => f.write_str("not a scalar"),
            Self::Failed(message) => f.write_str(&message.0),
        }
    }
}

impl std::error::Error for NotWritten {}

impl ser::Error for NotWritten {
    fn custom<T: Display>(message: T) -> Self {
        Self::Failed(Box::new(Message(message.to_string())))
    }
}

/// Serializer methods that write integers in decimal to `self.out`.
macro_rules! integers {
    () => {
        integers! {
            unsigned { serialize_u8 u8; serialize_u16 u16; serialize_u32 u32; serialize_u64 u64; }
            signed { serialize_i8 i8; serialize_i16 i16; serialize_i32 i32; serialize_i64 i64; }
            long { serialize_u128 u128; serialize_i128 i128; }
        }
    };
    (
        unsigned { $($method:ident $type:ty;)* }
        signed { $($signed_method:ident $signed:ty;)* }
        long { $($long_method:ident $long:ty;)* }
    ) => {
        $(#[inline]
        fn $method(self, value: $type) -> Result<(), NotWritten> {
            push_u64(self.out, u64::from(value));
            Ok(())
        })*
        $(#[inline]
        fn $signed_method(self, value: $signed) -> Result<(), NotWritten> {
            if value < 0 {
                self.out.push(b'-');
            }
            push_u64(self.out, u64::from(value.unsigned_abs()));
            Ok(())
        })*
        $(fn $long_method(self, value: $long) -> Result<(), NotWritten> {
            self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            Ok(())
        })*
    };
}

/// The part of a serializer that is about compound values: arrays are written as such, others not at all.
macro_rules! compound {
    ($lifetime:lifetime) => {
        type SerializeSeq = Array<$lifetime>;
        type SerializeTuple = Array<$lifetime>;
        type SerializeTupleStruct = Array<$lifetime>;
        type SerializeTupleVariant = Impossible<(), NotWritten>;
        type SerializeMap = Impossible<(), NotWritten>;
        type SerializeStruct = Impossible<(), NotWritten>;
        type SerializeStructVariant = Impossible<(), NotWritten>;

        #[inline]
        fn serialize_seq(self, _len: Option<usize>) -> Result<Array<$lifetime>, NotWritten> {
            Ok(Array::begin(self.out))
        }

        #[inline]
        fn serialize_tuple(self, _len: usize) -> Result<Array<$lifetime>, NotWritten> {
            Ok(Array::begin(self.out))
        }

        #[inline]
        fn serialize_tuple_struct(
            self,
            _name: &'static str,
            _len: usize,
        ) -> Result<Array<$lifetime>, NotWritten> {
            Ok(Array::begin(self.out))
        }

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _value: &T,
        ) -> Result<(), NotWritten> {
            Err(NotWritten::Compound)
        }

        fn serialize_tuple_variant(
            self,
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _len: usize,
        ) -> Result<Self::SerializeTupleVariant, NotWritten> {
            Err(NotWritten::Compound)
        }

        fn serialize_map(self, _len: Option<usize>) -> Result<Self::SerializeMap, NotWritten> {
            Err(NotWritten::Compound)
        }

        fn serialize_struct(
            self,
            _name: &'static str,
            _len: usize,
        ) -> Result<Self::SerializeStruct, NotWritten> {
            Err(NotWritten::Compound)
        }

        fn serialize_struct_variant(
            self,
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _len: usize,
        ) -> Result<Self::SerializeStructVariant, NotWritten> {
            Err(NotWritten::Compound)
        }
    };
}

pub(super) use {compound, integers};
