//! Pairs that wait to be folded or written together.
//!
//! The memory that its pairs will touch is asked for before it is touched, so that the waits overlap: by the batch itself
//! while pairs come, if it knows the table, else by whoever takes it. It does not fold.

use super::homes::Homes;
use crate::flight::Flight;
use crate::input::Span;
use crate::key::Image;
use crate::result::Result;

/// Pairs in a full batch.
pub(crate) const BATCH: usize = 64;

/// Bytes of long keys after which a batch counts as full.
const LONG_BYTES: usize = 64 << 10;

/// What the top byte of an image's last word says of a key that has no image.
const LONG: u64 = 0xff << 56;

/// Up to [`BATCH`] pairs, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Batch<V> {
    keys: Keys,
    values: Vec<V>,
    marks: Marks,
    /// The table in which the keys are known to belong. Their hashes are known then.
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

/// The keys of a batch.
#[derive(Debug)]
pub(crate) struct Keys {
    short: Vec<Short>,
    long: Vec<u8>,
}

/// A key's image, or what stands for it, and the hash that places it in a table.
#[derive(Debug, Clone, Copy)]
struct Short {
    image: Image,
    hash: u64,
}

/// Which pair of a batch it is, and the hash of its key if that is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) pair: usize,
    pub(super) hash: u64,
}

/// A key of a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BatchKey<'b> {
    Short(Image),
    Long(&'b [u8]),
}

impl Keys {
    pub(crate) fn len(&self) -> usize {
        self.short.len()
    }

    #[inline(always)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = BatchKey<'_>> {
        self.short.iter().map(|key| resolve(&self.long, key.image))
    }
}

#[inline(always)]
fn resolve(long: &[u8], key: Image) -> BatchKey<'_> {
    let Image([at, _, tag]) = key;
    if tag >= LONG {
        BatchKey::Long(&long[at as usize..][..(tag & !LONG) as usize])
    } else {
        BatchKey::Short(key)
    }
}

impl<V> Default for Batch<V> {
    fn default() -> Self {
        let keys = Keys { short: Vec::with_capacity(BATCH), long: Vec::new() };
        Self { keys, values: Vec::with_capacity(BATCH), marks: Marks::default(), homes: None }
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

    /// As [`Batch::push`], for a short key whose image is known.
    #[inline(always)]
    pub(crate) fn push_image(&mut self, image: Image, value: V) -> bool {
        let hash = match self.homes {
            Some(homes) => homes.expect(image),
            None => 0,
        };
        self.push_hashed(Short { image, hash }, value)
    }

    #[inline(never)]
    fn push_long(&mut self, key: &[u8], value: V) -> bool {
        let (at, len) = (self.keys.long.len() as u64, key.len() as u64);
        self.keys.long.extend_from_slice(key);
        let hash = self.homes.map_or(0, |homes| homes.expect_long(key));
        let full = self.push_hashed(Short { image: Image([at, 0, LONG | len]), hash }, value);
        full || self.keys.long.len() >= LONG_BYTES
    }

    #[inline(always)]
    fn push_hashed(&mut self, key: Short, value: V) -> bool {
        self.keys.short.push(key);
        self.values.push(value);
        self.keys.short.len() >= BATCH
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
    pub(super) fn know_hashes(&mut self, hash: impl Fn(BatchKey<'_>) -> u64) {
        if self.homes.is_none() {
            let Keys { short, long } = &mut self.keys;
            short.iter_mut().for_each(|key| key.hash = hash(resolve(long, key.image)));
        }
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(crate) fn marks(&self) -> &Marks {
        &self.marks
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Takes every pair out, in order. With `NOTE` each pair's record is noted before `each` sees it;
    /// in any case that of a pair which `each` returns an error for.
    #[inline(always)]
    pub(crate) fn take<const NOTE: bool>(
        &mut self,
        mut each: impl FnMut(At, BatchKey<'_>, V) -> Result,
    ) -> Result {
        let Self { keys, values, marks, .. } = self;
        let (mut pairs, mut next) = (keys.short.iter().zip(values.drain(..)).enumerate(), 0);
        let taken = pairs.try_for_each(|(i, (key, value))| {
            let at = At { pair: i, hash: key.hash };
            if NOTE && marks.records.get(next).is_some_and(|(first, _)| *first == i) {
                marks.note(i);
                next += 1;
            }
            each(at, resolve(&keys.long, key.image), value).inspect_err(|_| marks.note(i))
        });
        drop(pairs);
        if NOTE && taken.is_ok() {
            marks.note_current();
        }
        self.clear();
        taken
    }

    /// Drops every pair.
    pub(crate) fn clear(&mut self) {
        self.keys.short.clear();
        self.values.clear();
        self.keys.long.clear();
        self.keys.long.shrink_to(LONG_BYTES);
        // The record that is being mapped goes on.
        if let Some((_, record)) = self.marks.records.pop() {
            self.marks.records.clear();
            self.marks.records.push((0, record));
        }
    }
}
