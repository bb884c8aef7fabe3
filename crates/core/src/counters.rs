//! Counters: named sums that user code adds to while it works.
//!
//! It does not decide which attempts count: the scheduler adds up those of committed attempts only.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Named sums, in the order in which the names were first used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    sums: IndexMap<String, u64>,
}

impl Counters {
    /// Adds `n` to the counter `name`. A counter that would overflow stays at the greatest number.
    pub fn add(&mut self, name: &str, n: u64) {
        match self.sums.get_mut(name) {
            Some(sum) => *sum = sum.saturating_add(n),
            None => {
                self.sums.insert(name.to_owned(), n);
            }
        }
    }

    /// The sum under `name`; zero if nothing was ever added.
    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        self.sums.get(name).copied().unwrap_or(0)
    }

    /// Adds all sums of `other`.
    pub fn merge(&mut self, other: &Counters) {
        other.iter().for_each(|(name, n)| self.add(name, n));
    }

    /// All counters with their sums.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.sums.iter().map(|(name, &n)| (name.as_str(), n))
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sums.is_empty()
    }

    /// Brings the names into byte order, so that a report does not depend on the schedule.
    pub(crate) fn sort(&mut self) {
        self.sums.sort_unstable_keys();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_merge_and_saturate() {
        let mut counters = Counters::default();
        counters.add("lines", 2);
        let mut other = Counters::default();
        other.add("lines", 3);
        other.add("huge", u64::MAX);
        counters.merge(&other);
        counters.add("huge", 1);
        assert_eq!(counters.get("lines"), 5);
        assert_eq!(counters.get("huge"), u64::MAX);
        assert_eq!(counters.get("absent"), 0);
    }
}
