//! Merges ordered segments into one stream in the order of (key, split, spill).
//!
//! A binary heap of cursors; ties between equal keys of one split go by the cursors' own order, which is the order in
//! which a worker spilled them. It does not decode keys or values.

use std::cmp::Ordering;

use crate::result::Result;
use crate::run::SegmentReader;

/// Many segments read as one.
pub(crate) struct Merge {
    readers: Vec<SegmentReader>,
    /// Readers that have a row, the least first.
    heap: Vec<usize>,
    /// Whether the first reader's row was handed out and has to be passed.
    spent: bool,
}

impl Merge {
    pub(crate) fn new(mut readers: Vec<SegmentReader>) -> Result<Self> {
        let mut heap = Vec::with_capacity(readers.len());
        for (i, reader) in readers.iter_mut().enumerate() {
            if reader.advance()? {
                heap.push(i);
            }
        }
        let mut merge = Self { readers, heap, spent: false };
        for at in (0..merge.heap.len() / 2).rev() {
            merge.sift_down(at);
        }
        Ok(merge)
    }

    /// Copies the next key into `key`; `false` when there is none.
    ///
    /// Values of the key before that were not taken count as a group of their own, so take them all.
    pub(crate) fn next_group(&mut self, key: &mut Vec<u8>) -> Result<bool> {
        key.clear();
        let first = self.first()?;
        if let Some(reader) = first {
            key.extend_from_slice(self.readers[reader].key());
        }
        Ok(first.is_some())
    }

    /// The next value of `key`, or `None` when it has no more.
    pub(crate) fn next_value(&mut self, key: &[u8]) -> Result<Option<&[u8]>> {
        match self.first()? {
            Some(reader) if self.readers[reader].key() == key => {
                self.spent = true;
                Ok(Some(self.readers[reader].value()))
            }
            _ => Ok(None),
        }
    }

    /// The reader whose row comes next.
    fn first(&mut self) -> Result<Option<usize>> {
        if std::mem::take(&mut self.spent) {
            let reader = self.heap[0];
            if !self.readers[reader].advance()? {
                self.heap.swap_remove(0);
            }
            self.sift_down(0);
        }
        Ok(self.heap.first().copied())
    }

    fn sift_down(&mut self, mut at: usize) {
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let mut least = at;
            for child in [left, right] {
                if child < self.heap.len() && self.order(child, least) == Ordering::Less {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }

    fn order(&self, a: usize, b: usize) -> Ordering {
        let (a, b) = (self.heap[a], self.heap[b]);
        let (left, right) = (&self.readers[a], &self.readers[b]);
        left.key().cmp(right.key()).then_with(|| (left.split(), a).cmp(&(right.split(), b)))
    }
}
