//! What was measured of one program in one workload, and what it comes down to.

use std::time::Duration;

/// A line of a table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) ours: bool,
    pub(crate) outcome: Outcome,
}

/// How a program did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    Measured(Figures),
    /// A run took longer than the limit, and was ended.
    Over(Duration),
    /// It did not come to an end of its own will; an opponent's failure is a result.
    Failed(String),
    /// Its output differs: no time counts.
    Wrong(String),
    /// It is not here, or does not know an option.
    Skipped(String),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Figures {
    /// Wall times in seconds.
    pub(crate) walls: Vec<f64>,
    /// Each run's wall time over that of the run of the first program before it; of the first one none.
    pub(crate) ratios: Vec<f64>,
    /// The most memory seen, in the run that does not count.
    pub(crate) peak_kib: u64,
}

impl Row {
    /// What makes the whole comparison fail: a wrong output, or ours not coming to an end.
    pub(crate) fn fault(&self) -> Option<String> {
        let fault = match self.outcome {
            Outcome::Wrong(_) => true,
            Outcome::Failed(_) | Outcome::Over(_) => self.ours,
            Outcome::Measured(_) | Outcome::Skipped(_) => false,
        };
        fault.then(|| format!("{}: {}", self.name, self.outcome.words().unwrap_or_default()))
    }
}

impl Outcome {
    /// What stands where a time would, for a program that has none.
    pub(crate) fn words(&self) -> Option<String> {
        match self {
            Self::Measured(_) => None,
            Self::Over(limit) => Some(format!("over {} s", limit.as_secs_f64())),
            Self::Failed(why) => Some(format!("failed: {why}")),
            Self::Wrong(difference) => Some(format!("wrong output: {difference}")),
            Self::Skipped(reason) => Some(format!("skipped: {reason}")),
        }
    }
}

/// The middle value, or the mean of the two middle ones; `None` of nothing.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_odd_and_even_numbers_of_values() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn a_wrong_output_is_a_fault_of_anybody_and_a_failure_of_ours() {
        let row = |ours, outcome| Row { name: "x".into(), ours, outcome };
        assert!(row(false, Outcome::Wrong(String::new())).fault().is_some());
        assert!(row(true, Outcome::Failed(String::new())).fault().is_some());
        assert!(row(false, Outcome::Failed(String::new())).fault().is_none());
        assert!(row(true, Outcome::Skipped(String::new())).fault().is_none());
    }
}
