//! A bounded sample of keys.
//!
//! It does not choose what is offered to it.

use serde::Serialize;

use crate::key;
use crate::result::Result;

/// Keys, thinned out evenly when they become too many.
#[derive(Debug, Default)]
pub(crate) struct KeySample {
    keys: Vec<Vec<u8>>,
    seen: u64,
    /// Only every so-manieth key is kept, less one.
    skip: u64,
}

impl KeySample {
    const MOST: usize = 64 << 10;

    /// Takes a key.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub(crate) fn put<Q: Serialize + ?Sized>(&mut self, key: &Q) -> Result {
        if self.seen.is_multiple_of(self.skip + 1) {
            self.keys.push(key::encode_to_vec(key)?);
        }
        self.seen += 1;
        if self.keys.len() >= Self::MOST {
            let mut keep = false;
            self.keys.retain(|_| {
                keep = !keep;
                keep
            });
            self.skip = self.skip * 2 + 1;
        }
        Ok(())
    }

    pub(crate) fn into_keys(self) -> Vec<Vec<u8>> {
        self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_stays_bounded_and_even() {
        let mut sample = KeySample::default();
        for n in 0..1_000_000_u32 {
            sample.put(&n).expect("a number");
        }
        assert!((KeySample::MOST / 2..KeySample::MOST).contains(&sample.keys.len()));
        let first: Vec<_> =
            sample.keys.iter().map(|key| u32::from_be_bytes(key[..].try_into().expect("four"))).collect();
        assert!(first.windows(2).all(|pair| pair[1] - pair[0] == first[1] - first[0]), "evenly spaced");
    }
}
