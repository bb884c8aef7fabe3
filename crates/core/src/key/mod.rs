//! Keys as bytes: one canonical, order-preserving encoding, and the hash that spreads keys over partitions.
//!
//! Grouping, sorting and partitioning work on the encoded bytes alone; nothing here knows of runs, tasks or values.
//!
//! # The encoding
//!
//! Two keys are equal exactly when their encodings are equal, and the encodings compare, byte by byte, as the keys
//! do under their derived [`Ord`]. The bytes are the same on every machine. The encoding carries no types: it is
//! read back with the key type it was written with.
//!
//! | key | bytes |
//! |---|---|
//! | a string or byte string that is the whole key | its bytes as they are |
//! | a string or byte string inside another key | its bytes, each `00` as `00 FF`, then `00 00` |
//! | `bool` | `00` or `01` |
//! | `u8` … `u128` | big endian; `usize` as `u64` |
//! | `i8` … `i128` | big endian, the sign bit flipped; `isize` as `i64` |
//! | `char` | its scalar value as a `u32` |
//! | `f32`, `f64` | the bits in the order of `total_cmp`: all flipped when negative, else the sign bit |
//! | `()`, unit struct | nothing |
//! | newtype struct | what it holds |
//! | tuple, struct, array | its elements one after the other |
//! | `Option` | `00`, or `01` and the value |
//! | enum variant | its index, then what it holds; the index is one byte, from 255 on `FF` and a `u32` |
//! | `Vec`, slice, set | `01` before each element, `00` at the end |
//! | `BTreeMap` | `01` before each entry, key then value, `00` at the end |
//!
//! As an example, the key `("no", 7u16, Some(-1i8))`:
//!
//! ```text
//! 6e 6f 00 00 │ 00 07 │ 01 7f
//! "no"        │ 7     │ Some, -1
//! ```
//!
//! # What to know about key types
//!
//! - `Vec<u8>` and `&[u8]` are sequences of integers to serde: correct, but twice as long. Byte strings are
//!   `bstr::BStr`, `bstr::BString` and the types of `serde_bytes`.
//! - `[T; N]` is a tuple to serde and `[T]` a sequence: one cannot stand in for the other.
//! - A map whose entries do not come in ascending order is refused, so a `HashMap` is. A `HashSet` cannot be told
//!   from a `Vec`: it is taken as it comes, and equal sets may then have different encodings. Use the `BTree` types.
//! - An enum is ordered by the position of its variants. Derived `Ord` goes by discriminant, so explicit
//!   discriminants must ascend. A variant must not be marked `#[serde(skip)]`, as serde then numbers the variants
//!   differently when writing and when reading.
//! - A field with `#[serde(skip)]` takes no part in grouping. One left out for its value (`skip_serializing_if`) is
//!   refused where serde tells of it, which it does for named fields.
//! - `-0.0` and `0.0` are two keys, as is each bit pattern of NaN.
//! - The order is that of the serialised form where a type's own `Ord` differs: `std::cmp::Reverse` does not
//!   reverse, paths compare as strings.
//! - Types that ask the data what it is can be written but not read, and reading refuses them: enums that are
//!   untagged or whose tag is a field, `flatten`, `serde_json::Value`.
//! - A key nests at most 128 levels deep.

mod decode;
mod encode;
mod error;
mod form;
mod hash;
mod image;
#[cfg(test)]
mod order;
mod short_hash;
mod utf8;
#[cfg(test)]
mod vectors;
mod view;

pub(crate) use decode::{Part, Parts, decode, decode_into};
pub(crate) use encode::{Code, encode, encode_to_vec};
pub use error::KeyError;
pub(crate) use hash::{hash, partition_of, within_bucket};
pub(crate) use image::{AnyKey, INLINE, Image, first_zero, long_table_hash, prefix, prefix_in, zero_bytes};
pub(crate) use utf8::{as_text, as_text_within};
pub use view::KeyRef;
