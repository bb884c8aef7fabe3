//! Reduces a partition one group after the other: leaves out those that were set aside, and goes on after those that user
//! code fails at.
//!
//! It is for attempts after a failure, and for the replay of a single group. Here a combiner sees one group at a time
//! too, so that it is known which it fails at. It notes groups and decides nothing about them.

use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use super::Merge;
use super::group::{AnyGroups, GroupValues, Groups};
use super::keep::each_stretch;
use super::task::{KeyOrder, ReduceTask};
use crate::api::{Combiner, Out, Reducer, ValueStream};
use crate::counters::Counters;
use crate::datum::Datum;
use crate::flight::Stage;
use crate::fold::value;
use crate::key::AnyKey;
use crate::output::{PairWriter, Place};
use crate::result::{Result, chain};
use crate::run::{CommitRecord, Kind, Label, RowShape, RunFile, RunWriter, SegmentReader, Spilling, put_row};
use crate::runner::catch_part;
use crate::task::{BadRecords, FailureKind, Spot, TaskEnv};

/// What user code makes of groups, one at a time.
pub(crate) trait GroupWork {
    fn setup(&mut self) -> Result;

    fn group(&mut self, key: &[u8], values: &mut dyn ValueStream) -> Result;

    /// Goes on after a failure, as if nothing had been before.
    fn start_afresh(&mut self) -> Result;

    fn cleanup(&mut self) -> Result;
}

/// Gives all groups of a partition to `work`, but for those that were set aside.
///
/// # Errors
/// When user code has failed at a group, among other things.
pub(crate) fn one_by_one(task: &ReduceTask<'_>, work: &mut dyn GroupWork) -> Result {
    let flight = &task.env.flight;
    work.setup()?;
    flight.stage(Stage::Reduce);
    let (mut ordinal, mut key) = (0, Vec::new());
    each_stretch(task, |groups| {
        while groups.next_group(&mut key)? {
            if task.care.leaves_out_group(task.partition, ordinal) {
                store(task, ordinal, &key, groups)?;
            } else {
                task.begin_group(ordinal, &key)?;
                let mut values = GroupValues::new(groups, &key, flight);
                attempt(task, work, &key, &mut values)?;
                flight.no_group();
                values.finish()?;
            }
            ordinal += 1;
        }
        Ok(())
    })?;
    task.env.blames.verdict()?;
    flight.stage(Stage::Cleanup);
    work.cleanup()
}

/// Gives one group to user code; if that fails, the group is noted.
fn attempt(
    task: &ReduceTask<'_>,
    work: &mut dyn GroupWork,
    key: &[u8],
    values: &mut GroupValues<'_, '_>,
) -> Result {
    let (flight, blames) = (&task.env.flight, &task.env.blames);
    let done = catch_part(flight, || work.group(key, values).and_then(|()| values.check()));
    let kind = match done {
        Ok(Ok(())) => return Ok(()),
        // A run could not be read, or the part not be written: no group is to blame.
        Ok(Err(error)) if flight.sight().spot().is_none() => return Err(error),
        Ok(Err(error)) => FailureKind::Returned { message: chain(&*error) },
        Err(panic) => panic.into(),
    };
    if !blames.add(flight, kind.clone()) {
        return Err(kind.to_string().into());
    }
    if blames.len() >= task.care.probe {
        return Err(BadRecords.into());
    }
    flight.no_group();
    work.start_afresh()?;
    flight.stage(Stage::Reduce);
    // What the group has lost is told already.
    drop(values.check());
    Ok(())
}

/// Puts a group that is left out into a run of its own.
fn store(task: &ReduceTask<'_>, ordinal: u64, key: &[u8], groups: &mut AnyGroups<'_>) -> Result {
    let env = task.env;
    let spot = Spot::Group { partition: task.partition, ordinal };
    let path = env.quarantine.join(format!("{spot}.run"));
    let mut run = RunWriter::create(&path, &Arc::new(Spilling::default()))?;
    run.begin(Label { partition: task.partition, kind: Kind::Sorted, ..Label::default() })?;
    let mut row = Vec::new();
    while let Some(value) = groups.next_value(key)? {
        row.clear();
        // Without the split, which depends on the chunk size.
        put_row(&mut row, RowShape::WithSplit, key, 0, value.code);
        run.write(&row, 1)?;
        task.go_on()?;
    }
    run.commit(&path, CommitRecord::default(), env.durable).map(drop)
}

/// Gives the group that is stored in the run at `path` to user code.
pub(crate) fn replay_group(path: &Path, env: &TaskEnv, work: &mut dyn GroupWork) -> Result {
    const BUFFER: usize = 64 << 10;
    let run = Arc::new(RunFile::open(path)?);
    let segments = 0..run.index.segments.len();
    let reader = |segment| SegmentReader::new(Arc::clone(&run), segment, RowShape::WithSplit, BUFFER);
    let mut groups = AnyGroups::Merge(Merge::new(segments.map(reader).collect(), KeyOrder::Key)?);
    let mut key = Vec::new();
    work.setup()?;
    while groups.next_group(&mut key)? {
        let mut values = GroupValues::new(&mut groups, &key, &env.flight);
        work.group(&key, &mut values)?;
        values.finish()?;
    }
    work.cleanup()
}

/// The fold of all values of a group.
pub(crate) fn fold_values<V: Datum, C: Combiner<V>>(combiner: &C, values: &mut dyn ValueStream) -> Result<V> {
    let first = values.next_value()?.ok_or("a group without values")?;
    let mut folded = value::decode(first.code)?;
    while let Some(next) = values.next_value()? {
        combiner.combine(&mut folded, value::decode(next.code)?)?;
    }
    Ok(folded)
}

/// A combiner that is the whole reducer.
pub(crate) struct Folding<'a, K, V, C> {
    combiner: &'a C,
    writer: &'a mut PairWriter,
    types: PhantomData<fn(K, V)>,
}

impl<'a, K, V, C> Folding<'a, K, V, C> {
    pub(crate) fn new(combiner: &'a C, writer: &'a mut PairWriter) -> Self {
        Self { combiner, writer, types: PhantomData }
    }
}

impl<K: Datum, V: Datum, C: Combiner<V>> GroupWork for Folding<'_, K, V, C> {
    fn setup(&mut self) -> Result {
        Ok(())
    }

    fn group(&mut self, key: &[u8], values: &mut dyn ValueStream) -> Result {
        let value: V = fold_values(self.combiner, values)?;
        self.writer.write_encoded(AnyKey::Long(key), &value, &mut Place::<K>::default())
    }

    fn start_afresh(&mut self) -> Result {
        self.writer.discard();
        Ok(())
    }

    fn cleanup(&mut self) -> Result {
        Ok(())
    }
}

/// A reducer, and how a group is handed to it.
pub(crate) struct Reducing<'a, R: Reducer, F> {
    original: &'a R,
    reducer: R,
    out: Out<'a, R::OutKey, R::OutValue>,
    hand: F,
}

impl<'a, R, F> Reducing<'a, R, F>
where
    R: Reducer,
    F: FnMut(&mut R, &[u8], &mut dyn ValueStream, &mut Out<'_, R::OutKey, R::OutValue>) -> Result,
{
    pub(crate) fn new(
        original: &'a R,
        writer: &'a mut PairWriter,
        counters: &'a mut Counters,
        hand: F,
    ) -> Self {
        Self { original, reducer: original.clone(), out: Out::new(writer, counters), hand }
    }
}

impl<R, F> GroupWork for Reducing<'_, R, F>
where
    R: Reducer,
    F: FnMut(&mut R, &[u8], &mut dyn ValueStream, &mut Out<'_, R::OutKey, R::OutValue>) -> Result,
{
    fn setup(&mut self) -> Result {
        self.reducer.setup()
    }

    fn group(&mut self, key: &[u8], values: &mut dyn ValueStream) -> Result {
        (self.hand)(&mut self.reducer, key, values, &mut self.out)?;
        self.out.check()
    }

    fn start_afresh(&mut self) -> Result {
        self.out.discard();
        self.reducer.clone_from(self.original);
        self.reducer.setup()
    }

    fn cleanup(&mut self) -> Result {
        self.reducer.cleanup(&mut self.out)
    }
}
