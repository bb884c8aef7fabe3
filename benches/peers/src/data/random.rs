//! Random numbers, and words that are as unevenly frequent as those of a natural text; the same on every machine.
//!
//! Whole numbers only, so that no rounding differs. Good enough for benchmark data and for nothing else.

use std::collections::HashSet;

/// Sebastiano Vigna's public-domain `splitmix64`, after Steele, Lea and Flood (OOPSLA 2014).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The sequence that belongs to `part` of the data that `seed` stands for.
    pub(super) fn new(seed: u64, part: u64) -> Self {
        Self(mix(seed ^ mix(part)))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `bound`, which is not 0. The bias is below `bound / 2^64`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}

/// Spreads the bits of a number over all 64; no two numbers give the same.
pub(super) fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// Draws ranks so that rank r comes 1/r as often as rank 1 (Zipf's law), by Walker's alias method after Vose.
#[derive(Debug)]
struct Zipf {
    /// A column's own rank comes when a number below `total` is below the first of the pair, else the other rank.
    columns: Vec<(u64, u32)>,
    total: u64,
}

impl Zipf {
    fn new(ranks: u32) -> Self {
        let weights = || (1..=u64::from(ranks)).map(|rank| (1_u64 << 40) / rank);
        let total = weights().sum();
        let mut columns: Vec<(u64, u32)> =
            (0..ranks).zip(weights()).map(|(own, weight)| (weight * u64::from(ranks), own)).collect();
        let (mut low, mut high): (Vec<u32>, Vec<u32>) =
            (0..ranks).partition(|&rank| columns[rank as usize].0 < total);
        while let (Some(&short), Some(&long)) = (low.last(), high.last()) {
            low.pop();
            columns[short as usize].1 = long;
            let missing = total - columns[short as usize].0;
            columns[long as usize].0 -= missing;
            if columns[long as usize].0 < total {
                high.pop();
                low.push(long);
            }
        }
        Self { columns, total }
    }

    fn draw(&self, random: &mut Random) -> usize {
        let column = random.below(self.columns.len() as u64) as usize;
        let (own, other) = self.columns[column];
        if random.below(self.total) < own { column } else { other as usize }
    }
}

/// Different words of 4 to 12 small letters, frequent ones shorter, to be drawn by Zipf's law.
#[derive(Debug)]
pub(super) struct Vocabulary {
    words: Vec<([u8; 12], u8)>,
    zipf: Zipf,
}

impl Vocabulary {
    pub(super) fn new(seed: u64, size: u32) -> Self {
        let mut random = Random::new(seed, u64::MAX);
        let mut seen = HashSet::with_capacity(size as usize);
        let mut words = Vec::with_capacity(size as usize);
        while words.len() < size as usize {
            let word = spell(words.len(), &mut random);
            if seen.insert(word) {
                words.push(word);
            }
        }
        Self { words, zipf: Zipf::new(size) }
    }

    pub(super) fn draw(&self, random: &mut Random) -> &[u8] {
        let (letters, length) = &self.words[self.zipf.draw(random)];
        &letters[..usize::from(*length)]
    }
}

fn spell(rank: usize, random: &mut Random) -> ([u8; 12], u8) {
    let length = 4 + (rank + 1).ilog10().min(6) as usize + random.below(3) as usize;
    let mut letters = [0; 12];
    letters[..length].fill_with(|| b'a' + random.below(26) as u8);
    (letters, length as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_come_as_often_as_zipfs_law_says() {
        let zipf = Zipf::new(100);
        let mut random = Random::new(1, 0);
        let mut seen = [0_u32; 100];
        (0..200_000).for_each(|_| seen[zipf.draw(&mut random)] += 1);
        // The sum of 1/r up to 100 is 5.187.
        for rank in [1, 2, 10, 50] {
            let expected = 200_000.0 / 5.187 / f64::from(rank);
            let share = f64::from(seen[rank as usize - 1]) / expected;
            assert!((0.85..1.15).contains(&share), "rank {rank} comes {share} times as often as it should");
        }
    }

    #[test]
    fn words_differ_and_have_four_to_twelve_letters() {
        let vocabulary = Vocabulary::new(1, 20_000);
        let distinct: HashSet<_> = vocabulary.words.iter().collect();
        assert_eq!(distinct.len(), 20_000);
        let mut random = Random::new(1, 1);
        for _ in 0..1_000 {
            let word = vocabulary.draw(&mut random);
            assert!((4..=12).contains(&word.len()) && word.iter().all(u8::is_ascii_lowercase));
        }
    }
}
