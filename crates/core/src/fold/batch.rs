//! Pairs that wait to be folded or written together.
//!
//! The memory that its pairs will touch is asked for before it is touched, so that the waits overlap: by the batch itself
//! while pairs come, if it knows the table, else by whoever takes it. It does not fold.

use super::homes::Homes;
use super::keys::{Keys, LONG, Slot, key_of};
use crate::flight::Flight;
use crate::input::Span;
use crate::key::{AnyKey, Image};
use crate::result::{BoxError, Result};

/// Pairs in a full batch.
pub(crate) const BATCH: usize = 64;

/// Pairs whose memory is asked for together. A request is done with when its address is translated: a few at once
/// share that wait.
const GROUP: usize = 8;
const _: () = assert!(BATCH.is_multiple_of(GROUP), "a full batch is made of whole groups");

/// Bytes of long keys after which a batch counts as full.
const LONG_BYTES: usize = 64 << 10;

/// Up to [`BATCH`] pairs, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Batch<V> {
    /// The keys, and their hashes if the table is known.
    slots: Vec<Slot>,
    long: Vec<u8>,
    values: Vec<V>,
    marks: Marks,
    /// The table in which the keys are known to belong.
    homes: Option<Homes>,
}

/// From which records the pairs of a batch are: user code that fails with one of them is to be blamed for its record, not
/// for the one that is being mapped by then.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    flight: Option<Flight>,
    /// The first pair, and the record.
    records: Vec<(usize, Span)>,
}

impl Marks {
    /// Notes the record of pair `i` if the pair before, for which it was called, is of another one.
    #[inline(always)]
    pub(crate) fn note_next(&self, i: usize, next: &mut usize) {
        if self.records.get(*next).is_some_and(|(first, _)| *first == i) {
            self.note(i);
            *next += 1;
        }
    }

    /// Notes the record of pair `i` for the case that the process dies with it.
    #[inline]
    pub(crate) fn note(&self, i: usize) {
        let record = self.records.partition_point(|(first, _)| *first <= i).checked_sub(1);
        if let (Some(flight), Some(record)) = (&self.flight, record) {
            flight.record_again(self.records[record].1);
        }
    }

    /// Notes the record that is being mapped, when user code has seen all pairs: they may be of records before.
    #[inline]
    pub(crate) fn note_current(&self) {
        self.note(usize::MAX);
    }
}

impl<V> Default for Batch<V> {
    fn default() -> Self {
        let (slots, values) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
        Self { slots, long: Vec::new(), values, marks: Marks::default(), homes: None }
    }
}

impl Batch<usize> {
    /// As [`Batch::take`] for values that stand in `codes`, each up to the place that its pair has: the code of each.
    #[inline(always)]
    pub(crate) fn take_codes<'b>(
        &'b mut self,
        codes: &'b [u8],
    ) -> (Keys<'b>, impl Iterator<Item = &'b [u8]>, &'b Marks) {
        let (keys, ends, marks) = self.take();
        let mut start = 0;
        (keys, ends.map(move |end| &codes[std::mem::replace(&mut start, end)..end]), marks)
    }

    /// Moves all pairs into `decoded`, which is empty. Their values are what `decode` makes of their codes.
    ///
    /// # Errors
    /// The first of `decode`: its record is noted, and both batches are empty.
    pub(crate) fn decode_into<V>(
        &mut self,
        codes: &[u8],
        decoded: &mut Batch<V>,
        decode: impl Fn(&[u8]) -> Result<V>,
    ) -> Result {
        debug_assert!(decoded.is_empty(), "it was taken");
        let (_, codes, marks) = self.take_codes(codes);
        let (mut taken, mut noted) = (Ok(()), 0);
        for (i, code) in codes.enumerate() {
            // Decoding is user code, too.
            marks.note_next(i, &mut noted);
            match decode(code) {
                Ok(value) => decoded.values.push(value),
                Err(error) => {
                    taken = Err((i, error));
                    break;
                }
            }
        }
        if taken.is_ok() {
            marks.note_current();
            decoded.marks.records.clone_from(&marks.records);
            std::mem::swap(&mut decoded.slots, &mut self.slots);
            std::mem::swap(&mut decoded.long, &mut self.long);
            // Those who take pairs of two kinds do not tell this one where they belong.
            decoded.homes = None;
        } else {
            decoded.values.clear();
        }
        self.end(taken)
    }
}

impl<V> Batch<V> {
    /// A batch that notes the records of its pairs.
    pub(crate) fn noting(flight: Flight) -> Self {
        Self { marks: Marks { flight: Some(flight), records: Vec::with_capacity(BATCH) }, ..Self::default() }
    }

    /// Says that the pairs to come are of this record.
    #[inline(always)]
    pub(crate) fn mark(&mut self, record: Span) {
        let first = self.values.len();
        match self.marks.records.last_mut() {
            Some(last) if last.0 == first => last.1 = record,
            _ => self.marks.records.push((first, record)),
        }
    }

    /// The record that pairs are of now.
    pub(crate) fn last_mark(&self) -> Option<Span> {
        self.marks.records.last().map(|(_, record)| *record)
    }

    /// Adds a pair; true if the batch is full now and must be taken.
    #[inline(always)]
    pub(crate) fn push(&mut self, key: &[u8], value: V) -> bool {
        match Image::new(key) {
            Some(image) => self.push_image(image, value),
            None => self.push_long(key, value),
        }
    }

    /// As [`Batch::push`], for a key whose image may be known.
    #[inline(always)]
    pub(crate) fn push_any(&mut self, key: AnyKey<'_>, value: V) -> bool {
        match key {
            AnyKey::Short(image) => self.push_image(image, value),
            AnyKey::Long(key) => self.push(key, value),
        }
    }

    /// As [`Batch::push`], for a short key whose image is known.
    #[inline(always)]
    pub(crate) fn push_image(&mut self, image: Image, value: V) -> bool {
        let hash = match self.homes {
            Some(homes) => homes.hash(image),
            None => 0,
        };
        let Image([a, b, c]) = image;
        self.push_slot([a, b, c, hash], value)
    }

    /// As [`Batch::push`], for a key that has no image.
    #[inline(never)]
    pub(crate) fn push_long(&mut self, key: &[u8], value: V) -> bool {
        let (place, tag) = (self.long.len() as u64, LONG | key.len() as u64);
        self.long.extend_from_slice(key);
        let hash = self.homes.map_or(0, |homes| homes.hash_long(key));
        let full = self.push_slot([hash, place, tag, hash], value);
        full || self.long.len() >= LONG_BYTES
    }

    #[inline(always)]
    fn push_slot(&mut self, slot: Slot, value: V) -> bool {
        self.slots.push(slot);
        self.values.push(value);
        if !self.slots.len().is_multiple_of(GROUP) {
            return false;
        }
        if let (Some(homes), Some(group)) = (self.homes, self.slots.last_chunk::<GROUP>()) {
            group.iter().for_each(|slot| homes.ask(slot[3]));
        }
        self.slots.len() >= BATCH
    }

    /// Says in which table, if in any, the pairs to come belong.
    pub(super) fn expect_in(&mut self, homes: Option<Homes>) {
        debug_assert!(self.is_empty(), "hashes belong to all pairs or to none");
        self.homes = homes;
    }

    /// Says that pairs are not folded any more.
    pub(crate) fn expect_nowhere(&mut self) {
        self.homes = None;
    }

    /// Finds out the hashes of the keys, if they are not known yet.
    #[inline(always)]
    pub(super) fn know_hashes(&mut self, hash: impl Fn(AnyKey<'_>) -> u64) {
        if self.homes.is_none() {
            for slot in &mut self.slots {
                slot[3] = hash(key_of(slot, &self.long));
            }
        }
    }

    pub(crate) fn keys(&self) -> Keys<'_> {
        Keys::new(&self.slots, &self.long)
    }

    pub(crate) fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Whether no pair waits. After a panic in the middle of [`Batch::take`] only [`Batch::clear`] makes it usable.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Takes the values out, in order: beside them the keys, and what knows of which records they are. To be followed by
    /// [`Batch::end`].
    ///
    /// No closure is called with them: what is done with a pair is to become part of the caller's loop.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> (Keys<'_>, impl Iterator<Item = V>, &Marks) {
        (Keys::new(&self.slots, &self.long), self.values.drain(..), &self.marks)
    }

    /// Drops every pair, now that all were taken or one has failed, whose number stands before the error: its record is
    /// noted.
    #[inline]
    pub(crate) fn end(&mut self, taken: Result<(), (usize, BoxError)>) -> Result {
        let taken = taken.map_err(|(i, error)| {
            self.marks.note(i);
            error
        });
        self.clear();
        taken
    }

    /// Drops every pair.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.values.clear();
        self.long.clear();
        self.long.shrink_to(LONG_BYTES);
        // The record that is being mapped goes on.
        if let Some((_, record)) = self.marks.records.pop() {
            self.marks.records.clear();
            self.marks.records.push((0, record));
        }
    }
}
