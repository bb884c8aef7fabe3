//! What the writers of fields and of what is inside them share.

use std::fmt::{self, Display};

use serde::ser;

use crate::key::Image;

/// Why a value was not written.
#[derive(Debug)]
pub(super) enum NotWritten {
    /// It is not of the kind that the writer knows.
    Compound,
    /// It failed to serialise itself.
    Failed(String),
}

impl Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compound => f.write_str("not a scalar"),
            Self::Failed(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for NotWritten {}

impl ser::Error for NotWritten {
    fn custom<T: Display>(message: T) -> Self {
        Self::Failed(message.to_string())
    }
}

/// Appends what is usually short: without a call then.
#[inline(always)]
pub(super) fn append(bytes: &[u8], out: &mut Vec<u8>) {
    match Image::new(bytes) {
        Some(short) => short.append_to(out),
        None => out.extend_from_slice(bytes),
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

pub(super) use integers;
