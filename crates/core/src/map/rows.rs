//! The row buffer: every pair kept, for reducers that want all values in order.
//!
//! It does not combine.

use gristmill_ipc::codec;

use super::spill::{self, Placement, Slot};
use crate::collect::PairSink;
use crate::datum::Datum;
use crate::result::Result;
use crate::run::{RowShape, RunWriter};

/// Pairs in the order in which they were emitted, encoded one behind the other.
pub(crate) struct RowBuffer {
    placement: Placement,
    split: u32,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

struct Entry {
    at: usize,
    key_len: u32,
    value_len: u32,
    split: u32,
}

impl Entry {
    fn key<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        &bytes[self.at..self.at + self.key_len as usize]
    }

    fn value<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let at = self.at + self.key_len as usize;
        &bytes[at..at + self.value_len as usize]
    }
}

impl RowBuffer {
    pub(crate) fn new(placement: Placement) -> Self {
        Self { placement, split: 0, entries: Vec::new(), bytes: Vec::new() }
    }
}

impl<V: Datum> PairSink<V> for RowBuffer {
    fn begin(&mut self, split: u32) {
        self.split = split;
    }

    fn push(&mut self, key: &[u8], value: V) -> Result<usize> {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(key);
        codec::encode_into(&value, &mut self.bytes)?;
        let key_len = u32::try_from(key.len()).map_err(|_| "a key is longer than 4 GiB")?;
        let value_len =
            u32::try_from(self.bytes.len() - at - key.len()).map_err(|_| "a value is longer than 4 GiB")?;
        self.entries.push(Entry { at, key_len, value_len, split: self.split });
        Ok(self.bytes.len() + self.entries.len() * (size_of::<Entry>() + size_of::<Slot>()))
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn spill(&mut self, run: &mut RunWriter, spill: u32) -> Result {
        let (entries, bytes) = (&self.entries, &self.bytes);
        let key = |i: u32| entries[i as usize].key(bytes);
        let count = u32::try_from(entries.len()).map_err(|_| "more than 2^32 pairs in one spill")?;
        let mut slots =
            (0..count).map(|i| Slot::new(&self.placement, i, key(i), None)).collect::<Result<Vec<_>>>()?;
        // Splits may come out of order when a task is tried again; within one, arrival is the order of records.
        spill::sort(&mut slots, key, |i| (entries[i as usize].split, i));
        spill::write(&slots, run, spill, RowShape::WithSplit, |i, out| {
            let entry = &entries[i as usize];
            out.extend_from_slice(entry.value(bytes));
            Ok((key(i), entry.split))
        })?;
        self.entries.clear();
        self.bytes.clear();
        Ok(())
    }
}
