//! Words, fields and numbers in blocks of bytes, at the speed of the machine's vector instructions.
//!
//! It takes blocks apart; where they come from, and what becomes of a word, is up to the caller.
//!
//! ```
//! use std::collections::HashMap;
//! use std::convert::Infallible;
//!
//! use gristmill::text::{Scratch, lower_words};
//!
//! let (mut counts, mut scratch) = (HashMap::new(), Scratch::default());
//! for block in ["The mill\n", "the miller\n"] {
//!     lower_words(block.as_bytes(), &mut scratch, |word| {
//!         *counts.entry(word.to_vec()).or_insert(0) += 1;
//!         Ok::<_, Infallible>(())
//!     })?;
//! }
//! assert_eq!(counts[&b"the"[..]], 2);
//! # Ok::<_, Infallible>(())
//! ```

mod decimal;
mod edges;
mod kernel;
mod key_values;
mod number;
mod scratch;
mod simd;
#[cfg(test)]
mod tests;
mod word;
mod word_set;
mod words;

pub use decimal::push_u64;
pub(crate) use decimal::put_u64;
pub use key_values::key_values;
pub use number::{parse_i64, parse_u64};
pub use scratch::{PADDING, Scratch};
pub use word::Word;
pub use word_set::WordSet;
pub use words::{lower_words, words};
