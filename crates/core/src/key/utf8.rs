//! Bytes that are most often a short ASCII word, as text.
//!
//! The one place where text is not checked by the standard library.

use std::str::Utf8Error;

use super::Image;

/// `bytes` as text, with the errors of [`str::from_utf8`]: that looks at the bytes of a short key one by one.
#[inline(always)]
pub(crate) fn as_text(bytes: &[u8]) -> Result<&str, Utf8Error> {
    text_of(bytes, Image::new(bytes))
}

/// As [`as_text`], for the first `len` bytes of `tail`.
#[inline(always)]
pub(crate) fn as_text_within(tail: &[u8], len: usize) -> Result<&str, Utf8Error> {
    text_of(&tail[..len], Image::of_tail(tail, len))
}

/// `bytes` as text, which `image` is the image of if they have one.
#[inline(always)]
#[allow(unsafe_code)]
fn text_of(bytes: &[u8], image: Option<Image>) -> Result<&str, Utf8Error> {
    match image {
        // SAFETY: the image holds all of the bytes, each of which is ASCII, and ASCII is UTF-8.
        Some(image) if image.is_ascii() => Ok(unsafe { str::from_utf8_unchecked(bytes) }),
        _ => str::from_utf8(bytes),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_what_the_standard_library_says(
            bytes in prop::collection::vec(prop_oneof![6 => 0_u8..0x80, 1 => any::<u8>()], 0..40),
            behind in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            prop_assert_eq!(as_text(&bytes), str::from_utf8(&bytes));
            let tail = [&bytes[..], &behind].concat();
            prop_assert_eq!(as_text_within(&tail, bytes.len()), str::from_utf8(&bytes));
        }

        #[test]
        fn it_takes_text_of_any_script(text in "\\PC{0,12}") {
            prop_assert_eq!(as_text(text.as_bytes()), Ok(&text[..]));
        }
    }
}
