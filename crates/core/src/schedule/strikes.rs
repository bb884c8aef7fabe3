//! Counts how often each record and group was to blame for a failure, and says which are to be set aside.
//!
//! It knows no tasks' states and writes nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::input::Split;
use crate::task::{Spot, TaskId};

/// Strikes that set a spot aside.
const STRIKES: u32 = 2;
/// The same if all of them came when somebody else killed the worker: the record was running, and may be innocent.
const KILLS: u32 = 3;

/// What a strike comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is tried again; so many strikes of so many that it takes.
    Again(u32, u32),
    /// It is set aside, after so many strikes.
    Aside(u32),
    /// It would have to be set aside, and too many are already.
    TooMany(u32),
}

#[derive(Debug, Clone, Copy, Default)]
struct Strike {
    count: u32,
    /// How many of them were kills from outside.
    kills: u32,
}

/// The strikes of a job.
#[derive(Debug, Default)]
pub(super) struct Strikes {
    /// How many spots may be set aside.
    most: u64,
    counts: HashMap<Spot, Strike>,
    aside: BTreeSet<Spot>,
    /// Tasks that have failed without being charged for it.
    suspects: HashSet<TaskId>,
}

impl Strikes {
    /// No strikes yet, and `aside` set aside by an earlier session.
    pub(super) fn new(most: u64, aside: impl IntoIterator<Item = Spot>) -> Self {
        Self { most, aside: aside.into_iter().collect(), ..Self::default() }
    }

    /// Whether anything may be set aside.
    pub(super) fn are_counted(&self) -> bool {
        self.most > 0
    }

    /// How many may be set aside.
    pub(super) fn most(&self) -> u64 {
        self.most
    }

    /// Counts a strike; `from_outside` if the worker was killed by somebody else.
    pub(super) fn strike(&mut self, spot: Spot, from_outside: bool) -> Verdict {
        let strike = self.counts.entry(spot).or_default();
        strike.count += 1;
        strike.kills += u32::from(from_outside);
        let (count, needed) = (strike.count, if strike.kills == strike.count { KILLS } else { STRIKES });
        if count < needed {
            return Verdict::Again(count, needed);
        }
        if !self.aside.contains(&spot) && self.aside.len() as u64 >= self.most {
            return Verdict::TooMany(count);
        }
        self.aside.insert(spot);
        Verdict::Aside(count)
    }

    /// Says that a task has failed; false if that was known.
    pub(super) fn suspect(&mut self, task: TaskId) -> bool {
        self.are_counted() && self.suspects.insert(task)
    }

    /// Whether a task has failed without being charged for it.
    pub(super) fn is_suspect(&self, task: TaskId) -> bool {
        self.suspects.contains(&task)
    }

    /// How many bad spots an attempt may find before it is over: with one more than can be set aside all is lost anyway.
    pub(super) fn probe(&self) -> u64 {
        const MOST: u64 = 10_000;
        (self.most - (self.aside.len() as u64).min(self.most)).saturating_add(1).min(MOST)
    }

    /// All records that were set aside, in order.
    pub(super) fn records(&self) -> Vec<Spot> {
        self.aside.iter().copied().filter(Spot::is_record).collect()
    }

    /// The records that were set aside and begin in `split`, in order.
    pub(super) fn in_split(&self, split: &Split) -> Vec<Spot> {
        if self.aside.is_empty() {
            return Vec::new();
        }
        let record = |file, offset| Spot::Record { file, offset, len: 0 };
        let pieces = split.pieces.iter();
        // An empty file may be a record, which begins in it all the same.
        let ranges = pieces.map(|piece| {
            record(piece.file, piece.offset)..record(piece.file, piece.offset + piece.len.max(1))
        });
        let mut found: Vec<_> = ranges.flat_map(|range| self.aside.range(range).copied()).collect();
        found.sort_unstable();
        found
    }

    /// The groups of a partition that were set aside, in order.
    pub(super) fn in_partition(&self, partition: u32) -> Vec<Spot> {
        let group = |ordinal| Spot::Group { partition, ordinal };
        self.aside.range(group(0)..=group(u64::MAX)).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::input::Piece;

    fn record(n: u64) -> Spot {
        Spot::Record { file: (n % 3) as u32, offset: n * 10, len: 10 }
    }

    fn split(file: u32, offset: u64, len: u64) -> Split {
        Split { pieces: vec![Piece { file, offset, len }], partition: 0 }
    }

    #[test]
    fn a_record_that_was_running_at_two_kills_may_be_innocent() {
        let mut strikes = Strikes::new(1, []);
        assert_eq!(strikes.strike(record(0), true), Verdict::Again(1, 3));
        assert_eq!(strikes.strike(record(0), true), Verdict::Again(2, 3));
        assert_eq!(strikes.strike(record(1), true), Verdict::Again(1, 3));
        assert_eq!(strikes.strike(record(1), false), Verdict::Aside(2));
        assert_eq!(strikes.strike(record(0), true), Verdict::TooMany(3));
        assert_eq!(strikes.records(), [record(1)]);
    }

    #[test]
    fn a_record_is_left_out_of_the_split_in_which_it_begins() {
        let spots = [0, 3, 6].map(|n| Spot::Record { file: 0, offset: n * 10, len: 25 });
        let empty = Spot::Record { file: 1, offset: 0, len: 0 };
        let group = Spot::Group { partition: 2, ordinal: 7 };
        let strikes = Strikes::new(9, spots.into_iter().chain([empty, group]));
        assert_eq!(strikes.in_split(&split(0, 0, 30)), spots[..1]);
        assert_eq!(strikes.in_split(&split(0, 30, 31)), spots[1..]);
        assert_eq!(strikes.in_split(&split(1, 0, 0)), [empty]);
        assert_eq!(strikes.in_partition(2), [group]);
        assert!(strikes.in_partition(1).is_empty());
        assert_eq!(strikes.probe(), 5);
    }

    proptest! {
        /// Against the rule in its plainest form: what has two strikes of which one is its own, or three, is set aside, the
        /// first so many of them.
        #[test]
        fn strikes_add_up(most in 1_u64..5, strikes in prop::collection::vec((0_u64..6, any::<bool>()), 0..60)) {
            let (mut counted, mut all) = (Strikes::new(most, []), BTreeMap::<u64, Vec<bool>>::new());
            let mut aside = Vec::new();
            for (n, outside) in strikes {
                let own = all.entry(n).or_default();
                own.push(outside);
                let guilty = own.len() >= 3 || (own.len() == 2 && own.contains(&false));
                let verdict = counted.strike(record(n), outside);
                if !guilty {
                    prop_assert!(matches!(verdict, Verdict::Again(..)));
                } else if aside.contains(&n) || (aside.len() as u64) < most {
                    prop_assert_eq!(verdict, Verdict::Aside(own.len() as u32));
                    if !aside.contains(&n) { aside.push(n); }
                } else {
                    prop_assert_eq!(verdict, Verdict::TooMany(own.len() as u32));
                }
            }
            aside.sort_by_key(|&n| record(n));
            let expected: Vec<_> = aside.into_iter().map(record).collect();
            prop_assert_eq!(counted.records(), expected);
        }
    }
}
