//! Makes inputs for tests: the same seed gives the same bytes, on every machine and in every release.
//!
//! The numbers are good enough to vary test data and for nothing else.

/// Sebastiano Vigna's public-domain `splitmix64`, after Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators" (OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// The sequence that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0. The bias is below `bound / 2^64`.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below 0");
        let product = u128::from(self.next_u64()) * u128::from(bound);
        u64::try_from(product >> 64).expect("the upper half of 128 bits fits in 64")
    }
}

/// Words whose frequency falls with their rank, as in a natural text: the word of rank r comes about 1/r as often as
/// the first (Zipf's law).
#[derive(Debug, Clone)]
pub struct ZipfText {
    random: SplitMix64,
    /// The sums of 2^32/r up to each rank: whole numbers, so no rounding differs between machines.
    sums: Vec<u64>,
}

impl ZipfText {
    /// A text over `vocabulary` different words, at least one.
    pub fn new(seed: u64, vocabulary: u64) -> Self {
        assert!(vocabulary > 0, "a text needs a vocabulary");
        let shares = (1..=vocabulary).map(|rank| ((1 << 32) / rank).max(1));
        let sums = shares.scan(0, |sum, share| {
            *sum += share;
            Some(*sum)
        });
        Self { random: SplitMix64::new(seed), sums: sums.collect() }
    }

    /// The next word: lower-case letters.
    pub fn word(&mut self) -> String {
        let total = *self.sums.last().expect("the vocabulary is not empty");
        let at = self.random.below(total);
        spell(self.sums.partition_point(|&sum| sum <= at))
    }

    /// The next `count` lines of 1 to 16 words, each ended by a newline. Some words are capitalised, some followed by
    /// a comma or a full stop, so that tokenisers have something to do.
    pub fn lines(&mut self, count: usize) -> String {
        let mut text = String::new();
        for _ in 0..count {
            self.push_line(&mut text);
        }
        text
    }

    fn push_line(&mut self, text: &mut String) {
        for position in 0..=self.random.below(16) {
            if position > 0 {
                text.push(' ');
            }
            let word = self.word();
            let style = self.random.below(16);
            text.push_str(&if style == 0 { word.to_ascii_uppercase() } else { word });
            text.push_str(match style {
                1 => ",",
                2 => ".",
                _ => "",
            });
        }
        text.push('\n');
    }
}

/// `count` lines of 0 to `longest` random bytes without newlines, each ended by one. Most are not UTF-8.
pub fn random_lines(seed: u64, count: usize, longest: u64) -> Vec<u8> {
    let mut random = SplitMix64::new(seed);
    let mut text = Vec::new();
    for _ in 0..count {
        for _ in 0..random.below(longest + 1) {
            let byte = random.next_u64().to_le_bytes()[0];
            text.push(if byte == b'\n' { b' ' } else { byte });
        }
        text.push(b'\n');
    }
    text
}

/// The word that stands for a rank: its number in the bijective base 26, so that frequent words are short.
fn spell(rank: usize) -> String {
    let mut left = rank + 1;
    let mut letters = Vec::new();
    while left > 0 {
        let digit = u8::try_from((left - 1) % 26).expect("a remainder below 26 fits in a byte");
        letters.push(char::from(b'a' + digit));
        left = (left - 1) / 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn splitmix_follows_the_published_sequence() {
        let mut random = SplitMix64::new(1_234_567);
        let want = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(want.map(|_| random.next_u64()), want);
    }

    #[test]
    fn ranks_are_spelt_differently() {
        let words = [0, 25, 26, 27, 701, 702].map(spell);
        assert_eq!(words, ["a", "z", "aa", "ab", "zz", "aaa"]);
    }

    #[test]
    fn word_frequencies_fall_with_the_rank() {
        let mut text = ZipfText::new(7, 1_000);
        let mut counts = BTreeMap::<String, u32>::new();
        for _ in 0..100_000 {
            *counts.entry(text.word()).or_default() += 1;
        }
        // The harmonic sum of 1,000 ranks is 7.49: the first word has 13 % of the text, the tenth a tenth of that.
        assert!((12_500..14_200).contains(&counts["a"]), "{}", counts["a"]);
        assert!((1_150..1_530).contains(&counts["j"]), "{}", counts["j"]);
        assert!(counts.len() > 990, "nearly every word comes up: {}", counts.len());
    }

    #[test]
    fn the_same_seed_gives_the_same_text() {
        assert_eq!(ZipfText::new(1, 50).lines(20), ZipfText::new(1, 50).lines(20));
        assert_ne!(ZipfText::new(1, 50).lines(20), ZipfText::new(2, 50).lines(20));
        assert_eq!(random_lines(1, 20, 40), random_lines(1, 20, 40));
    }

    #[test]
    fn there_are_as_many_lines_as_asked_for() {
        assert_eq!(ZipfText::new(3, 50).lines(123).lines().count(), 123);
        let newlines = random_lines(3, 123, 40).iter().filter(|&&byte| byte == b'\n').count();
        assert_eq!(newlines, 123);
    }
}
