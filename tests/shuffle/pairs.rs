//! Lines of a key, a space and a number, taken apart for mappers.
//!
//! Keys may hold any bytes but spaces and line ends.

use gristmill::Result;
use gristmill::bstr::{BStr, ByteSlice};

/// The key and the number of a line.
pub(crate) fn split(line: &[u8]) -> Result<(&[u8], i64)> {
    let (key, number) = line.split_once_str(" ").ok_or("a line holds a space")?;
    Ok((key, str::from_utf8(number)?.parse()?))
}

/// As [`split`], for keys that are text.
pub(crate) fn split_text(line: &[u8]) -> Result<(&str, i64)> {
    let (key, number) = split(line)?;
    Ok((str::from_utf8(key).map_err(|_| format!("{} is no text", BStr::new(key)))?, number))
}

/// A number as text of at least `width` bytes, which tell it from its neighbours at both ends.
pub(crate) fn spell(number: i64, width: usize) -> String {
    let digits = number.to_string();
    let dots = width.saturating_sub(2 * digits.len());
    if width == 0 { digits } else { format!("{digits}{}{digits}", ".".repeat(dots)) }
}
