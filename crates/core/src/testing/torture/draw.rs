//! Chooses the trials: those that are always made, and random mixtures.
//!
//! The same seed gives the same choices.

use super::trial::{Facts, Kills, Trial};

/// Chunk sizes that meet no border of anything.
const ODD_CHUNKS: [u64; 6] = [13, 101, 997, 4_099, 32_771, 262_147];
const EXECUTORS: [Option<&str>; 3] = [None, Some("threads"), Some("inline")];

/// A source of choices: SplitMix64.
#[derive(Debug, Clone)]
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// A part of `whole`, from nothing to a tenth more than all.
    pub(super) fn part_of(&mut self, whole: std::time::Duration) -> std::time::Duration {
        whole.mul_f64(self.below(1100) as f64 / 1000.0)
    }

    /// One trial for each condition, so that none is left to chance.
    pub(super) fn always(&mut self, facts: &Facts) -> Vec<Trial> {
        let memory = Some(facts.little_memory());
        let one = Some(facts.least_chunk());
        let odd = Some(self.odd_chunk(facts));
        let plain = Trial { workers: Some(2), chunk: odd, ..Trial::default() };
        let mut trials = vec![
            Trial { executor: Some("inline"), chunk: one, ..Trial::default() },
            Trial { chunk: one, workers: Some(2), ..Trial::default() },
            Trial { executor: Some("threads"), workers: Some(3), ..plain },
            Trial { workers: Some(1), ..plain },
            Trial { workers: Some(4), ..plain },
            Trial { no_combine: true, ..plain },
            Trial { memory, ..plain },
            Trial { memory, no_combine: true, executor: Some("threads"), ..plain },
            Trial { double: true, ..plain },
            Trial { double: true, memory, executor: Some("inline"), workers: None, ..plain },
        ];
        if facts.other_partitions {
            let others = [1, 7, facts.partitions * 2].into_iter().filter(|&other| other != facts.partitions);
            trials.extend(others.map(|other| Trial { partitions: Some(other), ..plain }));
        }
        for kills in [Kills::Workers, Kills::Program] {
            trials.push(Trial { kills, ..plain });
            trials.push(Trial { kills, memory, chunk: one, ..plain });
        }
        trials
    }

    /// Some of all conditions.
    pub(super) fn mixture(&mut self, facts: &Facts) -> Trial {
        let executor = if self.one_in(2) { None } else { self.one_of(&EXECUTORS) };
        let workers = (executor != Some("inline")).then(|| 1 + self.below(4) as u32);
        let chunk = match self.below(4) {
            0 => None,
            1 => Some(facts.least_chunk()),
            _ => Some(self.odd_chunk(facts)),
        };
        let kills = match self.below(3) {
            0 if executor.is_none() => Kills::Workers,
            0 | 1 => Kills::Program,
            _ => Kills::Nobody,
        };
        Trial {
            executor,
            workers,
            chunk,
            partitions: (facts.other_partitions && self.one_in(4)).then(|| 1 + self.below(9) as u32),
            no_combine: self.one_in(3),
            double: self.one_in(3),
            memory: self.one_in(2).then(|| facts.little_memory() << self.below(4)),
            kills,
        }
    }

    fn odd_chunk(&mut self, facts: &Facts) -> u64 {
        let least = facts.least_chunk();
        // Larger than the input would be no chunk at all.
        let fitting = ODD_CHUNKS.iter().filter(|&&odd| odd >= least && odd < facts.input_bytes);
        let fitting: Vec<u64> = fitting.copied().collect();
        if fitting.is_empty() { least * 3 } else { self.one_of(&fitting) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_choices_and_another_makes_others() {
        let facts = Facts { input_bytes: 50_000, partitions: 3, other_partitions: true };
        let chosen = |seed| {
            let mut draw = Draw::new(seed);
            let mixtures: Vec<_> = (0..50).map(|_| draw.mixture(&facts).to_string()).collect();
            mixtures
        };
        assert_eq!(chosen(1), chosen(1));
        assert_ne!(chosen(1), chosen(2));
    }

    #[test]
    fn no_trial_has_too_many_tasks() {
        let facts = Facts { input_bytes: 1 << 30, partitions: 3, other_partitions: true };
        let mut draw = Draw::new(1);
        let trials = draw.always(&facts).into_iter().chain((0..100).map(|_| Draw::new(9).mixture(&facts)));
        assert!(trials.filter_map(|trial| trial.chunk).all(|chunk| facts.input_bytes / chunk <= 2000));
    }
}
