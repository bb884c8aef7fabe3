//! Hands the groups of a partition to a reducer.
//!
//! It does not fold, order or write them.

use super::Merge;
use super::gathered::GatheredGroups;
use super::keep::Held;
use crate::api::{Out, Reducer, ValueStream, Values};
use crate::counters::Counters;
use crate::flight::{Flight, Stage};
use crate::key::KeyRef;
use crate::output::PairWriter;
use crate::result::Result;
use crate::task::Stopped;

/// Rows in order, by groups of equal keys.
pub(crate) trait Groups {
    /// Copies the next key into `key`; `false` when there is none.
    ///
    /// Values of the key before that were not taken count as a group of their own, so take them all.
    fn next_group(&mut self, key: &mut Vec<u8>) -> Result<bool>;

    /// The next value of `key`, or `None` when it has no more.
    fn next_value(&mut self, key: &[u8]) -> Result<Option<&[u8]>>;
}

/// Groups from wherever they are.
pub(crate) enum AnyGroups<'g> {
    /// From the rows of one bucket.
    Held(Held<'g>),
    /// From groups of several buckets.
    Gathered(GatheredGroups<'g>),
    /// From spills.
    Merge(Merge),
}

impl Groups for AnyGroups<'_> {
    #[inline]
    fn next_group(&mut self, key: &mut Vec<u8>) -> Result<bool> {
        match self {
            Self::Held(groups) => groups.next_group(key),
            Self::Gathered(groups) => groups.next_group(key),
            Self::Merge(groups) => groups.next_group(key),
        }
    }

    #[inline]
    fn next_value(&mut self, key: &[u8]) -> Result<Option<&[u8]>> {
        match self {
            Self::Held(groups) => groups.next_value(key),
            Self::Gathered(groups) => groups.next_value(key),
            Self::Merge(groups) => groups.next_value(key),
        }
    }
}

/// Calls `each` with every key of the partition and the stream of its values.
pub(crate) fn stream_groups<'g>(
    groups: &mut AnyGroups<'g>,
    flight: &Flight,
    mut each: impl FnMut(&[u8], &mut dyn ValueStream) -> Result,
) -> Result {
    let mut key = Vec::new();
    while groups.next_group(&mut key)? {
        note(flight, &key)?;
        let mut values = GroupValues { groups, key: &key, flight, lost: None };
        each(&key, &mut values)?;
        // What the reducer did not ask for belongs to this key all the same.
        while values.next_value()?.is_some() {}
        if let Some(why) = values.lost {
            return Err(format!("a value was lost: {why}").into());
        }
    }
    Ok(())
}

/// Runs a clone of `reducer` over groups that `groups` produces.
pub(crate) fn reduce_groups<R: Reducer>(
    reducer: &R,
    writer: &mut PairWriter,
    counters: &mut Counters,
    flight: &Flight,
    groups: impl FnOnce(&mut dyn FnMut(&[u8], Values<'_, R::Value>) -> Result) -> Result,
) -> Result {
    let mut reducer = reducer.clone();
    let mut out = Out::new(writer, counters);
    reducer.setup()?;
    flight.stage(Stage::Reduce);
    groups(&mut |key, values| reducer.reduce(KeyRef::new(key), values, &mut out))?;
    flight.stage(Stage::Cleanup);
    reducer.cleanup(&mut out)
}

/// Notes the key that a reducer is about to see.
pub(crate) fn note(flight: &Flight, key: &[u8]) -> Result {
    flight.key(key);
    if flight.stop_requested() { Err(Stopped.into()) } else { Ok(()) }
}

/// The values of the current key.
struct GroupValues<'a, 'g> {
    groups: &'a mut AnyGroups<'g>,
    key: &'a [u8],
    flight: &'a Flight,
    lost: Option<String>,
}

impl ValueStream for GroupValues<'_, '_> {
    fn next_value(&mut self) -> Result<Option<&[u8]>> {
        self.flight.beat();
        if self.flight.stop_requested() {
            return Err(Stopped.into());
        }
        self.groups.next_value(self.key)
    }

    fn lost(&mut self, why: String) {
        self.lost.get_or_insert(why);
    }
}
