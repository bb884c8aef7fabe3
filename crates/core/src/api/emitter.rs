//! `Emitter`: where a mapper puts its pairs, and what it can ask about its input.
//!
//! It encodes keys. It does not combine, partition or spill: the collector behind it does.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;

use bstr::BStr;
use serde::Serialize;

use crate::collect::{Collector, Digest, KeySample};
use crate::counters::Counters;
use crate::input::Span;
use crate::key::{self, AnyKey, Code, Image};
use crate::output::PairWriter;
use crate::result::Result;
use crate::text::Word;

/// Takes a mapper's pairs.
pub struct Emitter<'a, K, V> {
    target: Target<'a, V>,
    input: Option<InputRef<'a>>,
    counters: &'a mut Counters,
    /// What compound keys are put together in.
    scratch: Code,
    key: PhantomData<fn(K)>,
}

/// Where the pairs go.
pub(crate) enum Target<'a, V> {
    /// On to the shuffle, by encoded key.
    Shuffle(&'a mut Collector<V>),
    /// Straight into a part file: a map-only job.
    Direct(&'a mut PairWriter),
    /// Only the keys, into a sample of them.
    Sample(&'a mut KeySample),
    /// Into a digest: the attempt is compared with another.
    Digest(&'a mut Digest),
}

/// The input file that is being read.
#[derive(Debug, Clone, Copy)]
struct InputRef<'a> {
    path: Option<&'a Path>,
    ordinal: u32,
}

impl<'a, K, V: Serialize> Emitter<'a, K, V> {
    pub(crate) fn new(target: Target<'a, V>, counters: &'a mut Counters) -> Self {
        Self { target, input: None, counters, scratch: Code::default(), key: PhantomData }
    }

    /// Says which file the records to come are from.
    pub(crate) fn set_input(&mut self, path: Option<&'a Path>, ordinal: u32) {
        self.input = Some(InputRef { path, ordinal });
    }

    /// Says that the pairs to come are of this record.
    #[inline(always)]
    pub(crate) fn mark(&mut self, record: Span) {
        if let Target::Shuffle(collector) = &mut self.target {
            collector.mark(record);
        }
    }

    /// Brings what was emitted to where it belongs, before anything else is done.
    pub(crate) fn settle(&mut self) -> Result {
        if let Target::Shuffle(collector) = &mut self.target { collector.settle() } else { Ok(()) }
    }

    /// Sees to it that all that was emitted has gone well.
    pub(crate) fn check(&mut self) -> Result {
        match &mut self.target {
            Target::Shuffle(collector) => collector.check(),
            Target::Direct(writer) => writer.check(),
            Target::Sample(_) | Target::Digest(_) => Ok(()),
        }
    }

    /// Drops what waits, in whatever state a failure has left it: all that is emitted from now on will be dropped too.
    pub(crate) fn discard(&mut self) {
        match &mut self.target {
            Target::Shuffle(collector) => collector.discard(),
            Target::Direct(writer) => writer.discard(),
            Target::Sample(_) | Target::Digest(_) => {}
        }
    }

    /// Emits one pair. The key may be a borrowed form of `K`, such as `&str` for `String`: nothing is allocated.
    ///
    /// # Errors
    /// When the key or value cannot be encoded, a combiner fails, or a spill cannot be written. An error that the
    /// mapper does not pass on fails the attempt all the same, because the pair is lost.
    #[inline]
    pub fn emit<Q>(&mut self, key: &Q, value: V) -> Result
    where
        K: Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        self.emit_as(key, value)
    }

    /// Emits one pair whose key is given in another form with the same encoding: `(&str, u32)` for `(String, u32)`.
    ///
    /// It is for the caller to see that the forms agree; a key that does not decode as `K` fails the reduce task.
    ///
    /// # Errors
    /// As [`Emitter::emit`].
    // Not always inlined: what puts a compound key together is inlined here, if there is one place for it.
    #[inline]
    pub fn emit_as<Q>(&mut self, key: &Q, value: V) -> Result
    where
        Q: Serialize + ?Sized,
    {
        match &mut self.target {
            Target::Shuffle(collector) => {
                let mut pushed = Ok(());
                // Not handed back by `encode`: a result within a result takes the way through memory.
                let push = |encoded: AnyKey<'_>| pushed = collector.push(encoded, value);
                match key::encode(key, &mut self.scratch, push) {
                    Ok(()) => pushed,
                    Err(error) => collector.poison(error.into()),
                }
            }
            _ => self.emit_aside(key, &value),
        }
    }

    /// Emits a pair of which both parts are borrowed: neither is copied before it is encoded. For values that own memory,
    /// such as strings, in jobs without a combiner.
    ///
    /// # Errors
    /// As [`Emitter::emit`].
    #[inline]
    pub fn emit_ref<Q, W>(&mut self, key: &Q, value: &W) -> Result
    where
        K: Borrow<Q>,
        V: Borrow<W>,
        Q: Serialize + ?Sized,
        W: Serialize + ?Sized,
    {
        match &mut self.target {
            Target::Shuffle(collector) => {
                let done = key::encode(key, &mut self.scratch, |encoded| collector.push_ref(encoded, value));
                match done {
                    Ok(pushed) => pushed,
                    Err(error) => collector.poison(error.into()),
                }
            }
            _ => self.emit_aside(key, value),
        }
    }

    /// Emits a pair whose key is a word from [`gristmill::text`](crate::text), which is quicker than to emit its bytes.
    ///
    /// # Errors
    /// As [`Emitter::emit`].
    #[inline(always)]
    pub fn emit_word(&mut self, word: Word<'_>, value: V) -> Result
    where
        K: Borrow<BStr>,
    {
        match &mut self.target {
            Target::Shuffle(collector) => match Image::of_tail(word.tail(), word.len()) {
                Some(image) => collector.push_image(image, value),
                None => collector.push_long(word.bytes(), value),
            },
            _ => self.emit_aside(BStr::new(word.bytes()), &value),
        }
    }

    /// Gives a pair to another target than the shuffle. Not inlined: behind every pair there would be little room for the
    /// mapper's own code.
    #[inline(never)]
    fn emit_aside<Q, W>(&mut self, key: &Q, value: &W) -> Result
    where
        Q: Serialize + ?Sized,
        W: Serialize + ?Sized,
    {
        match &mut self.target {
            Target::Shuffle(collector) => collector.poison("a pair went the wrong way".into()),
            Target::Direct(writer) => writer.write(key, value),
            Target::Sample(sample) => sample.put(key),
            Target::Digest(digest) => digest.put(key, value),
        }
    }

    /// Path of the input file; `None` for standard input, for in-memory items and outside a record.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.input.and_then(|input| input.path)
    }

    /// Ordinal of the input file, or of standard input, among all inputs of the job, from 0; `None` for in-memory items
    /// and outside a record.
    #[must_use]
    pub fn ordinal(&self) -> Option<u32> {
        self.input.map(|input| input.ordinal)
    }

    /// Adds `n` to the counter `name`; it counts if this attempt is committed.
    pub fn count(&mut self, name: &str, n: u64) {
        self.counters.add(name, n);
    }
}

impl<K, V> fmt::Debug for Emitter<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emitter").field("input", &self.input).finish_non_exhaustive()
    }
}
