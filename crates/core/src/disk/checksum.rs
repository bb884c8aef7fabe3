//! The checksum of what the job's own files hold: XXH3-64, computed in the widest registers that the machine has.
//!
//! Keys are hashed elsewhere: for a few bytes at a time, what counts is that nothing is set up.

use std::fmt;
use std::hash::Hasher as _;

use twox_hash::XxHash3_64;

/// XXH3-64, with seed 0, of bytes that come piece by piece.
#[derive(Clone)]
pub(crate) struct Checksum(XxHash3_64);

impl Checksum {
    pub(crate) fn new() -> Self {
        Self(XxHash3_64::new())
    }

    #[inline]
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.write(bytes);
    }

    /// Of all bytes so far.
    pub(crate) fn digest(&self) -> u64 {
        self.0.finish()
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({:#018x})", self.digest())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    proptest! {
        #[test]
        fn pieces_do_not_matter(bytes in prop::collection::vec(any::<u8>(), 0..3000), piece in 1_usize..700) {
            let mut checksum = Checksum::new();
            bytes.chunks(piece).for_each(|piece| checksum.update(piece));
            prop_assert_eq!(checksum.digest(), xxh3_64(&bytes));
        }
    }
}
