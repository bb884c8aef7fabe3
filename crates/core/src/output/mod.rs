//! How results are written and made visible.
//!
//! [`pairs`] turns pairs into bytes (text lines or encoded pairs), [`part`] writes and commits part files. Nothing here
//! knows where the pairs come from.

pub(crate) mod pairs;
pub(crate) mod part;
pub(crate) mod text;

pub(crate) use pairs::{ByteSink, Format, PairWriter, Place};
