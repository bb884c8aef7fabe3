//! Keys of up to 23 bytes as three words that are compared, hashed and moved in registers.
//!
//! It does not encode keys: an image holds the bytes of an encoded key.

use std::cmp::Ordering;

use xxhash_rust::xxh3::xxh3_64;

use super::short_hash::{self, fold};

/// The longest key that has an image, in bytes.
pub(crate) const INLINE: usize = 23;

/// The byte of the last word that holds the length.
const LEN: u64 = 0xff << 56;

/// The bytes of a short key, little-endian, zeros behind them; the last byte is the length plus one, so that no image
/// is all zeros. Two keys are equal exactly if their images are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Image(pub(crate) [u64; 3]);

/// An encoded key, in the form in which it is at hand.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AnyKey<'b> {
    Short(Image),
    /// Of any length.
    Long(&'b [u8]),
}

impl AnyKey<'_> {
    /// Calls `then` with the bytes of the key.
    #[inline(always)]
    pub(crate) fn with_bytes<R>(self, then: impl FnOnce(&[u8]) -> R) -> R {
        match self {
            Self::Short(image) => then(&image.bytes()[..image.len()]),
            Self::Long(key) => then(key),
        }
    }

    /// How two keys are ordered: as their bytes.
    pub(crate) fn compare(self, other: AnyKey<'_>) -> Ordering {
        self.with_bytes(|a| other.with_bytes(|b| a.cmp(b)))
    }
}

/// The bits that belong to a key of each length.
static MASKS: [[u64; 3]; INLINE + 1] = masks();

const fn masks() -> [[u64; 3]; INLINE + 1] {
    let mut masks = [[0; 3]; INLINE + 1];
    let mut len = 0;
    while len <= INLINE {
        let mut byte = 0;
        while byte < len {
            masks[len][byte / 8] |= 0xff << (8 * (byte % 8));
            byte += 1;
        }
        len += 1;
    }
    masks
}

#[inline(always)]
fn word(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[inline(always)]
fn half(bytes: &[u8], at: usize) -> u64 {
    bytes[at..].first_chunk().map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)))
}

impl Image {
    /// The image of `key`, unless it is too long to have one.
    ///
    /// Loads overlap, so that nothing beyond the key is read and no byte is looked at alone.
    #[inline(always)]
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        let len = key.len();
        let tag = (len as u64 + 1) << 56;
        Some(Self(match len {
            0 => [0, 0, tag],
            1..4 => {
                let (first, middle, last) = (key[0], key[len / 2], key[len - 1]);
                let bits = u64::from(first)
                    | u64::from(middle) << (8 * (len / 2))
                    | u64::from(last) << (8 * (len - 1));
                [bits, 0, tag]
            }
            4..8 => [half(key, 0) | half(key, len - 4) << (8 * (len - 4)), 0, tag],
            8 => [word(key, 0), 0, tag],
            9..16 => [word(key, 0), word(key, len - 8) >> (8 * (16 - len)), tag],
            16 => [word(key, 0), word(key, 8), tag],
            17..=INLINE => [word(key, 0), word(key, 8), word(key, len - 8) >> (8 * (24 - len)) | tag],
            _ => return None,
        }))
    }

    /// The image of the first `len` bytes of `tail`. Where there are 24 bytes to read, the length decides no branch.
    #[inline(always)]
    pub(crate) fn of_tail(tail: &[u8], len: usize) -> Option<Self> {
        match tail.get(..24) {
            Some(words) if len <= INLINE => {
                Self::of_words([word(words, 0), word(words, 8), word(words, 16)], len)
            }
            _ => Self::of_end(tail, len),
        }
    }

    /// The same where fewer can be read, or the key is long.
    #[cold]
    fn of_end(tail: &[u8], len: usize) -> Option<Self> {
        Self::new(&tail[..len])
    }

    /// The image of the first `len` bytes of three words.
    #[inline(always)]
    pub(crate) fn of_words([a, b, c]: [u64; 3], len: usize) -> Option<Self> {
        let mask = MASKS.get(len)?;
        Some(Self([a & mask[0], b & mask[1], c & mask[2] | (len as u64 + 1) << 56]))
    }

    /// The bytes of the key, zeros behind them.
    #[inline(always)]
    pub(crate) fn words(self) -> [u64; 3] {
        let Self([a, b, c]) = self;
        [a, b, c & !LEN]
    }

    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        (self.0[2] >> 56) as usize - 1
    }

    /// The key's bytes at the front, something else behind them.
    #[inline(always)]
    pub(crate) fn bytes(&self) -> [u8; 24] {
        let mut bytes = [0; 24];
        for (to, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Appends the key's bytes to `out`. What is copied has a fixed length, so that it needs no call.
    #[inline(always)]
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.len();
        out.extend_from_slice(&self.bytes());
        out.truncate(end);
    }

    /// A number that orders as the first eight bytes of the key do.
    #[inline(always)]
    pub(crate) fn prefix(&self) -> u64 {
        self.0[0].swap_bytes()
    }

    /// [`super::hash()`] of the key.
    #[inline(always)]
    pub(crate) fn hash(&self) -> u64 {
        let [low, high, top] = self.0;
        match self.len() {
            len @ 9..=16 => {
                // The eight bytes at the end. The shift is 8 to 64, which is done in two steps.
                let shift = 8 * (len as u32 - 8);
                let last = low >> 8 >> (shift - 8) | high << (64 - shift);
                short_hash::of_9_to_16(low, last, len as u64)
            }
            len @ 4..=8 => {
                let last = (low >> (8 * (len - 4))) as u32;
                short_hash::of_4_to_8(low as u32, last, len as u64)
            }
            len @ 17.. => {
                let shift = 8 * (len as u32 - 16);
                // The sixteen bytes at the end; the shift is 8 to 56.
                let first = low >> shift | high << (64 - shift);
                let second = high >> shift | (top & !LEN) << (64 - shift);
                short_hash::of_17_to_23([low, high], [first, second], len as u64)
            }
            len => xxh3_64(&self.bytes()[..len]),
        }
    }

    /// Whether `found` sets the highest bit of a byte of the key, given the words. What it finds in what stands behind
    /// the key does not count; that must not change what it finds before, as carries to higher bytes do not.
    #[inline(always)]
    pub(crate) fn has_byte(&self, found: impl Fn(u64) -> u64) -> bool {
        let Self(words) = *self;
        let masks = MASKS.get(self.len()).unwrap_or(&[0; 3]);
        let all = words.into_iter().zip(masks).fold(0, |all, (word, mask)| all | found(word) & mask);
        all & u64::from_ne_bytes([0x80; 8]) != 0
    }

    /// Whether all bytes of the key are ASCII. The length, which stands beside them, is below 128 as well.
    #[inline(always)]
    pub(crate) fn is_ascii(&self) -> bool {
        let Self([a, b, c]) = self;
        (a | b | c) & u64::from_ne_bytes([0x80; 8]) == 0
    }

    /// Whether a byte of the key is zero.
    #[inline(always)]
    pub(crate) fn has_zero(self) -> bool {
        // Behind the key there are zeros, up to the byte that is its length plus one.
        first_zero(self.0) < self.len()
    }

    /// A hash that has nothing to do with [`super::hash()`], for tables: keys of one partition share the upper bits of that
    /// one. One multiplication of 64 by 64 bits, folded, as in wyhash.
    #[inline(always)]
    pub(crate) fn table_hash(&self, seed: u64) -> u64 {
        let [low, high, last] = self.0;
        fold(low ^ 0x9e37_79b9_7f4a_7c15 ^ last.rotate_left(29), high ^ 0xd1b5_4a32_d192_ed03 ^ last ^ seed)
    }
}

/// Where the first zero byte of three words is; 24 if there is none.
#[inline(always)]
pub(crate) fn first_zero([a, b, c]: [u64; 3]) -> usize {
    let first = match (zero_bytes(a), zero_bytes(b), zero_bytes(c)) {
        (0, 0, zeros) => 16 + zeros.trailing_zeros() / 8,
        (0, zeros, _) => 8 + zeros.trailing_zeros() / 8,
        (zeros, ..) => zeros.trailing_zeros() / 8,
    };
    first as usize
}

/// The highest bit of every zero byte of a word, and of others only above one (Mycroft's test).
#[inline(always)]
pub(crate) fn zero_bytes(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    word.wrapping_sub(ONES) & !word & ONES << 7
}

/// The first eight bytes of a key as a number that orders as they do.
#[inline(always)]
pub(crate) fn prefix(key: &[u8]) -> u64 {
    match key.first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => key
            .iter()
            .fold(0, |prefix, &byte| prefix << 8 | u64::from(byte))
            .checked_shl(8 * (8 - key.len() as u32))
            .unwrap_or(0),
    }
}

/// [`prefix`] of the first `len` of `bytes`: without a loop, where there are eight.
#[inline(always)]
pub(crate) fn prefix_in(bytes: &[u8], len: usize) -> u64 {
    match bytes.first_chunk() {
        Some(first) if len >= size_of::<u64>() => u64::from_be_bytes(*first),
        Some(first) => u64::from_be_bytes(*first) & !(u64::MAX >> (8 * len)),
        None => prefix(&bytes[..len]),
    }
}

/// What [`Image::table_hash`] is for a key without an image.
#[inline]
pub(crate) fn long_table_hash(key: &[u8], seed: u64) -> u64 {
    // The upper bits of the hash as it is are those by which keys come into one partition.
    fold(xxh3_64(key) ^ 0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03 ^ seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_image_holds_its_key(key in prop::collection::vec(prop_oneof![8 => any::<u8>(), 1 => Just(0)], 0..=INLINE), behind in prop::collection::vec(any::<u8>(), 0..40)) {
            let image = Image::new(&key).expect("it is short enough");
            prop_assert_eq!(image.len(), key.len());
            prop_assert_eq!(&image.bytes()[..key.len()], &key[..]);
            prop_assert!(image.bytes()[key.len()..23].iter().all(|&byte| byte == 0));
            prop_assert_eq!(image.hash(), xxh3_64(&key));
            prop_assert_eq!(image.has_zero(), key.contains(&0));
            let tail = [&key[..], &behind].concat();
            prop_assert_eq!(Image::of_tail(&tail, key.len()), Some(image));
        }

        #[test]
        fn prefixes_order_as_keys_do(a in prop::collection::vec(0_u8..3, 0..12), b in prop::collection::vec(0_u8..3, 0..12)) {
            let prefix = |key: &[u8]| Image::new(key).expect("short").prefix();
            prop_assert!(a > b || prefix(&a) <= prefix(&b));
            prop_assert_eq!(super::prefix(&a), prefix(&a));
            prop_assert_eq!(prefix_in(&a, a.len()), prefix(&a));
            prop_assert_eq!(prefix_in(&[&a[..], &b, &[7; 8]].concat(), a.len()), prefix(&a));
        }
    }

    #[test]
    fn a_long_key_has_no_image() {
        assert_eq!(Image::new(&[b'k'; INLINE + 1]), None);
        assert_eq!(Image::of_tail(&[b'k'; 100], INLINE + 1), None);
    }
}
