//! The parts of the data plane one by one, for the benchmarks of this project; no part of the public interface.
//!
//! It measures nothing, and does nothing that a job does not do: each function is a call of what a job calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexSet;
use serde::{Deserialize, Serialize};

use crate::api::{Combiner, Emitter, Target, Values};
use crate::collect::{Collector, PairSink, Runs};
use crate::counters::Counters;
use crate::datum::Datum;
use crate::exec::Setup;
use crate::flight::new_page;
use crate::fold::{BATCH, Batch, value};
use crate::input::{Chunks, Cut, Plan};
use crate::key::{self, AnyKey, Code};
use crate::map::{CombineSink, KeepSink};
use crate::options::SpillCompression;
use crate::output::Format;
use crate::reduce::{
    KeyOrder, ReduceTask, SharedShuffle, Shuffle, each_stretch, fold_partition, stream_groups, write_manifest,
};
use crate::result::Result;
use crate::rows::{Buckets, ByHash, ByRange, Placement};
use crate::run::{CommitRecord, RowShape, SpillSettings};
use crate::task::{Care, TaskEnv};
use crate::text::Word;
use crate::workdir::WorkFolder;

/// How pairs are held on their way from the emitter to the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// As in a job with a combiner: in a table while that pays.
    Adaptive,
    /// In a table, whether that pays or not.
    Table,
    /// As rows, to be folded in reduce.
    Rows,
    /// As rows with their split, as in a job without a combiner.
    Ordered,
}

impl Hold {
    fn shape(self) -> RowShape {
        if self == Self::Ordered { RowShape::WithSplit } else { RowShape::Plain }
    }
}

/// What a job gives its one worker.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Partitions of the job.
    pub partitions: u32,
    /// Buckets in each partition.
    pub buckets: u32,
    /// Bytes of buffers.
    pub memory: usize,
    /// How runs are stored.
    pub compression: SpillCompression,
}

impl Terms {
    fn env(self, work: &WorkFolder) -> Result<Arc<TaskEnv>> {
        let setup = Setup {
            job: "bench".to_owned(),
            params: Vec::new(),
            paths: work.paths.clone(),
            partitions: self.partitions,
            buckets: self.buckets,
            format: Format::Pairs,
            memory: self.memory,
            flush_after: Duration::MAX,
            durable: false,
            spilling: SpillSettings { compression: self.compression, limit: None },
            session: 1,
            hardships: crate::hardships::Hardships::default(),
            inject: None,
        };
        let plan = Plan::cut(Vec::new(), Cut::Never, Chunks::of(1), None)?;
        Ok(setup.env("Worker-1", 1, Arc::new(plan), new_page()?))
    }
}

/// The way from the emitter to run files, in a work folder that is removed with this value.
pub struct MapSide<V> {
    collector: Collector<V>,
    runs: IndexSet<String>,
    hold: Hold,
    terms: Terms,
    work: WorkFolder,
}

impl<V: Datum> MapSide<V> {
    /// A worker that has emitted nothing yet.
    ///
    /// # Errors
    /// When there can be no work folder.
    pub fn new<C: Combiner<V>>(terms: Terms, combiner: C, hold: Hold) -> Result<Self> {
        let work = WorkFolder::scratch(&std::env::temp_dir())?;
        let env = terms.env(&work)?;
        let (memory, flight) = (terms.memory, env.flight.clone());
        let buckets = Buckets::new(hold.shape(), terms.partitions, terms.buckets, memory / 2);
        let placement: Placement = Arc::new(ByHash { buckets: terms.partitions * terms.buckets });
        let sink: Box<dyn PairSink<V>> = match hold {
            Hold::Adaptive => Box::new(CombineSink::new(combiner, placement, buckets, memory, flight)),
            Hold::Table => {
                Box::new(CombineSink::new(combiner, placement, buckets, memory, flight).always_table())
            }
            Hold::Rows | Hold::Ordered => Box::new(KeepSink::new(placement, buckets, memory)),
        };
        let collector = Collector::new(sink, Runs::new(Arc::clone(&env)), env.flight.clone());
        Ok(Self { collector, runs: IndexSet::new(), hold, terms, work })
    }

    /// Runs `mapper` once, as if it were a map task.
    ///
    /// # Errors
    /// What `mapper` returns, and when a pair is lost.
    pub fn emit<K>(&mut self, mapper: impl FnOnce(&mut Emitter<'_, K, V>) -> Result) -> Result {
        let mut counters = Counters::default();
        self.collector.begin(0)?;
        mapper(&mut Emitter::new(Target::Shuffle(&mut self.collector), &mut counters))?;
        self.collector.check()
    }

    /// Spills what is held and commits it; returns the bytes of rows.
    ///
    /// # Errors
    /// When the run cannot be written.
    pub fn commit(&mut self) -> Result<u64> {
        let committed = self.collector.finish()?.commit(CommitRecord::default())?;
        self.runs.extend(committed.run);
        Ok(committed.partitions.iter().map(|(_, bytes)| bytes).sum())
    }

    /// Opens what was committed for a worker that has `memory` bytes.
    ///
    /// # Errors
    /// When a run cannot be read.
    pub fn reduce_side(&self, memory: usize, any_order: bool) -> Result<ReduceSide> {
        let Self { terms, runs, hold, .. } = self;
        let env = Terms { memory, ..*terms }.env(&self.work)?;
        write_manifest(&env.manifest, runs.iter())?;
        let shuffle = SharedShuffle::default().open(&env)?;
        let all = terms.partitions * terms.buckets;
        let order = if any_order { KeyOrder::Hash(all) } else { KeyOrder::Key };
        Ok(ReduceSide { env, shuffle, shape: hold.shape(), order, care: Care::default() })
    }
}

impl<V> fmt::Debug for MapSide<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapSide").field("hold", &self.hold).finish_non_exhaustive()
    }
}

/// Committed runs, and the order in which their keys are wanted.
pub struct ReduceSide {
    env: Arc<TaskEnv>,
    shuffle: Arc<Shuffle>,
    shape: RowShape,
    order: KeyOrder,
    care: Care,
}

impl ReduceSide {
    fn tasks(&self) -> impl Iterator<Item = ReduceTask<'_>> {
        let Self { env, shuffle, shape, order, care } = self;
        let ordered_buckets = *order != KeyOrder::Key;
        (0..env.partitions).map(move |partition| ReduceTask {
            env,
            shuffle,
            partition,
            attempt: 1,
            shape: *shape,
            order: *order,
            ordered_buckets,
            care,
        })
    }

    /// Folds all partitions, one after the other.
    ///
    /// # Errors
    /// What `each` returns, and when a run cannot be read.
    pub fn fold<V: Datum, C: Combiner<V>>(
        &self,
        combiner: &C,
        mut each: impl FnMut(&[u8], V) -> Result,
    ) -> Result {
        let mut each = |key: AnyKey<'_>, value| key.with_bytes(|key| each(key, value));
        self.tasks().try_for_each(|task| fold_partition(&task, combiner, &mut each))
    }

    /// Groups all partitions, one after the other.
    ///
    /// # Errors
    /// What `each` returns, and when a run cannot be read.
    pub fn group<V>(&self, mut each: impl FnMut(&[u8], Values<'_, V>) -> Result) -> Result {
        self.tasks().try_for_each(|task| {
            let mut ordinal = 0;
            each_stretch(&task, |groups| {
                stream_groups(groups, &task, &mut ordinal, |key, values| each(key, Values::stream(values)))
            })
        })
    }
}

impl fmt::Debug for ReduceSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReduceSide").field("order", &self.order).finish_non_exhaustive()
    }
}

/// Encoded keys in full batches.
#[derive(Debug)]
pub struct KeyBatches(Vec<Batch<()>>);

impl KeyBatches {
    /// The keys whose encodings these are.
    #[must_use]
    pub fn new(keys: &[Vec<u8>]) -> Self {
        let batch = |keys: &[Vec<u8>]| {
            let mut batch = Batch::default();
            keys.iter().for_each(|key| _ = batch.push(key, ()));
            batch
        };
        Self(keys.chunks(BATCH).map(batch).collect())
    }
}

/// What chooses the buckets of keys.
pub struct Placing(Placement);

impl Placing {
    /// By hash, as is the default.
    #[must_use]
    pub fn by_hash(buckets: u32) -> Self {
        Self(Arc::new(ByHash { buckets }))
    }

    /// By ranges between these encoded keys.
    #[must_use]
    pub fn by_range(sample: Vec<Vec<u8>>, buckets: u32) -> Self {
        Self(Arc::new(ByRange::new(sample, buckets)))
    }

    /// Calls `each` with the bucket of every key.
    ///
    /// # Errors
    /// None for these two.
    pub fn place(&self, keys: &KeyBatches, mut each: impl FnMut(u32)) -> Result {
        let mut places = [0; BATCH];
        keys.0.iter().try_for_each(|batch| {
            self.0.place(batch.keys(), batch.marks(), &mut places)?;
            places[..batch.keys().len()].iter().for_each(|place| each(*place));
            Ok(())
        })
    }
}

impl fmt::Debug for Placing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placing").finish_non_exhaustive()
    }
}

/// The word of `len` bytes that `text` begins with, as the text tools give it.
#[must_use]
pub const fn word_of(text: &[u8], len: usize) -> Word<'_> {
    Word::within(text, len)
}

/// What keys are encoded in, one after the other.
#[derive(Debug, Default)]
pub struct KeyScratch(Code);

/// Encodes a key as the emitter does.
///
/// # Errors
/// When it has no canonical encoding.
#[inline]
pub fn encode_key<Q: Serialize + ?Sized, R>(
    key: &Q,
    scratch: &mut KeyScratch,
    consumer: impl FnOnce(&[u8]) -> R,
) -> Result<R> {
    Ok(key::encode(key, &mut scratch.0, |encoded| encoded.with_bytes(consumer))?)
}

/// Decodes a key as a reducer does.
///
/// # Errors
/// When it is none of type `T`.
#[inline]
pub fn decode_key<'de, T: Deserialize<'de>>(encoded: &'de [u8]) -> Result<T> {
    Ok(key::decode(encoded)?)
}

/// Appends the encoding of a value.
///
/// # Errors
/// When it has none.
#[inline]
pub fn encode_value<V: Datum>(value: &V, out: &mut Vec<u8>) -> Result {
    value::encode_into(value, out)
}

/// Decodes a value.
///
/// # Errors
/// When it is none of type `V`.
#[inline]
pub fn decode_value<V: Datum>(encoded: &[u8]) -> Result<V> {
    value::decode(encoded)
}
