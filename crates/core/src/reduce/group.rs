//! Goes through the groups of a partition: folds each with a combiner, or hands it to a reducer.
//!
//! It does not merge or write.

use gristmill_ipc::codec;

use super::Merge;
use crate::api::{Combiner, Out, Reducer, ValueStream, Values};
use crate::counters::Counters;
use crate::datum::Datum;
use crate::flight::{Flight, Stage};
use crate::key::KeyRef;
use crate::output::PairWriter;
use crate::result::Result;
use crate::task::Stopped;

/// Calls `each` with every key of the partition and the fold of its values.
pub(crate) fn fold_groups<V: Datum, C: Combiner<V>>(
    merge: &mut Merge,
    combiner: &C,
    flight: &Flight,
    mut each: impl FnMut(&[u8], V) -> Result,
) -> Result {
    let mut key = Vec::new();
    while merge.next_group(&mut key)? {
        note(flight, &key)?;
        let mut folded: Option<V> = None;
        while let Some(bytes) = merge.next_value(&key)? {
            let value = codec::decode(bytes)?;
            match &mut folded {
                Some(acc) => combiner.combine(acc, value)?,
                None => folded = Some(value),
            }
        }
        if let Some(folded) = folded {
            each(&key, folded)?;
        }
    }
    Ok(())
}

/// Calls `each` with every key of the partition and the stream of its values.
pub(crate) fn stream_groups(
    merge: &mut Merge,
    flight: &Flight,
    mut each: impl FnMut(&[u8], &mut dyn ValueStream) -> Result,
) -> Result {
    let mut key = Vec::new();
    while merge.next_group(&mut key)? {
        note(flight, &key)?;
        let mut values = GroupValues { merge, key: &key, flight, lost: None };
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

fn note(flight: &Flight, key: &[u8]) -> Result {
    flight.key(key);
    if flight.stop_requested() { Err(Stopped.into()) } else { Ok(()) }
}

/// The values of the merge's current key.
struct GroupValues<'a> {
    merge: &'a mut Merge,
    key: &'a [u8],
    flight: &'a Flight,
    lost: Option<String>,
}

impl ValueStream for GroupValues<'_> {
    fn next_value(&mut self) -> Result<Option<&[u8]>> {
        self.flight.beat();
        if self.flight.stop_requested() {
            return Err(Stopped.into());
        }
        self.merge.next_value(self.key)
    }

    fn lost(&mut self, why: String) {
        self.lost.get_or_insert(why);
    }
}
