//! Behind the emitter: holds pairs in a pair sink and spills them when the worker's share of memory is used up.
//!
//! It does not encode keys or decide when to commit.

use crate::collect::Runs;
use crate::result::{BoxError, Result};
use crate::run::RunWriter;

/// Holds the pairs of one worker between map and spill.
pub(crate) trait PairSink<V>: Send {
    /// Says that the pairs to come are of this input split.
    fn begin(&mut self, split: u32);

    /// Takes a pair; returns about how many bytes are held now.
    fn push(&mut self, key: &[u8], value: V) -> Result<usize>;

    /// Whether nothing is held.
    fn is_empty(&self) -> bool;

    /// Writes everything held as segments in key order, and is empty then.
    fn spill(&mut self, run: &mut RunWriter, spill: u32) -> Result;
}

/// The shuffle side of an emitter.
pub(crate) struct Collector<V> {
    sink: Box<dyn PairSink<V>>,
    runs: Runs,
    limit: usize,
    scratch: Vec<u8>,
    poison: Option<String>,
}

impl<V> Collector<V> {
    /// A collector that spills when `sink` holds more than `limit` bytes.
    pub(crate) fn new(sink: Box<dyn PairSink<V>>, runs: Runs, limit: usize) -> Self {
        Self { sink, runs, limit, scratch: Vec::new(), poison: None }
    }

    pub(crate) fn begin(&mut self, split: u32) {
        self.sink.begin(split);
    }

    /// Takes a pair whose key is encoded already.
    #[inline]
    pub(crate) fn push(&mut self, key: &[u8], value: V) -> Result {
        let pushed = match self.sink.push(key, value) {
            Ok(held) if held > self.limit => self.spill(),
            Ok(_) => return Ok(()),
            Err(error) => Err(error),
        };
        pushed.or_else(|error| self.poison(error))
    }

    /// Remembers that a pair was lost, so that the attempt fails even if user code drops the error.
    #[cold]
    pub(crate) fn poison(&mut self, error: BoxError) -> Result {
        self.poison.get_or_insert_with(|| error.to_string());
        Err(error)
    }

    /// Fails if a pair of the attempt was lost.
    pub(crate) fn check(&mut self) -> Result {
        match self.poison.take() {
            Some(error) => Err(format!("an emitted pair was lost: {error}").into()),
            None => Ok(()),
        }
    }

    /// Spills what is held and hands out the run files for the commit.
    pub(crate) fn finish(&mut self) -> Result<&mut Runs> {
        if !self.sink.is_empty() {
            self.spill()?;
        }
        Ok(&mut self.runs)
    }

    /// The encoder's buffer, lent out while a key is being encoded.
    #[inline]
    pub(crate) fn take_scratch(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.scratch)
    }

    #[inline]
    pub(crate) fn put_scratch(&mut self, mut scratch: Vec<u8>) {
        scratch.clear();
        self.scratch = scratch;
    }

    fn spill(&mut self) -> Result {
        let (writer, spill) = self.runs.next_spill()?;
        self.sink.spill(writer, spill)
    }
}
