//! The combine table: one entry per key, values folded as they come.
//!
//! It lives as long as its worker, across tasks. It does not keep the order of values: a combiner gives that up.

use gristmill_ipc::codec;
use hashbrown::HashTable;

use super::spill::{self, Placement, Slot};
use crate::api::Combiner;
use crate::collect::PairSink;
use crate::datum::Datum;
use crate::key;
use crate::result::Result;
use crate::run::{RowShape, RunWriter};

/// A hash table from encoded keys to folded values, in the order of first appearance.
pub(crate) struct CombineTable<V, C> {
    combiner: C,
    placement: Placement,
    index: HashTable<u32>,
    entries: Vec<Entry<V>>,
    keys: Vec<u8>,
    /// Bytes that values report to hold on the heap.
    heap: usize,
}

/// Another hash of the same key. Keys of one partition share the top bits of the partition hash, so a table that used
/// it as it is would crowd them together.
fn remix(hash: u64) -> u64 {
    // The 64-bit golden ratio, as in Fibonacci hashing (Knuth, TAOCP vol. 3, 6.4).
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

struct Entry<V> {
    /// The partition hash of the key.
    hash: u64,
    key_at: usize,
    key_len: u32,
    value: V,
}

impl<V, C: Combiner<V>> CombineTable<V, C> {
    pub(crate) fn new(combiner: C, placement: Placement) -> Self {
        Self { combiner, placement, index: HashTable::new(), entries: Vec::new(), keys: Vec::new(), heap: 0 }
    }

    fn insert(&mut self, hash: u64, key: &[u8], value: V) -> Result {
        let key_len = u32::try_from(key.len()).map_err(|_| "a key is longer than 4 GiB")?;
        let position = u32::try_from(self.entries.len()).map_err(|_| "more than 2^32 keys in one table")?;
        let key_at = self.keys.len();
        self.keys.extend_from_slice(key);
        self.heap += self.combiner.heap(&value);
        self.entries.push(Entry { hash, key_at, key_len, value });
        let entries = &self.entries;
        self.index.insert_unique(remix(hash), position, |&i| remix(entries[i as usize].hash));
        Ok(())
    }

    fn held(&self) -> usize {
        // Beside an entry: its place in the index, and its slot while it is sorted.
        const BESIDE: usize = 8 + size_of::<Slot>();
        self.entries.len() * (size_of::<Entry<V>>() + BESIDE) + self.keys.len() + self.heap
    }
}

impl<V: Datum, C: Combiner<V>> PairSink<V> for CombineTable<V, C> {
    fn begin(&mut self, _split: u32) {}

    fn push(&mut self, key: &[u8], value: V) -> Result<usize> {
        let hash = key::hash(key);
        let (entries, keys) = (&mut self.entries, &self.keys);
        let found = self.index.find(remix(hash), |&i| {
            let entry = &entries[i as usize];
            entry.hash == hash && keys[entry.key_at..entry.key_at + entry.key_len as usize] == *key
        });
        match found {
            Some(&i) => {
                let acc = &mut entries[i as usize].value;
                self.heap -= self.combiner.heap(acc).min(self.heap);
                self.combiner.combine(acc, value)?;
                self.heap += self.combiner.heap(acc);
            }
            None => self.insert(hash, key, value)?,
        }
        Ok(self.held())
    }

    fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn spill(&mut self, run: &mut RunWriter, spill: u32) -> Result {
        let key = |i: u32| -> &[u8] {
            let entry = &self.entries[i as usize];
            &self.keys[entry.key_at..entry.key_at + entry.key_len as usize]
        };
        let count = self.entries.len() as u32;
        let mut slots = (0..count)
            .map(|i| Slot::new(&self.placement, i, key(i), Some(self.entries[i as usize].hash)))
            .collect::<Result<Vec<_>>>()?;
        spill::sort(&mut slots, key, |_| ());
        spill::write(&slots, run, spill, RowShape::Plain, |i, out| {
            codec::encode_into(&self.entries[i as usize].value, out)?;
            Ok((key(i), 0))
        })?;
        self.entries.clear();
        self.index.clear();
        self.keys.clear();
        self.heap = 0;
        Ok(())
    }
}
