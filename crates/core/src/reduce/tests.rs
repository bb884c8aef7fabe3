//! Folds and groups of a partition against ordinary maps, with so little memory that rows are spilled all the time and
//! merged in several passes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexSet;
use proptest::prelude::*;

use super::group::AnyGroups;
use super::*;
use crate::api::{Combiner, Sum};
use crate::datum::Datum;
use crate::exec::Setup;
use crate::flight::new_page;
use crate::fold::value;
use crate::input::{Chunks, Cut, Plan};
use crate::key;
use crate::options::SpillCompression;
use crate::output::Format;
use crate::result::Result;
use crate::rows::Buckets;
use crate::run::{CommitRecord, RowShape, RunFile, RunWriter, SegmentReader, SpillSettings};
use crate::task::{Care, Spot, TaskEnv};
use crate::workdir::WorkFolder;

/// Keys and values of one split, in the order of its records.
type Split<V> = Vec<(Vec<u8>, V)>;

/// A group's key and its values.
type Stored = (Vec<u8>, Vec<u32>);

/// How a partition's rows are stored and what is made of them.
#[derive(Debug, Clone, Copy)]
struct How {
    buckets: u32,
    order: KeyOrder,
    /// Buckets hold ranges of keys, not of hashes.
    by_range: bool,
    memory: usize,
    /// Rows between spills of a mapper's worker, and splits in a run.
    spill: usize,
    run: usize,
    compression: SpillCompression,
}

impl How {
    fn bucket(&self, key: &[u8]) -> u32 {
        if self.by_range {
            u32::from(key.first().copied().unwrap_or(0)) * self.buckets / 256
        } else {
            key::partition_of(key::hash(key), self.buckets)
        }
    }

    fn rank(&self, key: &[u8]) -> (u64, Vec<u8>) {
        (if self.order != KeyOrder::Key { key::hash(key) } else { 0 }, key.to_vec())
    }
}

/// Both orders of keys, buckets that are in that order and buckets that are not.
fn hows() -> impl Strategy<Value = How> {
    let order =
        prop::sample::select(vec![(KeyOrder::Key, false), (KeyOrder::Key, true), (KeyOrder::Hash(1), false)]);
    let memory = prop::sample::select(vec![1, 4 << 10, 40 << 10, 70 << 10, 200 << 10, 16 << 20]);
    let compression =
        prop::sample::select(vec![SpillCompression::None, SpillCompression::Lz4, SpillCompression::Zstd]);
    (order, 1_u32..6, memory, 1_usize..400, 1_usize..4, compression).prop_map(
        |((order, by_range), buckets, memory, spill, run, compression)| How {
            buckets,
            order,
            by_range,
            memory,
            spill,
            run,
            compression,
        },
    )
}

fn keys() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(vec![0, 1, b'a', 0xff]);
    prop_oneof![
        3 => prop::collection::vec(byte.clone(), 0..4),
        1 => prop::collection::vec(byte, 7..10),
        1 => (20_usize..27, any::<bool>()).prop_map(|(len, last)| [vec![b'k'; len], vec![u8::from(last)]].concat()),
        4 => any::<u16>().prop_map(|n| format!("{n:x}").into_bytes()),
    ]
}

fn splits(most: usize) -> impl Strategy<Value = Vec<Split<u32>>> {
    prop::collection::vec(prop::collection::vec((keys(), any::<u32>()), 0..most), 0..7)
}

fn env(work: &WorkFolder, how: &How) -> Arc<TaskEnv> {
    let setup = Setup {
        job: "job".to_owned(),
        params: Vec::new(),
        paths: work.paths.clone(),
        partitions: 1,
        buckets: how.buckets,
        format: Format::Text,
        memory: how.memory,
        flush_after: Duration::ZERO,
        durable: false,
        spilling: SpillSettings { compression: how.compression, limit: None },
        session: 1,
        hardships: crate::hardships::Hardships::default(),
        inject: None,
    };
    let plan = Plan::cut(Vec::new(), Cut::Never, Chunks::of(1), None).expect("a plan");
    setup.env("Worker-1", 1, Arc::new(plan), new_page().expect("a page"))
}

/// Writes the splits as mappers' workers do.
fn write_runs<V: Datum>(env: &TaskEnv, how: &How, shape: RowShape, splits: &[Split<V>]) {
    let mut names = IndexSet::new();
    for (number, of_run) in splits.chunks(how.run).enumerate() {
        let name = format!("{number}.run");
        let path = env.runs.join(&name);
        let mut run = RunWriter::create(&path, &env.spilling).expect("a run");
        let mut buckets = Buckets::new(shape, 1, how.buckets, 64 << 10);
        let (mut rows, mut code) = (0, Vec::new());
        for (at, split) in of_run.iter().enumerate() {
            for (key, value) in split {
                code.clear();
                value::encode_into(value, &mut code).expect("a value");
                let split = (number * how.run + at) as u32;
                buckets.put(how.bucket(key), split, key, &code).expect("a row");
                rows += 1;
                if rows % how.spill == 0 {
                    buckets.spill(&mut run, (rows / how.spill) as u32).expect("a spill");
                }
            }
        }
        buckets.spill(&mut run, u32::MAX).expect("a spill");
        run.commit(&path, CommitRecord::default(), false).expect("a commit");
        names.insert(name);
    }
    write_manifest(&env.manifest, names.iter()).expect("a manifest");
}

/// Writes the splits and calls `then` with the reduce task for them.
fn with_task<V: Datum, R>(
    how: How,
    shape: RowShape,
    splits: &[Split<V>],
    then: impl FnOnce(&ReduceTask<'_>) -> R,
) -> R {
    let folder = tempfile::tempdir().expect("a folder");
    let work = WorkFolder::scratch(folder.path()).expect("a work folder");
    let env = env(&work, &how);
    write_runs(&env, &how, shape, splits);
    let shuffle = SharedShuffle::default().open(&env).expect("the runs");
    let ordered_buckets = how.by_range || how.order != KeyOrder::Key;
    let order = match how.order {
        KeyOrder::Hash(_) => KeyOrder::Hash(how.buckets),
        KeyOrder::Key => KeyOrder::Key,
    };
    let shuffle = &*shuffle;
    let care = &Care::default();
    then(&ReduceTask { env: &env, shuffle, partition: 0, attempt: 1, shape, order, ordered_buckets, care })
}

/// All keys with all their values, in the order that is asked for.
fn reference<V: Clone>(how: How, splits: &[Split<V>]) -> Vec<(Vec<u8>, Vec<V>)> {
    let mut groups = BTreeMap::<_, Vec<V>>::new();
    for (key, value) in splits.iter().flatten() {
        groups.entry(how.rank(key)).or_default().push(value.clone());
    }
    groups.into_iter().map(|((_, key), values)| (key, values)).collect()
}

fn folded<V: Datum>(how: How, splits: &[Split<V>], combiner: &impl Combiner<V>) -> Result<Vec<(Vec<u8>, V)>> {
    with_task(how, RowShape::Plain, splits, |task| {
        let mut found = Vec::new();
        fold_partition(task, combiner, |key, value| {
            found.push((key.with_bytes(<[u8]>::to_vec), value));
            Ok(())
        })?;
        Ok(found)
    })
}

/// As [`folded`], one group after the other, without those whose ordinal is in `skip`; also which were to blame.
fn folded_one_by_one(
    how: How,
    splits: &[Split<u32>],
    skip: &[u64],
    combiner: &impl Combiner<u32>,
) -> (Split<u32>, Vec<u64>, Vec<Stored>) {
    struct Work<'a, C>(&'a C, Vec<(Vec<u8>, u32)>);
    impl<C: Combiner<u32>> GroupWork for Work<'_, C> {
        fn setup(&mut self) -> Result {
            Ok(())
        }

        fn group(&mut self, key: &[u8], values: &mut dyn crate::api::ValueStream) -> Result {
            self.1.push((key.to_vec(), fold_values(self.0, values)?));
            Ok(())
        }

        fn start_afresh(&mut self) -> Result {
            Ok(())
        }

        fn cleanup(&mut self) -> Result {
            Ok(())
        }
    }
    with_task(how, RowShape::Plain, splits, |task| {
        let skip = skip.iter().map(|&ordinal| Spot::Group { partition: 0, ordinal }).collect();
        let care = Care { closely: true, probe: u64::MAX, skip, ..Care::default() };
        let task = ReduceTask { care: &care, ..*task };
        std::fs::create_dir(&task.env.quarantine).expect("a folder");
        let mut work = Work(combiner, Vec::new());
        let done = one_by_one(&task, &mut work);
        let blames = task.env.blames.take();
        assert_eq!(done.is_err(), !blames.is_empty());
        let ordinal = |spot: &Spot| match spot {
            Spot::Group { ordinal, .. } => *ordinal,
            Spot::Record { .. } => panic!("no record is reduced"),
        };
        let stored = care
            .skip
            .iter()
            .filter_map(|spot| stored(&task.env.quarantine.join(format!("{spot}.run"))))
            .collect();
        (work.1, blames.iter().map(|blame| ordinal(&blame.spot)).collect(), stored)
    })
}

/// The group in a run of its own, if the run is there.
fn stored(path: &std::path::Path) -> Option<Stored> {
    let run = Arc::new(RunFile::open(path).ok()?);
    let mut reader = SegmentReader::new(run, 0, RowShape::WithSplit, 100);
    let (mut key, mut values) = (Vec::new(), Vec::new());
    while reader.advance().expect("a row") {
        key = reader.key().to_vec();
        values.push(value::decode(reader.value()).expect("a value"));
    }
    Some((key, values))
}

/// The groups, of each of which only so many values are taken.
fn grouped(how: How, splits: &[Split<u32>], most: usize) -> Result<Vec<(Vec<u8>, Vec<u32>)>> {
    with_task(how, RowShape::WithSplit, splits, |task| {
        let (mut found, mut ordinal) = (Vec::new(), 0);
        each_stretch(task, |groups: &mut AnyGroups<'_>| {
            stream_groups(groups, task, &mut ordinal, |key, values| {
                let mut taken = Vec::new();
                while taken.len() < most
                    && let Some(next) = values.next_value()?
                {
                    taken.push(value::decode(next.code)?);
                }
                found.push((key.to_vec(), taken));
                Ok(())
            })
        })?;
        Ok(found)
    })
}

/// Joins sorted lists and reports what they hold.
#[derive(Clone)]
struct Lists;

impl Combiner<Vec<u32>> for Lists {
    fn combine(&self, acc: &mut Vec<u32>, mut next: Vec<u32>) -> Result {
        acc.append(&mut next);
        acc.sort_unstable();
        Ok(())
    }

    fn heap(&self, acc: &Vec<u32>) -> usize {
        size_of_val(&acc[..])
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn integers_are_folded_whatever_the_memory(how in hows(), splits in splits(800)) {
        let of_u64 = |(key, value): &(Vec<u8>, u32)| (key.clone(), u64::from(*value));
        let splits: Vec<Split<u64>> = splits.iter().map(|split| split.iter().map(of_u64).collect()).collect();
        let want: Vec<_> =
            reference(how, &splits).into_iter().map(|(key, all)| (key, all.iter().sum::<u64>())).collect();
        prop_assert_eq!(folded(how, &splits, &Sum).expect("a fold"), want);
    }

    #[test]
    fn values_that_grow_are_folded_whatever_the_memory(how in hows(), splits in splits(300)) {
        let list = |(key, value): &(Vec<u8>, u32)| (key.clone(), vec![*value]);
        let splits: Vec<Split<Vec<u32>>> = splits.iter().map(|split| split.iter().map(list).collect()).collect();
        let sorted = |(key, all): (Vec<u8>, Vec<Vec<u32>>)| {
            let mut all = all.concat();
            all.sort_unstable();
            (key, all)
        };
        let want: Vec<_> = reference(how, &splits).into_iter().map(sorted).collect();
        prop_assert_eq!(folded(how, &splits, &Lists).expect("a fold"), want);
    }

    #[test]
    fn groups_are_blamed_and_left_out_by_their_place(
        how in hows(),
        splits in splits(200),
        skip in prop::collection::btree_set(0_u64..40, 0..6),
        trap in 0_u32..30,
    ) {
        let splits: Vec<Split<u32>> = splits
            .iter()
            .map(|split| split.iter().map(|(key, value)| (key.clone(), value % 30)).collect())
            .collect();
        // A sum and whether the trap is among what was added.
        let combiner = move |acc: &mut u32, next: u32| {
            if *acc == trap || next == trap { return Err("a trap".into()) }
            *acc = 100;
            Ok(())
        };
        let groups = reference(how, &splits);
        let is_bad = |values: &Vec<u32>| values.len() > 1 && values.contains(&trap);
        let skip: Vec<_> = skip.into_iter().collect();
        let (mut good, mut bad, mut out) = (Vec::new(), Vec::new(), Vec::new());
        for (ordinal, (key, values)) in (0..).zip(&groups) {
            match () {
                () if skip.contains(&ordinal) => out.push((key.clone(), values.clone())),
                () if is_bad(values) => bad.push(ordinal),
                () => good.push((key.clone(), if values.len() > 1 { 100 } else { values[0] })),
            }
        }
        let (found, blamed, stored) = folded_one_by_one(how, &splits, &skip, &combiner);
        prop_assert_eq!((found, blamed), (good, bad));
        let sorted = |groups: Vec<Stored>| -> Vec<_> {
            groups.into_iter().map(|(key, mut values)| { values.sort_unstable(); (key, values) }).collect()
        };
        prop_assert_eq!(sorted(stored), sorted(out));
    }

    #[test]
    fn groups_come_with_their_values_in_order_whatever_the_memory(
        how in hows(),
        splits in splits(300),
        most in prop::sample::select(vec![usize::MAX, 0, 1, 3]),
    ) {
        let mut want = reference(how, &splits);
        want.iter_mut().for_each(|(_, values)| values.truncate(most));
        prop_assert_eq!(grouped(how, &splits, most).expect("groups"), want);
    }

    #[test]
    fn a_combiner_that_fails_fails_the_fold(how in hows(), splits in splits(100), trap in 0_u32..4) {
        let splits: Vec<Split<u32>> = splits
            .iter()
            .map(|split| split.iter().map(|(key, value)| (key.clone(), value % 4)).collect())
            .collect();
        // Which of two values is the first is not said: both are looked at, and none gets lost.
        let combiner = move |acc: &mut u32, next: u32| {
            if *acc == trap || next == trap { return Err("a trap".into()) }
            *acc = 9;
            Ok(())
        };
        let sprung = reference(how, &splits).iter().any(|(_, all)| all.len() > 1 && all.contains(&trap));
        prop_assert_eq!(folded(how, &splits, &combiner).is_err(), sprung);
    }
}

/// One key has nearly all rows: more than a hundred spills of it, of which two are merged at a time.
#[test]
fn a_giant_key_keeps_its_order_through_many_passes() {
    for (order, by_range) in [(KeyOrder::Key, false), (KeyOrder::Key, true), (KeyOrder::Hash(1), false)] {
        let how = How {
            buckets: 4,
            order,
            by_range,
            memory: 4 << 10,
            spill: 700,
            run: 2,
            compression: SpillCompression::None,
        };
        let pair =
            |n: u32| (if n.is_multiple_of(9) { n.to_be_bytes().to_vec() } else { b"giant".to_vec() }, n);
        let splits: Vec<Split<u32>> =
            (0..5).map(|s| (s * 2000..(s + 1) * 2000).map(pair).collect()).collect();
        let want = reference(how, &splits);
        assert!(grouped(how, &splits, usize::MAX).expect("groups") == want, "{how:?}");
    }
}

#[test]
fn a_row_larger_than_the_memory_goes_through() {
    let how = How {
        buckets: 2,
        order: KeyOrder::Key,
        by_range: false,
        memory: 16 << 10,
        spill: 2,
        run: 1,
        compression: SpillCompression::Lz4,
    };
    let long = |n: u32| vec![n as u8; 300_000];
    let splits: Vec<Split<u32>> =
        (0..4).map(|s| vec![(long(s % 2), s), (vec![1], 5), (long(7), s)]).collect();
    assert!(grouped(how, &splits, usize::MAX).expect("groups") == reference(how, &splits));
    let sums: Vec<_> =
        reference(how, &splits).into_iter().map(|(key, all)| (key, all.iter().sum::<u32>())).collect();
    assert!(folded(how, &splits, &Sum).expect("a fold") == sums);
}

/// A numbered series, as identifiers are, and a few keys before it, behind it and on the way to it.
#[test]
fn keys_that_begin_alike_are_in_order_with_the_few_that_do_not() {
    let strays = ["", "a", "s", "serie", "series/", "series/0000", "series/zzz", "serieslike", "zz", "~"];
    let key = |n: u32| match n % 1499 {
        0 => strays[(n / 1499) as usize % strays.len()].to_owned(),
        _ => format!("series/{:010}{}", n * 7919 % 20_011, ["", "/and-more"][n as usize % 2]),
    };
    let splits: Vec<Split<u32>> =
        (0..5).map(|s| (s * 4000..(s + 1) * 4000).map(|n| (key(n).into_bytes(), n % 10)).collect()).collect();
    for (buckets, memory, by_range) in
        [(1, 16 << 20, false), (3, 16 << 20, false), (3, 16 << 20, true), (3, 300 << 10, false)]
    {
        let (order, compression) = (KeyOrder::Key, SpillCompression::None);
        let how = How { buckets, order, by_range, memory, spill: 5000, run: 2, compression };
        let want = reference(how, &splits);
        let sums: Vec<_> = want.iter().map(|(key, all)| (key.clone(), all.iter().sum::<u32>())).collect();
        assert!(folded(how, &splits, &Sum).expect("a fold") == sums, "{how:?}");
        assert!(grouped(how, &splits, usize::MAX).expect("groups") == want, "{how:?}");
    }
}
