//! Hands the groups of a partition to a reducer.
//!
//! It does not fold, order or write them.

use super::Merge;
use super::gathered::GatheredGroups;
use super::held::HeldGroups;
use super::task::ReduceTask;
use crate::api::{Lent, Out, Reducer, ValueStream, Values};
use crate::counters::Counters;
use crate::flight::{Flight, Stage};
use crate::key::KeyRef;
use crate::output::PairWriter;
use crate::result::Result;
use crate::task::{Stopped, TaskEnv};

/// Rows in order, by groups of equal keys.
pub(crate) trait Groups {
    /// Copies the next key into `key`; `false` when there is none.
    ///
    /// Values of the key before that were not taken count as a group of their own, so take them all.
    fn next_group(&mut self, key: &mut Vec<u8>) -> Result<bool>;

    /// The next value of `key`, or `None` when it has no more.
    fn next_value(&mut self, key: &[u8]) -> Result<Option<Lent<'_>>>;
}

/// Groups from wherever they are.
pub(crate) enum AnyGroups<'g> {
    /// From the rows of one bucket.
    Held(HeldGroups<'g>),
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
    fn next_value(&mut self, key: &[u8]) -> Result<Option<Lent<'_>>> {
        match self {
            Self::Held(groups) => groups.next_value(key),
            Self::Gathered(groups) => groups.next_value(key),
            Self::Merge(groups) => groups.next_value(key),
        }
    }
}

/// Calls `each` with every key of a stretch and the stream of its values, and counts the keys in `ordinal`.
pub(crate) fn stream_groups<'g>(
    groups: &mut AnyGroups<'g>,
    task: &ReduceTask<'_>,
    ordinal: &mut u64,
    mut each: impl FnMut(&[u8], &mut dyn ValueStream) -> Result,
) -> Result {
    let (flight, mut key) = (&task.env.flight, Vec::new());
    while groups.next_group(&mut key)? {
        task.begin_group(*ordinal, &key)?;
        *ordinal += 1;
        let mut values = GroupValues::new(groups, &key, flight);
        each(&key, &mut values)?;
        values.finish()?;
    }
    flight.no_group();
    Ok(())
}

/// Runs a clone of `reducer` over groups that `groups` produces.
pub(crate) fn reduce_groups<R: Reducer>(
    reducer: &R,
    writer: &mut PairWriter,
    counters: &mut Counters,
    env: &TaskEnv,
    groups: impl FnOnce(&mut dyn FnMut(&[u8], Values<'_, R::Value>) -> Result) -> Result,
) -> Result {
    let mut reducer = reducer.clone();
    let mut out = Out::new(writer, counters);
    reducer.setup()?;
    let flight = &env.flight;
    flight.stage(Stage::Reduce);
    groups(&mut |key, values| {
        let reduced = reducer.reduce(KeyRef::new(key), values, &mut out);
        reduced.inspect_err(|error| env.blames.add_error(flight, error))
    })?;
    flight.stage(Stage::Cleanup);
    reducer.cleanup(&mut out)
}

/// The values of the current key.
pub(super) struct GroupValues<'a, 'g> {
    groups: &'a mut AnyGroups<'g>,
    key: &'a [u8],
    flight: &'a Flight,
    taken: Taken,
    lost: Option<String>,
}

/// How far the values of a group were taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    Nothing,
    Some,
    All,
}

impl<'a, 'g> GroupValues<'a, 'g> {
    pub(super) fn new(groups: &'a mut AnyGroups<'g>, key: &'a [u8], flight: &'a Flight) -> Self {
        Self { groups, key, flight, taken: Taken::Nothing, lost: None }
    }

    /// Passes the values that were not asked for: they belong to this key all the same.
    ///
    /// # Errors
    /// When they cannot be read, or one that was did not decode.
    pub(super) fn finish(&mut self) -> Result {
        while self.next_value()?.is_some() {}
        self.check()
    }

    /// # Errors
    /// When a value did not decode.
    pub(super) fn check(&mut self) -> Result {
        match self.lost.take() {
            Some(why) => Err(format!("a value was lost: {why}").into()),
            None => Ok(()),
        }
    }
}

impl ValueStream for GroupValues<'_, '_> {
    #[inline]
    fn next_value(&mut self) -> Result<Option<Lent<'_>>> {
        match self.taken {
            // The start of the group was a sign of life just now.
            Taken::Nothing => self.taken = Taken::Some,
            Taken::Some => {
                self.flight.beat();
                if self.flight.stop_requested() {
                    return Err(Stopped.into());
                }
            }
            Taken::All => return Ok(None),
        }
        // A run that cannot be read is not the group's fault, whatever user code makes of the error.
        let next = self.groups.next_value(self.key).inspect_err(|_| self.flight.no_group())?;
        if next.is_none_or(|next| next.last) {
            self.taken = Taken::All;
        }
        Ok(next)
    }

    fn lost(&mut self, why: String) {
        self.lost.get_or_insert(why);
    }
}
