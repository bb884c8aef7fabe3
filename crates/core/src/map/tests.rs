//! Pair sinks: whatever is spilled when, the rows hold what was emitted, folded or in its order.

use std::collections::BTreeMap;
use std::sync::Arc;

use gristmill_ipc::codec;
use proptest::prelude::*;

use super::*;
use crate::api::Sum;
use crate::collect::PairSink;
use crate::flight::new_page;
use crate::fold::{Batch, value};
use crate::key;
use crate::rows::{Buckets, ByHash};
use crate::run::{CommitRecord, RowShape, RunFile, RunWriter, Spilling, scan};

const BUCKETS: u32 = 6;

/// Emitted pairs; of those that come encoded the flag is set.
type Pairs = Vec<(Vec<u8>, u64, bool)>;

/// A row as it stands in a bucket.
type Row = (Vec<u8>, u32, u64);

fn placement() -> crate::rows::Placement {
    Arc::new(ByHash { buckets: BUCKETS })
}

/// Runs each split through the sink as a collector does and returns the rows of each bucket, and how many spills there were.
fn rows_of(
    sink: &mut dyn PairSink<u64>,
    shape: RowShape,
    splits: &[Pairs],
) -> (BTreeMap<u32, Vec<Row>>, u32) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rows.run");
    let mut run = RunWriter::create(&path, &Arc::new(Spilling::default())).expect("a run");
    let (mut batch, mut spills) = (Batch::default(), 0);
    let (mut coded, mut codes) = (Batch::default(), Vec::new());
    for (split, pairs) in (0..).zip(splits) {
        sink.begin(split).expect("a split");
        let mut after = |full: bool, sink: &mut dyn PairSink<u64>| {
            if full {
                sink.spill(&mut run, spills).expect("a spill");
                spills += 1;
            }
        };
        for (key, number, encoded) in pairs {
            if *encoded && !batch.is_empty() {
                after(sink.push(&mut batch).expect("pairs"), sink);
            } else if !encoded && !coded.is_empty() {
                after(sink.push_coded(&mut coded, &std::mem::take(&mut codes)).expect("pairs"), sink);
            }
            if *encoded {
                codec::encode_into(number, &mut codes).expect("an integer");
                if coded.push(key, codes.len()) {
                    after(sink.push_coded(&mut coded, &std::mem::take(&mut codes)).expect("pairs"), sink);
                }
            } else if batch.push(key, *number) {
                after(sink.push(&mut batch).expect("pairs"), sink);
            }
        }
        for full in [sink.push_coded(&mut coded, &codes), sink.push(&mut batch)] {
            after(full.expect("pairs"), sink);
        }
        codes.clear();
    }
    sink.spill(&mut run, spills).expect("a spill");
    assert!(sink.is_empty());
    run.commit(&path, CommitRecord::default(), false).expect("a commit");
    (read(&RunFile::open(&path).expect("the run"), shape), spills)
}

fn read(run: &RunFile, shape: RowShape) -> BTreeMap<u32, Vec<Row>> {
    let (mut buffer, mut found) = (Vec::new(), BTreeMap::<u32, Vec<Row>>::new());
    for (i, segment) in run.index.segments.iter().enumerate() {
        let rows = found.entry(segment.label.bucket).or_default();
        scan(run, i, shape, &mut buffer, 4096, |row| {
            rows.push((row.key().to_vec(), row.split, value::decode(row.value())?));
            Ok(())
        })
        .expect("rows");
    }
    found
}

fn bucket(key: &[u8]) -> u32 {
    key::partition_of(key::hash(key), BUCKETS)
}

fn combined(splits: &[Pairs], limit: usize) -> u32 {
    let buckets = Buckets::new(RowShape::Plain, 1, BUCKETS, limit);
    let mut sink = CombineSink::new(Sum, placement(), buckets, limit, new_page().expect("a page"));
    let (found, spills) = rows_of(&mut sink, RowShape::Plain, splits);
    let mut sums = BTreeMap::new();
    for (number, (key, _, sum)) in
        found.iter().flat_map(|(number, rows)| rows.iter().map(move |row| (number, row)))
    {
        assert_eq!(*number, bucket(key), "the row lies in the bucket of its key");
        *sums.entry(key.clone()).or_insert(0) += sum;
    }
    let mut want = BTreeMap::new();
    splits.iter().flatten().for_each(|(key, number, _)| *want.entry(key.clone()).or_insert(0) += number);
    assert!(sums == want, "pairs are lost or come twice");
    spills
}

fn kept(splits: &[Pairs], limit: usize) -> u32 {
    let buckets = Buckets::new(RowShape::WithSplit, 1, BUCKETS, limit);
    let mut sink = KeepSink::new(placement(), buckets, limit);
    let (found, spills) = rows_of(&mut sink, RowShape::WithSplit, splits);
    let mut want = BTreeMap::<u32, Vec<Row>>::new();
    for (split, (key, number, _)) in
        (0..).zip(splits).flat_map(|(n, pairs)| pairs.iter().map(move |p| (n, p)))
    {
        want.entry(bucket(key)).or_default().push((key.clone(), split, *number));
    }
    assert!(found == want, "rows are lost or out of order");
    spills
}

fn splits() -> impl Strategy<Value = Vec<Pairs>> {
    let key = prop_oneof![
        prop::collection::vec(0_u8..3, 0..3),
        (0_usize..60).prop_map(|len| vec![b'k'; len]),
        any::<u16>().prop_map(|n| n.to_be_bytes().to_vec()),
    ];
    prop::collection::vec(prop::collection::vec((key, 0_u64..1 << 40, any::<bool>()), 0..400), 0..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sinks_lose_no_pair(splits in splits(), limit in prop::sample::select(vec![1, 20 << 10, 1 << 20, 64 << 20])) {
        combined(&splits, limit);
        kept(&splits, limit);
    }
}

fn distinct(count: u32, repeat: u32) -> Vec<Pairs> {
    let pair = |n: u32| (format!("key-{:06}", n / repeat).into_bytes(), u64::from(n), n % 500 < 200);
    vec![(0..count / 2).map(pair).collect(), (count / 2..count).map(pair).collect()]
}

/// Where hardly any key comes again, a table beyond the cache does not pay: pairs become rows at once.
#[test]
fn pairs_with_ever_new_keys_bypass_the_table() {
    assert_eq!(combined(&distinct(120_000, 1), 64 << 20), 0, "there is room for all");
    assert!(combined(&distinct(120_000, 1), 2 << 20) > 1);
    assert!(combined(&distinct(400_000, 5), 2 << 20) > 1);
}

#[test]
fn a_sink_without_a_table_combines_nothing() {
    let rows = |without: bool| {
        let buckets = Buckets::new(RowShape::Plain, 1, BUCKETS, 1 << 20);
        let sink = CombineSink::new(Sum, placement(), buckets, 1 << 20, new_page().expect("a page"));
        let mut sink = if without { sink.without_table() } else { sink };
        let (found, _) = rows_of(&mut sink, RowShape::Plain, &distinct(1000, 10));
        found.values().map(Vec::len).sum::<usize>()
    };
    assert_eq!((rows(false), rows(true)), (100, 1000));
}

#[test]
fn kept_pairs_are_spilled_in_time() {
    assert_eq!(kept(&distinct(50_000, 1), 64 << 20), 0);
    assert!(kept(&distinct(50_000, 1), 100 << 10) > 3);
}

/// What a table keeps when it is emptied must not be the reason to empty it again with the next batch.
#[test]
fn long_keys_fill_the_table_before_they_are_spilled() {
    let pair = |n: u32| (format!("{:0200}", n / 3).into_bytes(), u64::from(n), false);
    let spills = combined(&[(0..60_000).map(pair).collect()], 1 << 20);
    // 4 MB of keys through a table of half a MiB.
    assert!((8..40).contains(&spills), "{spills} spills");
}
