//! Behind the emitter: holds pairs in a pair sink and spills them when the worker's share of memory is used up.
//!
//! It does not encode keys or decide when to commit.

use gristmill_ipc::codec;
use serde::Serialize;

use super::Runs;
use crate::flight::{Flight, Stage};
use crate::fold::Batch;
use crate::input::Span;
use crate::key::{AnyKey, Image};
use crate::result::{BoxError, Result};
use crate::run::RunWriter;

/// Holds the pairs of one worker between map and spill.
pub(crate) trait PairSink<V>: Send {
    /// Says that the pairs to come are of this input split.
    fn begin(&mut self, split: u32) -> Result;

    /// Takes all pairs of `batch`; true if there is no room for more, so that it must be spilled now.
    fn push(&mut self, batch: &mut Batch<V>) -> Result<bool>;

    /// Where the value of an encoded pair is to be appended, in the form of the value codec.
    fn code(&mut self) -> &mut Vec<u8>;

    /// Takes a pair whose encoded value was appended to [`PairSink::code`]; true as for [`PairSink::push`].
    fn push_encoded(&mut self, key: &[u8]) -> Result<bool>;

    /// Says that the pairs to come in encoded form are of this record.
    fn mark(&mut self, record: Span) {
        let _ = record;
    }

    /// Takes in what waits to be taken in together.
    fn settle(&mut self) -> Result {
        Ok(())
    }

    /// Drops what waits, in whatever state a failure of user code has left it. What is held otherwise may stay: the
    /// attempt will not be committed.
    fn discard(&mut self);

    /// Whether nothing is held.
    fn is_empty(&self) -> bool;

    /// Writes everything held into segments, and is empty then.
    fn spill(&mut self, run: &mut RunWriter, spill: u32) -> Result;
}

/// The shuffle side of an emitter.
pub(crate) struct Collector<V> {
    batch: Batch<V>,
    /// Whether the mapper hands over encoded pairs.
    encodes: bool,
    sink: Box<dyn PairSink<V>>,
    runs: Runs,
    flight: Flight,
    poison: Option<String>,
}

impl<V> Collector<V> {
    pub(crate) fn new(sink: Box<dyn PairSink<V>>, runs: Runs, flight: Flight) -> Self {
        let batch = Batch::noting(flight.clone());
        Self { batch, encodes: false, sink, runs, flight, poison: None }
    }

    /// Says that the pairs to come are of this input split.
    pub(crate) fn begin(&mut self, split: u32) -> Result {
        debug_assert!(self.batch.is_empty(), "the attempt before was checked");
        self.sink.begin(split)
    }

    /// Says that the pairs to come are of this record.
    #[inline(always)]
    pub(crate) fn mark(&mut self, record: Span) {
        self.batch.mark(record);
        if self.encodes {
            self.sink.mark(record);
        }
    }

    /// Hands on what waits: user code that sees it fails before anything else is done.
    pub(crate) fn settle(&mut self) -> Result {
        if !self.batch.is_empty() {
            self.pass_on()?;
        }
        let settled = self.sink.settle();
        settled.or_else(|error| self.poison(error))
    }

    /// Takes a pair.
    #[inline(always)]
    pub(crate) fn push(&mut self, key: AnyKey<'_>, value: V) -> Result {
        match key {
            AnyKey::Short(image) => self.push_image(image, value),
            AnyKey::Long(key) if self.batch.push(key, value) => self.pass_on(),
            AnyKey::Long(_) => Ok(()),
        }
    }

    /// As [`Collector::push`], for a key whose image is known.
    #[inline(always)]
    pub(crate) fn push_image(&mut self, image: Image, value: V) -> Result {
        if self.batch.push_image(image, value) { self.pass_on() } else { Ok(()) }
    }

    /// As [`Collector::push`], for a key that has no image.
    #[inline(never)]
    pub(crate) fn push_long(&mut self, key: &[u8], value: V) -> Result {
        if self.batch.push_long(key, value) { self.pass_on() } else { Ok(()) }
    }

    /// As [`Collector::push`], for a value that is given in a form of its encoding.
    #[inline(always)]
    pub(crate) fn push_ref<W: Serialize + ?Sized>(&mut self, key: AnyKey<'_>, value: &W) -> Result {
        if !self.batch.is_empty() {
            self.pass_on()?;
        }
        if !self.encodes {
            self.encodes = true;
            self.batch.last_mark().into_iter().for_each(|record| self.sink.mark(record));
        }
        if let Err(error) = codec::encode_into(value, self.sink.code()) {
            return self.poison(error.into());
        }
        match key.with_bytes(|key| self.sink.push_encoded(key)) {
            Ok(false) => Ok(()),
            pushed => self.after(pushed),
        }
    }

    /// Hands the batch to the sink.
    #[inline(never)]
    fn pass_on(&mut self) -> Result {
        let pushed = self.sink.push(&mut self.batch);
        self.after(pushed)
    }

    fn after(&mut self, pushed: Result<bool>) -> Result {
        let passed = match pushed {
            Ok(true) => self.spill(),
            Ok(false) => return Ok(()),
            Err(error) => Err(error),
        };
        passed.or_else(|error| self.poison(error))
    }

    /// Remembers that a pair was lost, so that the attempt fails even if user code drops the error.
    #[cold]
    pub(crate) fn poison(&mut self, error: BoxError) -> Result {
        self.batch.clear();
        self.poison.get_or_insert_with(|| error.to_string());
        Err(error)
    }

    /// Ends an attempt: fails if a pair of it was lost.
    pub(crate) fn check(&mut self) -> Result {
        self.settle()?;
        match self.poison.take() {
            Some(error) => Err(format!("an emitted pair was lost: {error}").into()),
            None => Ok(()),
        }
    }

    /// Drops what waits, in whatever state a failure has left it.
    pub(crate) fn discard(&mut self) {
        self.batch.clear();
        self.poison = None;
        self.sink.discard();
    }

    /// Spills what is held and hands out the run files for the commit.
    pub(crate) fn finish(&mut self) -> Result<&mut Runs> {
        if !self.sink.is_empty() {
            self.spill()?;
        }
        Ok(&mut self.runs)
    }

    fn spill(&mut self) -> Result {
        self.sink.settle()?;
        // What fails from here on is nothing that a single record could be blamed for, and the page keeps saying so.
        let before = self.flight.enter(Stage::Commit);
        let (writer, spill) = self.runs.next_spill()?;
        self.sink.spill(writer, spill)?;
        self.flight.stage(before);
        Ok(())
    }
}
