//! Behind the emitter: holds pairs in a pair sink and spills them when the worker's share of memory is used up.
//!
//! It does not encode keys or decide when to commit.

use serde::Serialize;

use super::Runs;
use super::coded::Coded;
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

    /// The same for pairs whose values stand in `codes`, in the form of the value codec; the batch knows where each ends.
    fn push_coded(&mut self, batch: &mut Batch<usize>, codes: &[u8]) -> Result<bool>;

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
    /// Pairs whose values came in another form, and were emitted before those of the batch.
    coded: Coded,
    sink: Box<dyn PairSink<V>>,
    runs: Runs,
    flight: Flight,
    /// Whether the sink is taking pairs. It stays so if user code panics there, even if user code then goes on.
    taking: bool,
    poison: Option<String>,
}

impl<V> Collector<V> {
    pub(crate) fn new(sink: Box<dyn PairSink<V>>, runs: Runs, flight: Flight) -> Self {
        let batch = Batch::noting(flight.clone());
        let coded = Coded::noting(flight.clone());
        Self { batch, coded, sink, runs, flight, taking: false, poison: None }
    }

    /// Says that the pairs to come are of this input split.
    pub(crate) fn begin(&mut self, split: u32) -> Result {
        debug_assert!(self.batch.is_empty() && self.coded.is_empty(), "the attempt before was checked");
        self.sink.begin(split)
    }

    /// Says that the pairs to come are of this record.
    #[inline(always)]
    pub(crate) fn mark(&mut self, record: Span) {
        self.batch.mark(record);
        self.coded.mark(record);
    }

    /// Hands on what waits: user code that sees it fails before anything else is done.
    pub(crate) fn settle(&mut self) -> Result {
        self.pass_on_coded()?;
        if self.batch.is_empty() { Ok(()) } else { self.pass_on() }
    }

    /// Takes a pair.
    #[inline(always)]
    pub(crate) fn push(&mut self, key: AnyKey<'_>, value: V) -> Result {
        // Each kind of key has its own way on: one `if` behind `Batch::push_any` made a plain word count 10 % slower.
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
        match self.coded.push(key, value, &self.batch) {
            Ok(false) => Ok(()),
            Ok(true) => self.pass_on_coded(),
            Err(error) => self.poison(error.into()),
        }
    }

    /// Hands the pairs with encoded values to the sink.
    #[inline(never)]
    fn pass_on_coded(&mut self) -> Result {
        if self.coded.is_empty() {
            return Ok(());
        }
        self.begin_to_take()?;
        let pushed = self.sink.push_coded(&mut self.coded.batch, &self.coded.codes);
        self.coded.clear_codes();
        self.after(pushed)
    }

    /// Hands the batch to the sink, and what was emitted before it.
    #[inline(never)]
    fn pass_on(&mut self) -> Result {
        self.pass_on_coded()?;
        self.begin_to_take()?;
        let pushed = self.sink.push(&mut self.batch);
        self.after(pushed)
    }

    fn begin_to_take(&mut self) -> Result {
        self.none_cut_short()?;
        self.taking = true;
        Ok(())
    }

    fn none_cut_short(&mut self) -> Result {
        if !self.taking {
            return Ok(());
        }
        // The record that is being mapped by now is not to blame.
        self.flight.no_record();
        let words = self.flight.sight().last_words;
        let panic = words.lines().next().unwrap_or("the panic left no words");
        self.poison(format!("the mapper went on after a panic while its pairs were taken: {panic}").into())
    }

    fn after(&mut self, pushed: Result<bool>) -> Result {
        let passed = match pushed {
            // Rows are made of what was folded: user code has its say there too.
            Ok(true) => self.spill(),
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        self.taking = false;
        passed.or_else(|error| self.poison(error))
    }

    /// Remembers that a pair was lost, so that the attempt fails even if user code drops the error.
    #[cold]
    pub(crate) fn poison(&mut self, error: BoxError) -> Result {
        self.batch.clear();
        self.coded.clear();
        self.poison.get_or_insert_with(|| error.to_string());
        Err(error)
    }

    /// Ends an attempt: fails if a pair of it was lost.
    pub(crate) fn check(&mut self) -> Result {
        self.settle()?;
        self.none_cut_short()?;
        match self.poison.take() {
            Some(error) => Err(format!("an emitted pair was lost: {error}").into()),
            None => Ok(()),
        }
    }

    /// Drops what waits, in whatever state a failure has left it.
    pub(crate) fn discard(&mut self) {
        self.batch.clear();
        self.coded.clear();
        (self.taking, self.poison) = (false, None);
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
        // What fails from here on is nothing that a single record could be blamed for, and the page keeps saying so.
        let before = self.flight.enter(Stage::Commit);
        let (writer, spill) = self.runs.next_spill()?;
        self.sink.spill(writer, spill)?;
        self.flight.stage(before);
        Ok(())
    }
}
