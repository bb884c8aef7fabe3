//! A compound key in the making: in the three words of an image while it is short, in a vector from then on.
//!
//! A key that is written in pieces and read as a whole at once would wait for its bytes to reach the cache; words do not.

use crate::key::image::{AnyKey, INLINE, Image};

/// The bytes so far.
#[derive(Debug, Default)]
pub(crate) struct Code {
    /// The bytes while they are at most [`INLINE`], zeros behind them.
    short: [u64; 3],
    len: usize,
    /// All bytes, if there were more.
    long: Vec<u8>,
    is_long: bool,
}

impl Code {
    /// Begins a key.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        (self.short, self.len, self.is_long) = ([0; 3], 0, false);
    }

    /// The whole key.
    #[inline(always)]
    pub(super) fn get(&self) -> AnyKey<'_> {
        if self.is_long {
            return AnyKey::Long(&self.long);
        }
        let [a, b, c] = self.short;
        AnyKey::Short(Image([a, b, c | (self.len as u64 + 1) << 56]))
    }

    /// Appends the form of a scalar.
    #[inline(always)]
    pub(super) fn put<const N: usize>(&mut self, form: [u8; N]) {
        for bytes in form.chunks(8) {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            self.put_word(u64::from_le_bytes(word), bytes.len());
        }
    }

    /// Appends zero bytes.
    #[inline(always)]
    pub(super) fn put_zeros<const N: usize>(&mut self) {
        if self.fits(N) { self.len += N } else { self.lengthen().extend_from_slice(&[0; N]) }
    }

    /// Appends a short string.
    #[inline(always)]
    pub(super) fn put_image(&mut self, image: Image) {
        if self.len > 0 || self.is_long {
            return self.put_behind(image);
        }
        let Image([a, b, c]) = image;
        (self.short, self.len) = ([a, b, c << 8 >> 8], image.len());
    }

    /// Appends a short string to what is there. Not inlined, so that the first part of most keys is.
    #[inline(never)]
    fn put_behind(&mut self, image: Image) {
        let Image([a, b, c]) = image;
        if !self.fits(image.len()) {
            return self.lengthen().extend_from_slice(&image.bytes()[..image.len()]);
        }
        let mut left = image.len();
        for word in [a, b, c << 8 >> 8] {
            let len = left.min(8);
            self.put_word(word, len);
            left -= len;
        }
    }

    #[inline(always)]
    fn fits(&self, more: usize) -> bool {
        !self.is_long && self.len + more <= INLINE
    }

    /// Appends the lowest `len` bytes of `word`, above which are zeros.
    #[inline(always)]
    fn put_word(&mut self, word: u64, len: usize) {
        if !self.fits(len) {
            return self.lengthen().extend_from_slice(&word.to_le_bytes()[..len]);
        }
        let (at, shift) = (self.len / 8, 8 * (self.len % 8) as u32);
        self.short[at] |= word << shift;
        // Nothing of it is left over where the key is at the start of a word.
        if let Some(next) = self.short.get_mut(at + 1) {
            *next |= word.checked_shr(64 - shift).unwrap_or(0);
        }
        self.len += len;
    }

    /// All bytes so far, for keys that do not stay short.
    #[inline(never)]
    pub(super) fn lengthen(&mut self) -> &mut Vec<u8> {
        if !self.is_long {
            let Self { short, len, long, is_long } = self;
            long.clear();
            long.extend(short.iter().flat_map(|word| word.to_le_bytes()).take(*len));
            *is_long = true;
        }
        &mut self.long
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes in one of the ways in which they can be appended.
    #[derive(Debug, Clone)]
    enum Piece {
        One(u8),
        Four([u8; 4]),
        Sixteen([u8; 16]),
        Zeros,
        String(Vec<u8>),
        Long(Vec<u8>),
    }

    fn pieces() -> impl Strategy<Value = Vec<Piece>> {
        let piece = prop_oneof![
            any::<u8>().prop_map(Piece::One),
            any::<[u8; 4]>().prop_map(Piece::Four),
            any::<[u8; 16]>().prop_map(Piece::Sixteen),
            Just(Piece::Zeros),
            prop::collection::vec(any::<u8>(), 0..=INLINE).prop_map(Piece::String),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(Piece::Long),
        ];
        prop::collection::vec(piece, 0..6)
    }

    proptest! {
        #[test]
        fn pieces_stand_one_behind_the_other(keys in prop::collection::vec(pieces(), 1..4)) {
            let mut code = Code::default();
            for pieces in keys {
                let mut wanted = Vec::new();
                code.clear();
                for piece in pieces {
                    match piece {
                        Piece::One(byte) => { wanted.push(byte); code.put([byte]) }
                        Piece::Four(bytes) => { wanted.extend(bytes); code.put(bytes) }
                        Piece::Sixteen(bytes) => { wanted.extend(bytes); code.put(bytes) }
                        Piece::Zeros => { wanted.extend([0; 2]); code.put_zeros::<2>() }
                        Piece::String(bytes) => { wanted.extend(&bytes); code.put_image(Image::new(&bytes).expect("short")) }
                        Piece::Long(bytes) => { wanted.extend(&bytes); code.lengthen().extend(bytes) }
                    }
                }
                if let AnyKey::Short(image) = code.get() {
                    prop_assert_eq!(Some(image), Image::new(&wanted));
                }
                prop_assert_eq!(code.get().with_bytes(<[u8]>::to_vec), wanted);
            }
        }
    }
}
