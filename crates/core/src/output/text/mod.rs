//! How a key or a value becomes one field of a `key<TAB>value` line.
//!
//! Lines, part files and their commit are not known here.
//!
//! # What a field looks like
//!
//! | value | field |
//! |---|---|
//! | string, byte string, `char` | its bytes, with `\t`, `\n`, `\r` and `\\` for tab, newline, carriage return, backslash |
//! | integer | decimal |
//! | `f32`, `f64` | the shortest decimal that reads back as the same number; `NaN`, `inf`, `-inf` |
//! | `bool` | `true`, `false` |
//! | `()`, unit struct, `None` | nothing |
//! | `Some(x)`, newtype struct of `x` | as `x` |
//! | enum variant without contents | its name |
//! | anything else: struct, tuple, sequence, map, variant with contents | JSON on one line |
//!
//! The escapes are undone by [`unescape`]. JSON has no raw tab or line end, so it is not escaped again and must not
//! be unescaped. A carriage return is escaped because a reader of lines takes one before a newline for part of the
//! line end. `Some("")` and `None` look the same. Inside JSON, a byte string is an array of numbers, and NaN and the
//! infinities are `null`.

mod array;
mod escape;
mod field;
mod line;
mod shared;

pub(crate) use array::write_parts;
pub(crate) use escape::is_plain_image;
pub use escape::unescape;
pub(crate) use field::{write_field, write_raw};
pub(crate) use line::{Line, write_short};
