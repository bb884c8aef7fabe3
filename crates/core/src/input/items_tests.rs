//! Tests of items: out of a file they come as they went in, in splits of the asked count.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::Buffers;
use super::super::testing::read_split;
use super::*;

type Item = (u32, String);

/// Keeps items, and errors as text.
#[derive(Debug, Default)]
struct Keep(Vec<std::result::Result<Item, String>>);

impl RecordSink<Items<Item>> for Keep {
    fn record(&mut self, _: Span, item: Item) -> Result {
        self.0.push(Ok(item));
        Ok(())
    }

    fn undecodable(&mut self, _: Span, error: BoxError) -> Result {
        self.0.push(Err(error.to_string()));
        Ok(())
    }
}

/// The items of each split with its partition.
fn read(plan: &Plan, buffer: usize) -> Vec<(u32, Vec<Item>)> {
    let mut buffers = Buffers::with_size(buffer);
    let items = |split: usize| {
        let mut sink = Keep::default();
        read_split(&Items::<Item>::new(), plan, split, &mut buffers, &mut sink).unwrap();
        sink.0.into_iter().map(|item| item.unwrap()).collect()
    };
    let partitions = plan.splits.iter().map(|split| split.partition);
    partitions.zip((0..plan.splits.len()).map(items)).collect()
}

fn expected(items: &[Item], chunk: usize, ranges: usize) -> Vec<(u32, Vec<Item>)> {
    let border = |range: usize| range * items.len() / ranges;
    let range = |range: usize| &items[border(range)..border(range + 1)];
    let splits = |k: usize| range(k).chunks(chunk).map(move |chunk| (k as u32, chunk.to_vec()));
    (0..ranges).flat_map(splits).collect()
}

proptest! {
    #[test]
    fn items_come_back_in_chunks_and_ranges(
        items in vec((any::<u32>(), "[a-zé]{0,20}"), 0..40),
        chunk in 1..12usize,
        ranges in proptest::option::of(1..6u32),
        buffer in 1..50usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let plan = spool_items(&items, &folder.path().join("items"), chunk as u64, ranges).unwrap();
        prop_assert_eq!(read(&plan, buffer), expected(&items, chunk, ranges.unwrap_or(1) as usize));
        prop_assert_eq!(plan.splits.iter().map(Split::len).sum::<u64>(), plan.total_bytes);
    }
}

#[test]
fn an_item_of_another_type_is_undecodable_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let plan = spool_items([7u8, 8], &folder.path().join("items"), 1, None).unwrap();
    let mut sink = Keep::default();
    read_split(&Items::new(), &plan, 1, &mut Buffers::default(), &mut sink).unwrap();
    let error = sink.0[0].as_ref().unwrap_err();
    assert!(error.starts_with("input in-memory items, offset 5: cannot decode"), "{error}");
}

#[test]
fn a_piece_that_cuts_an_item_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = spool_items([(1u32, "one")], &folder.path().join("items"), 1, None).unwrap();
    for len in [1, 5] {
        plan.splits[0].pieces[0].len = len;
        let mut sink = Keep::default();
        let error = read_split(&Items::new(), &plan, 0, &mut Buffers::default(), &mut sink).unwrap_err();
        assert!(error.to_string().contains("does not end in its piece"), "{error}");
    }
}

#[test]
fn a_file_that_is_there_already_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("items");
    std::fs::write(&path, "mine").unwrap();
    let error = spool_items([1u8], &path, 1, None).unwrap_err();
    assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}
