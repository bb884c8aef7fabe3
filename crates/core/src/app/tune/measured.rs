//! A setting of the tuned options and what its runs took, with the rule for when two settings differ.
//!
//! It runs nothing and chooses nothing.

use std::time::Duration;

/// With fewer runs a setting is not judged.
pub(super) const LEAST_RUNS: usize = 3;
/// From this many runs on, the slowest and the fastest do not count for the spread.
const TRIMMED_FROM: usize = 5;
/// A difference below this part of the time is of no use to anybody, however certain it is.
const LEAST_DIFFERENCE: f64 = 0.03;

/// The options that are tuned. `None` leaves one to its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Setting {
    pub(super) chunk: Option<u64>,
    pub(super) workers: Option<usize>,
    pub(super) partitions: Option<u32>,
}

/// One run, and what the options came to in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) wall: Duration,
    pub(super) tasks: usize,
    pub(super) workers: usize,
    pub(super) partitions: u32,
}

impl Run {
    /// Whether the other run did the same work in the same pieces, although its options read differently.
    pub(super) fn same_plan(&self, other: &Self) -> bool {
        (self.tasks, self.workers, self.partitions) == (other.tasks, other.workers, other.partitions)
    }
}

/// A setting and its runs.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub(super) setting: Setting,
    pub(super) runs: Vec<Run>,
    /// A run was stopped after this time: the setting is out.
    pub(super) over: Option<Duration>,
}

impl Measured {
    pub(super) fn new(setting: Setting) -> Self {
        Self { setting, runs: Vec::new(), over: None }
    }

    /// The same without the first `runs` runs.
    pub(super) fn since(&self, runs: usize) -> Self {
        Self { runs: self.runs[runs..].to_vec(), ..*self }
    }

    /// Whether there were enough runs to say something.
    pub(super) fn is_judged(&self) -> bool {
        self.over.is_none() && self.runs.len() >= LEAST_RUNS
    }

    /// Median of the wall times in seconds; 0 without any.
    pub(super) fn median(&self) -> f64 {
        let walls = self.sorted();
        let middle = walls.len() / 2;
        match walls.len() {
            0 => 0.0,
            n if n % 2 == 1 => walls[middle],
            _ => f64::midpoint(walls[middle - 1], walls[middle]),
        }
    }

    /// Half the way from the fastest to the slowest run in seconds. From five runs on one outlier at either end does
    /// not count.
    pub(super) fn spread(&self) -> f64 {
        let walls = self.sorted();
        let cut = usize::from(walls.len() >= TRIMMED_FROM);
        match &walls[cut..walls.len() - cut] {
            [fastest, .., slowest] => (slowest - fastest) / 2.0,
            _ => 0.0,
        }
    }

    /// Whether this setting is faster by more than the spread of both.
    pub(super) fn is_faster_than(&self, other: &Self) -> bool {
        let gain = other.median() - self.median();
        gain > self.spread() + other.spread() && gain > LEAST_DIFFERENCE * self.median()
    }

    /// By which part of the other's time this one takes longer.
    pub(super) fn slower_by(&self, other: &Self) -> f64 {
        self.median() / other.median().max(1e-9) - 1.0
    }

    fn sorted(&self) -> Vec<f64> {
        let mut walls: Vec<f64> = self.runs.iter().map(|run| run.wall.as_secs_f64()).collect();
        walls.sort_by(f64::total_cmp);
        walls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(millis: &[u64]) -> Measured {
        let run = |&ms: &u64| Run { wall: Duration::from_millis(ms), tasks: 1, workers: 1, partitions: 1 };
        Measured { runs: millis.iter().map(run).collect(), ..Measured::new(Setting::default()) }
    }

    #[test]
    fn one_outlier_among_five_changes_nothing() {
        let calm = measured(&[100, 102, 104, 106, 900]);
        assert!((calm.median() - 0.104).abs() < 1e-9 && (calm.spread() - 0.002).abs() < 1e-9);
        let three = measured(&[100, 104, 120]);
        assert!((three.spread() - 0.010).abs() < 1e-9);
    }

    #[test]
    fn a_difference_within_the_spread_or_too_small_to_matter_is_none() {
        let (fast, slow) = (measured(&[100, 104, 120]), measured(&[100, 116, 120]));
        assert!(!fast.is_faster_than(&slow) && !slow.is_faster_than(&fast));
        assert!(!measured(&[100, 100, 100]).is_faster_than(&measured(&[102, 102, 102])));
        assert!(measured(&[100, 101, 102]).is_faster_than(&measured(&[110, 111, 112])));
    }
}
