//! Generated pairs: the same keys as words and as numbers, in the order in which a mapper would come upon them.
//!
//! It measures nothing.

use std::collections::HashSet;

use gristmill::SpillCompression;
use gristmill::bench::{ReduceSide, Terms};
use gristmill::{Result, Sum};
use gristmill_testkit::text::SplitMix64;

/// How much data there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// Different keys where there are many.
    pub(crate) keys: usize,
    /// Pairs that make a bucket of about a MiB.
    pub(crate) bucket: usize,
}

impl Scale {
    pub(crate) const FULL: Self = Self { keys: 1_000_000, bucket: 64 << 10 };
    /// For `cargo test`, which only wants to see every part work.
    pub(crate) const QUICK: Self = Self { keys: 20_000, bucket: 4 << 10 };
}

/// What a worker of a job with some MiB of input is given.
pub(crate) const TERMS: Terms =
    Terms { partitions: 1, buckets: 16, memory: 256 << 20, compression: SpillCompression::None };

/// Pairs without their values, which are all 1.
#[derive(Debug)]
pub(crate) struct Pairs {
    pub(crate) name: &'static str,
    text: Vec<u8>,
    /// Where each word begins, and its length.
    words: Vec<(u32, u8)>,
    pub(crate) numbers: Vec<u64>,
    /// Different keys among them.
    pub(crate) distinct: usize,
}

impl Pairs {
    /// A thousand keys that come again and again.
    pub(crate) fn few(scale: Scale) -> Self {
        let mut random = SplitMix64::new(1);
        Self::new("few keys", (0..scale.keys).map(|_| random.below(1000)))
    }

    /// Many keys, each twice on average.
    pub(crate) fn many(scale: Scale) -> Self {
        let (mut random, keys) = (SplitMix64::new(2), scale.keys);
        Self::new("many keys", (0..2 * keys).map(|_| random.below(keys as u64)))
    }

    /// No key comes twice.
    pub(crate) fn distinct(count: usize) -> Self {
        Self::new("all distinct", 0..count as u64)
    }

    pub(crate) fn spreads(scale: Scale) -> [Self; 3] {
        [Self::few(scale), Self::many(scale), Self::distinct(scale.keys)]
    }

    fn new(name: &'static str, keys: impl Iterator<Item = u64>) -> Self {
        let (mut text, mut words, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for key in keys {
            let number = SplitMix64::new(key).next_u64();
            // Words of eight to twelve bytes. No two keys have the same: the factor is odd, and no digit is an x.
            let spread = (key as u32).wrapping_mul(0x9e37_79b1);
            let word = format!("{spread:08x}{}", &"xxxx"[..(number % 5) as usize]);
            words.push((text.len() as u32, word.len() as u8));
            numbers.push(number);
            text.extend_from_slice(word.as_bytes());
            text.push(b' ');
        }
        // Words are given with what stands behind them, as a block of text would.
        text.resize(text.len() + 64, b' ');
        let mut pairs = Self { name, text, words, numbers, distinct: 0 };
        pairs.distinct = pairs.strs().collect::<HashSet<_>>().len();
        pairs
    }

    pub(crate) fn len(&self) -> usize {
        self.words.len()
    }

    /// The text from each word on, and the word's length.
    pub(crate) fn words(&self) -> impl Iterator<Item = (&[u8], usize)> {
        self.words.iter().map(|&(at, len)| (&self.text[at as usize..], usize::from(len)))
    }

    pub(crate) fn strs(&self) -> impl Iterator<Item = &str> {
        let text = std::str::from_utf8(&self.text).unwrap_or_default();
        self.words.iter().map(move |&(at, len)| &text[at as usize..][..usize::from(len)])
    }

    /// The keys as their own encodings.
    pub(crate) fn encoded(&self) -> Vec<Vec<u8>> {
        self.strs().map(|word| word.as_bytes().to_vec()).collect()
    }

    /// An error unless the fold of the committed pairs has every key once and every pair.
    pub(crate) fn check(&self, what: &str, side: &ReduceSide) -> Result {
        self.compare(what, fold(side)?)
    }

    /// An error unless these are the numbers of keys and pairs.
    pub(crate) fn compare(&self, what: &str, found: (usize, u64)) -> Result {
        let want = (self.distinct, self.len() as u64);
        if found == want {
            return Ok(());
        }
        Err(format!("{what}, {}: {found:?} keys and pairs came out, not {want:?}", self.name).into())
    }
}

/// Keys and the sum of all values.
pub(crate) fn fold(side: &ReduceSide) -> Result<(usize, u64)> {
    let (mut keys, mut sum) = (0, 0);
    side.fold(&Sum, |_, value: u64| {
        keys += 1;
        sum += value;
        Ok(())
    })?;
    Ok((keys, sum))
}
