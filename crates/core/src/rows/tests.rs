//! Rows put into buckets come back from a run in the order in which they were put.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::fold::value::encode_small;
use crate::key::Image;
use crate::run::{CommitRecord, RowShape, RunFile, RunWriter, Spilling, scan};

/// Partition and bucket, split, key, value. A value without bytes of its own is the number of its length.
#[derive(Debug, Clone)]
struct Put {
    place: u32,
    split: u32,
    key: Vec<u8>,
    value: Vec<u8>,
    /// Spill before this row.
    spill: bool,
}

const PARTITIONS: u32 = 3;
const BUCKETS: u32 = 4;

fn puts() -> impl Strategy<Value = Vec<Put>> {
    let len = prop_oneof![8 => 0_usize..40, 2 => 100_usize..300, 1 => 2000_usize..70_000];
    let put = (0..PARTITIONS * BUCKETS, 0_u32..3, len.clone(), len, any::<u8>(), prop::bool::weighted(0.05));
    let put = put.prop_map(|(place, split, key, value, byte, spill)| Put {
        place,
        split: split * 70_000,
        key: vec![byte; key],
        value: vec![byte; value],
        spill,
    });
    prop::collection::vec(put, 0..120)
}

type Rows = BTreeMap<(u32, u32), Vec<(u32, Vec<u8>, Vec<u8>)>>;

/// Writes the rows, with a number in place of short values where a short row can hold it, and says what should come back.
fn write(buckets: &mut Buckets, shape: RowShape, puts: &[Put], run: &mut RunWriter) -> Rows {
    let (mut want, mut spill) = (Rows::new(), 0);
    for put in puts {
        if put.spill {
            buckets.spill(run, spill).expect("a spill");
            assert!(buckets.is_empty() && buckets.held() == 0);
            spill += 1;
        }
        let split = if shape == RowShape::Plain { 0 } else { put.split };
        let mut value = put.value.clone();
        match Image::new(&put.key) {
            Some(image) if put.value.len() % 2 == 0 => {
                let small = encode_small(&(put.value.len() as u64 * 1_000_003)).expect("an integer");
                value = small.word.to_le_bytes()[..small.len].to_vec();
                buckets.put_short(put.place, buckets.split_code(put.split), image, small).expect("a row");
            }
            _ => buckets.put(put.place, put.split, &put.key, &put.value).expect("a row"),
        }
        assert!(!buckets.is_empty() && buckets.held() > 0);
        let rows = want.entry((put.place / BUCKETS, put.place % BUCKETS)).or_default();
        rows.push((split, put.key.clone(), value));
    }
    buckets.spill(run, spill).expect("a spill");
    want
}

fn read(run: &RunFile, shape: RowShape, usual: usize) -> Rows {
    let (mut found, mut buffer, mut spills) = (Rows::new(), Vec::new(), BTreeMap::new());
    for (i, segment) in run.index.segments.iter().enumerate() {
        let place = (segment.label.partition, segment.label.bucket);
        let last = spills.insert(place, segment.label.spill);
        assert!(last < Some(segment.label.spill), "spills are numbered in their order");
        let rows = found.entry(place).or_default();
        let before = rows.len();
        scan(run, i, shape, &mut buffer, usual, |row| {
            assert_eq!(row.image(), Image::new(row.key()));
            rows.push((row.split, row.key().to_vec(), row.value().to_vec()));
            Ok(())
        })
        .expect("rows");
        assert_eq!((rows.len() - before) as u64, segment.count);
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_come_back_by_bucket_in_their_order(
        puts in puts(),
        with_split: bool,
        limit in prop::sample::select(vec![1, 64 << 10, 8 << 20]),
        usual in prop::sample::select(vec![1, 33, 1000, 256 << 10]),
    ) {
        let shape = if with_split { RowShape::WithSplit } else { RowShape::Plain };
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("rows.run");
        let mut run = RunWriter::create(&path, &Arc::new(Spilling::default())).expect("a run");
        let mut buckets = Buckets::new(shape, PARTITIONS, BUCKETS, limit);
        let want = write(&mut buckets, shape, &puts, &mut run);
        run.commit(&path, CommitRecord::default(), false).expect("a commit");
        let run = RunFile::open(&path).expect("the run");
        prop_assert_eq!(read(&run, shape, usual), want);
    }
}

/// Memory that was made for one long row is given back, and what is there is used again.
#[test]
fn buckets_are_used_again_after_a_spill() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows.run");
    let mut run = RunWriter::create(&path, &Arc::new(Spilling::default())).expect("a run");
    let mut buckets = Buckets::new(RowShape::Plain, 1, 2, 1 << 20);
    for spill in 0..3 {
        buckets.put(1, 0, &vec![b'k'; 40 << 20], b"value").expect("a row longer than a slab");
        buckets.put(0, 0, b"key", b"value").expect("a row");
        assert!(buckets.held() > 40 << 20);
        buckets.spill(&mut run, spill).expect("a spill");
        assert_eq!(buckets.held(), 0);
    }
    let index = run.commit(&path, CommitRecord::default(), false).expect("a commit");
    let labels: Vec<_> = index.segments.iter().map(|s| (s.label.spill, s.label.bucket, s.count)).collect();
    assert_eq!(labels, [(0, 0, 1), (0, 1, 1), (1, 0, 1), (1, 1, 1), (2, 0, 1), (2, 1, 1)]);
}
