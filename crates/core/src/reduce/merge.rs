//! Merges ordered segments into one stream in the order of (key, split, segment), or of hashes before keys.
//!
//! A binary heap of cursors; ties between equal keys of one split go by the cursors' own order, which is the order in
//! which a worker spilled them. It does not decode keys or values.

use std::cmp::Ordering;

use super::group::Groups;
use super::task::KeyOrder;
use crate::api::Lent;
use crate::key;
use crate::result::Result;
use crate::run::{RunWriter, SegmentReader, put_row};

/// Many segments read as one.
pub(crate) struct Merge {
    readers: Vec<SegmentReader>,
    order: KeyOrder,
    /// What the row of each reader is ordered by before its key.
    ranks: Vec<u64>,
    /// Readers that have a row, the least first.
    heap: Vec<usize>,
    /// Whether the first reader's row was handed out and has to be passed.
    spent: bool,
    /// Whether a run could not be read: nothing that comes after can be trusted, even if the error was dropped.
    failed: bool,
}

impl Merge {
    pub(crate) fn new(readers: Vec<SegmentReader>, order: KeyOrder) -> Result<Self> {
        let (ranks, heap) = (vec![0; readers.len()], Vec::with_capacity(readers.len()));
        let mut merge = Self { readers, order, ranks, heap, spent: false, failed: false };
        for reader in 0..merge.readers.len() {
            if merge.advance(reader)? {
                merge.heap.push(reader);
            }
        }
        for at in (0..merge.heap.len() / 2).rev() {
            merge.sift_down(at);
        }
        Ok(merge)
    }

    fn advance(&mut self, reader: usize) -> Result<bool> {
        let more = self.readers[reader].advance()?;
        if more && matches!(self.order, KeyOrder::Hash(_)) {
            self.ranks[reader] = key::hash(self.readers[reader].key());
        }
        Ok(more)
    }

    /// Writes all rows as they come.
    pub(crate) fn copy_to(&mut self, run: &mut RunWriter) -> Result {
        let (mut row, shape) = (Vec::new(), self.readers.first().map(SegmentReader::shape));
        while let (Some(reader), Some(shape)) = (self.first()?, shape) {
            let reader = &self.readers[reader];
            row.clear();
            put_row(&mut row, shape, reader.key(), reader.split(), reader.value());
            run.write(&row, 1)?;
            self.spent = true;
        }
        Ok(())
    }

    /// The reader whose row comes next.
    fn first(&mut self) -> Result<Option<usize>> {
        if self.failed {
            return Err("a run could not be read before".into());
        }
        if std::mem::take(&mut self.spent) {
            let reader = self.heap[0];
            self.failed = true;
            let more = self.advance(reader)?;
            self.failed = false;
            if !more {
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
        let by_rank = self.ranks[a].cmp(&self.ranks[b]);
        by_rank
            .then_with(|| left.key().cmp(right.key()))
            .then_with(|| (left.split(), a).cmp(&(right.split(), b)))
    }
}

impl Groups for Merge {
    fn next_group(&mut self, key: &mut Vec<u8>) -> Result<bool> {
        key.clear();
        let first = self.first()?;
        if let Some(reader) = first {
            key.extend_from_slice(self.readers[reader].key());
        }
        Ok(first.is_some())
    }

    fn next_value(&mut self, key: &[u8]) -> Result<Option<Lent<'_>>> {
        match self.first()? {
            Some(reader) if self.readers[reader].key() == key => {
                self.spent = true;
                // The key of the row behind it is read when it is asked for.
                Ok(Some(Lent { code: self.readers[reader].value(), last: false }))
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::run::{CommitRecord, Label, RowShape, RunFile};

    /// Keys and values of one split, in the order of its records.
    type Pairs = Vec<(Vec<u8>, u8)>;

    /// Writes each split as segments of one spill per `spill` pairs, each sorted as a worker would.
    fn readers(folder: &std::path::Path, splits: &[Pairs], spill: usize) -> Vec<SegmentReader> {
        let mut readers = Vec::new();
        for (split, pairs) in splits.iter().enumerate() {
            let path = folder.join(format!("{split}.run"));
            let mut writer = RunWriter::create(&path, &Arc::default()).expect("a run");
            for (ordinal, chunk) in pairs.chunks(spill).enumerate() {
                let mut sorted = chunk.to_vec();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                writer.begin(Label { spill: ordinal as u32, ..Label::default() }).expect("a segment");
                for (key, value) in sorted {
                    let mut row = Vec::new();
                    put_row(&mut row, RowShape::WithSplit, &key, split as u32, &[value]);
                    writer.write(&row, 1).expect("a row");
                }
            }
            writer.commit(&path, CommitRecord::default(), false).expect("a commit");
            let run = Arc::new(RunFile::open(&path).expect("the run"));
            for i in 0..run.index.segments.len() {
                readers.push(SegmentReader::new(Arc::clone(&run), i, RowShape::WithSplit, 32));
            }
        }
        readers
    }

    fn groups(mut merge: Merge) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let (mut groups, mut key, mut last) = (BTreeMap::new(), Vec::new(), None);
        while merge.next_group(&mut key).expect("a group") {
            assert!(last.as_ref() < Some(&key), "keys come in order, each once");
            last = Some(key.clone());
            let values: &mut Vec<u8> = groups.entry(key.clone()).or_default();
            while let Some(value) = merge.next_value(&key).expect("a value") {
                values.push(value.code[0]);
            }
        }
        groups
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn values_come_by_key_then_split_then_record(
            splits in prop::collection::vec(
                prop::collection::vec((prop::collection::vec(0_u8..3, 0..3), any::<u8>()), 0..40), 0..5),
            spill in 1_usize..20,
        ) {
            let mut wanted = BTreeMap::<Vec<u8>, Vec<u8>>::new();
            for (key, value) in splits.iter().flatten() {
                wanted.entry(key.clone()).or_default().push(*value);
            }
            let folder = tempfile::tempdir().expect("a folder");
            let merge = Merge::new(readers(folder.path(), &splits, spill), KeyOrder::Key).expect("a merge");
            prop_assert_eq!(groups(merge), wanted);
        }
    }
}
