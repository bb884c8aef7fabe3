//! What a map attempt emits, as one number: two attempts at a task should come to the same.
//!
//! It keeps no pair.

use std::collections::HashMap;

use gristmill_ipc::codec;
use serde::Serialize;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::counters::Counters;
use crate::key;
use crate::result::Result;

/// Which order of pairs shows in a job's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Matters {
    /// None: the values of a key are combined in any order.
    Pairs,
    /// That of the values of each key.
    OrderInKey,
    /// That of all pairs: they are the output.
    Order,
}

/// A digest of pairs.
#[derive(Debug)]
pub(crate) struct Digest {
    matters: Matters,
    /// Values so far of each key, by the key's hash, where their order matters.
    values: HashMap<u64, u64>,
    pairs: u64,
    sum: u64,
}

impl Digest {
    pub(crate) fn new(matters: Matters) -> Self {
        Self { matters, values: HashMap::new(), pairs: 0, sum: 0 }
    }

    /// Takes a pair.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub(crate) fn put<Q, W>(&mut self, key: &Q, value: &W) -> Result
    where
        Q: Serialize + ?Sized,
        W: Serialize + ?Sized,
    {
        let key = key::encode_to_vec(key)?;
        let place = match self.matters {
            Matters::Pairs => 0,
            Matters::Order => self.pairs,
            Matters::OrderInKey => {
                let values = self.values.entry(xxh3_64(&key)).or_insert(0);
                *values += 1;
                *values
            }
        };
        let mut hasher = Xxh3::with_seed(place);
        hasher.update(&(key.len() as u64).to_le_bytes());
        hasher.update(&key);
        hasher.update(&codec::encode(value)?);
        self.sum = self.sum.wrapping_add(hasher.digest());
        self.pairs += 1;
        Ok(())
    }

    /// The digest of all pairs, and of what was counted meanwhile.
    pub(crate) fn finish(self, mut counters: Counters) -> Result<u64> {
        counters.sort();
        Ok(xxh3_64(&codec::encode(&(self.pairs, self.sum, counters))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(matters: Matters, pairs: &[(&str, u32)]) -> u64 {
        let mut digest = Digest::new(matters);
        pairs.iter().for_each(|(key, value)| digest.put(key, value).expect("a pair"));
        digest.finish(Counters::default()).expect("a number")
    }

    #[test]
    fn only_the_order_that_matters_shows() {
        let one = [("a", 1), ("b", 2), ("a", 3)];
        let keys_turned = [("b", 2), ("a", 1), ("a", 3)];
        let values_turned = [("a", 3), ("b", 2), ("a", 1)];
        let same = |matters, other: &[_]| digest(matters, &one) == digest(matters, other);
        assert!(same(Matters::Pairs, &keys_turned) && same(Matters::Pairs, &values_turned));
        assert!(same(Matters::OrderInKey, &keys_turned) && !same(Matters::OrderInKey, &values_turned));
        assert!(!same(Matters::Order, &keys_turned) && same(Matters::Order, &one));
        for matters in [Matters::Pairs, Matters::OrderInKey, Matters::Order] {
            assert!(!same(matters, &[("a", 1), ("b", 2), ("a", 4)]));
            assert!(!same(matters, &[("a", 1), ("b", 2)]));
        }
    }

    #[test]
    fn counters_show_too() {
        let mut counters = Counters::default();
        counters.add("lines", 1);
        let other = Digest::new(Matters::Pairs).finish(counters).expect("a number");
        assert_ne!(other, digest(Matters::Pairs, &[]));
    }
}
