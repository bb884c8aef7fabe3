//! A key as partitioners and reducers see it: encoded bytes that are decoded only when asked for.
//!
//! It does not own the bytes and does not check them before they are decoded.

use std::fmt;
use std::marker::PhantomData;

use bstr::BStr;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{decode, hash};
use crate::result::Result;

/// An encoded key of type `K`, borrowed from where it lies.
pub struct KeyRef<'a, K: ?Sized> {
    bytes: &'a [u8],
    hash: Option<u64>,
    key: PhantomData<fn() -> K>,
}

impl<'a, K: ?Sized> KeyRef<'a, K> {
    /// A view of encoded bytes.
    #[inline]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, hash: None, key: PhantomData }
    }

    /// A view of encoded bytes whose hash is known already.
    #[inline]
    pub(crate) fn with_hash(bytes: &'a [u8], hash: u64) -> Self {
        Self { bytes, hash: Some(hash), key: PhantomData }
    }

    /// The encoded key: for a string or byte string its bytes, for other types the order-preserving encoding.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The hash the default partitioner goes by: XXH3-64 of [`KeyRef::bytes`] with seed 0.
    #[inline]
    pub fn hash(&self) -> u64 {
        self.hash.unwrap_or_else(|| hash(self.bytes))
    }

    /// Decodes the key as `T`: `K` itself or its borrowed form, as `&str` for `String` or `(&str, u32)` for
    /// `(String, u32)`.
    ///
    /// # Errors
    /// When the bytes are not an encoded `T`, or when `T` borrows a string that holds a zero byte inside a compound
    /// key: that one does not lie in the encoding as it is, and only a type that owns its string can take it.
    #[inline]
    pub fn decode<T: Deserialize<'a>>(&self) -> Result<T> {
        Ok(decode(self.bytes)?)
    }

    /// Decodes the key as an owned `K`.
    ///
    /// # Errors
    /// When the bytes are not an encoded `K`.
    #[inline]
    pub fn get(&self) -> Result<K>
    where
        K: DeserializeOwned,
    {
        self.decode()
    }
}

impl<K: ?Sized> Clone for KeyRef<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K: ?Sized> Copy for KeyRef<'_, K> {}

impl<K: ?Sized> fmt::Debug for KeyRef<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRef").field(&BStr::new(self.bytes)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::encode_to_vec;

    #[test]
    fn a_view_lends_what_the_encoding_holds() {
        let encoded = encode_to_vec(&("und", 7u32)).expect("a tuple can be encoded");
        let key = KeyRef::<(String, u32)>::new(&encoded);
        let (word, count): (&str, u32) = key.decode().expect("it is one");
        assert!(encoded.as_ptr_range().contains(&word.as_ptr()));
        assert_eq!((word, count), ("und", 7));
        assert_eq!(key.get().expect("it is one"), ("und".to_owned(), 7));
    }

    #[test]
    fn a_known_hash_is_not_computed_again() {
        assert_eq!(KeyRef::<str>::with_hash(b"word", 5).hash(), 5);
        assert_eq!(KeyRef::<str>::new(b"word").hash(), hash(b"word"));
    }

    #[test]
    fn a_view_is_printable_whatever_its_key() {
        struct Opaque;
        let key = KeyRef::<Opaque>::new(b"a\x00");
        assert_eq!(format!("{:?}", key.clone()), r#"KeyRef("a\0")"#);
    }
}
