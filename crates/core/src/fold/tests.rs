//! The table against an ordinary map: keys with and without an image, growth, values of several kinds, errors.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::*;
use crate::api::{Combiner, Max, Sum};
use crate::datum::Datum;
use crate::flight::new_page;
use crate::input::Span;
use crate::key::{self, AnyKey, Image, long_table_hash};
use crate::result::Result;

type Pairs<V> = Vec<(Vec<u8>, V)>;

/// Folds all of a batch, growing as workers do.
fn fold<V: Datum, C: Combiner<V>>(table: &mut Table<V>, batch: &mut Batch<V>, combiner: &C) -> Result {
    if !table.has_room() {
        table.grow();
    }
    table.probe().fold(batch, combiner)
}

fn table_of<V: Datum, C: Combiner<V>>(pairs: Pairs<V>, combiner: &C, seed: u64) -> Result<Table<V>> {
    let (mut table, mut batch) = (Table::new(Places::Mixed(seed)), Batch::default());
    for (key, value) in pairs {
        if batch.push(&key, value) {
            fold(&mut table, &mut batch, combiner)?;
        }
    }
    fold(&mut table, &mut batch, combiner)?;
    Ok(table)
}

fn bytes_of(key: AnyKey<'_>) -> Vec<u8> {
    key.with_bytes(<[u8]>::to_vec)
}

/// Takes everything out of a table, in the way of mappers' workers or in that of reducers'.
fn drained<V: Datum>(table: &mut Table<V>, slots_first: bool) -> HashMap<Vec<u8>, V> {
    let mut found = HashMap::new();
    let mut add = |key, value| assert!(found.insert(key, value).is_none(), "each key has one slot");
    let before = table.len();
    if slots_first {
        let mut slots = Vec::new();
        table.drain_slots(|slot, _| slots.push(slot));
        let mut contents = table.contents();
        for slot in slots {
            add(bytes_of(contents.key(&slot)), contents.value(&slot).expect("a value"));
        }
        table.clear_contents();
    } else {
        let each = |slots: &[Slot], contents: &mut Contents<'_, V>| {
            for slot in slots {
                let key = contents.key(slot);
                assert_eq!(matches!(key, AnyKey::Long(_)), Image::new(&bytes_of(key)).is_none());
                add(bytes_of(key), contents.value(slot)?);
            }
            Ok(())
        };
        table.drain(each).expect("values");
    }
    assert_eq!((found.len(), table.len(), table.is_empty()), (before, 0, true));
    found
}

fn reference<V: Datum + Clone, C: Combiner<V>>(pairs: &Pairs<V>, combiner: &C) -> HashMap<Vec<u8>, V> {
    let mut folded = HashMap::new();
    for (key, value) in pairs {
        match folded.get_mut(key) {
            Some(acc) => combiner.combine(acc, value.clone()).expect("no error"),
            None => drop(folded.insert(key.clone(), value.clone())),
        }
    }
    folded
}

/// A table agrees with an ordinary map, also when it is used again.
fn agree<V: Datum + Clone + PartialEq + std::fmt::Debug>(
    pairs: Pairs<V>,
    combiner: &impl Combiner<V>,
    seed: u64,
    slots_first: bool,
) {
    let want = reference(&pairs, combiner);
    let mut table = table_of(pairs.clone(), combiner, seed).expect("no error");
    assert_eq!(drained(&mut table, slots_first), want);
    let mut batch = Batch::default();
    for (key, value) in pairs {
        if batch.push(&key, value) {
            fold(&mut table, &mut batch, combiner).expect("no error");
        }
    }
    fold(&mut table, &mut batch, combiner).expect("no error");
    assert_eq!(drained(&mut table, !slots_first), want, "used again");
}

/// Keys of 0 to 40 bytes that are often the same but for a few bytes, most of them about as long as an image.
fn keys() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop::sample::select(vec![0, 1, b'a', 0xff]);
    let short = prop::collection::vec(byte.clone(), 0..4);
    let border = (prop::collection::vec(byte, 2), 19_usize..24)
        .prop_map(|(ends, len)| [&ends[..1], &vec![0; len], &ends[1..]].concat());
    prop_oneof![short, border, (0_usize..41).prop_map(|len| vec![0; len])]
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
        4 * acc.len()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_folds_as_a_map_does(
        pairs in prop::collection::vec((keys(), -1000_i64..1000), 0..600),
        seed: u64,
        slots_first: bool,
    ) {
        let with = |value: fn(i64) -> i64| pairs.iter().map(move |(key, n)| (key.clone(), value(*n)));
        agree(with(|n| n).collect(), &Sum, seed, slots_first);
        agree(with(|n| n).map(|(key, n)| (key, n as i32)).collect(), &Max, seed, slots_first);
        agree(with(|n| n).map(|(key, n)| (key, n as u8)).collect(), &Max, seed, slots_first);
        agree(with(|n| n).map(|(key, n)| (key, n.to_string())).collect(), &Max, seed, slots_first);
        agree(with(|n| n).map(|(key, n)| (key, i128::from(n) << 90)).collect(), &Sum, seed, slots_first);
        let lists: Pairs<Vec<u32>> = with(|n| n).map(|(key, n)| (key, vec![n as u32])).collect();
        agree(lists, &Lists, seed, slots_first);
    }

    #[test]
    fn what_values_hold_is_counted(pairs in prop::collection::vec((keys(), 0_usize..50), 1..300)) {
        let lists = pairs.iter().map(|(key, len)| (key.clone(), vec![7; *len])).collect();
        let mut table = table_of(lists, &Lists, 0).expect("no error");
        let heap: usize = pairs.iter().map(|(_, len)| 4 * len).sum();
        let with_values = table.held();
        prop_assert!(with_values >= heap);
        table.clear_contents();
        prop_assert_eq!(with_values - table.held(), heap);
        table = Table::new(Places::Mixed(0));
        prop_assert_eq!(table.held(), 0);
    }

    #[test]
    fn an_error_ends_a_fold_and_nothing_hangs(
        pairs in prop::collection::vec((keys(), 0_u64..20), 0..400),
        trap in 0_u64..20,
    ) {
        let combiner = move |acc: &mut u64, next: u64| {
            if next == trap { return Err("a trap".into()) }
            *acc += next;
            Ok(())
        };
        let mut seen = HashSet::new();
        let sprung = pairs.iter().any(|(key, value)| !seen.insert(key.clone()) && *value == trap);
        prop_assert_eq!(table_of(pairs, &combiner, 3).is_err(), sprung);
    }
}

/// From the smallest table through the sizes where it grows fourfold to those where it doubles.
#[test]
fn a_table_grows_and_loses_no_key() {
    let key = |n: u32| match n % 3 {
        0 => n.to_be_bytes().to_vec(),
        1 => format!("{n:x}").into_bytes(),
        _ => format!("a key that is too long for an image: {n}").into_bytes(),
    };
    let pairs: Pairs<u64> = (0..200_000).flat_map(|n| [(key(n), 1), (key(n / 2), 2)]).collect();
    agree(pairs, &Sum, 11, true);
}

/// Folds keys into a table by hash, and takes them out in the order of that.
fn agree_by_hash(buckets: u32, keys: Vec<Vec<u8>>) {
    let (mut table, mut batch) = (Table::new(Places::ByHash(buckets)), Batch::default());
    for key in &keys {
        if batch.push(key, 1_u64) {
            fold(&mut table, &mut batch, &Sum).expect("no error");
        }
    }
    fold(&mut table, &mut batch, &Sum).expect("no error");
    let mut found = Vec::new();
    let each = |slot: &Slot, contents: &mut Contents<'_, u64>| {
        found.push((bytes_of(contents.key(slot)), contents.value(slot)?));
        Ok(())
    };
    table.drain_in_order(each).expect("values");
    let mut wanted: Vec<_> = keys.into_iter().map(|key| (key, 1)).collect();
    wanted.sort_by_key(|(key, _)| key::hash(key));
    assert!(found == wanted, "{} of {} keys in another order", found.len(), wanted.len());
    assert_eq!(drained(&mut table, false), HashMap::new(), "it is empty");
}

/// Of one bucket among four, and of the whole range of hashes. There are more keys that belong into the last few places than
/// those are: some are at the front.
#[test]
fn a_table_by_hash_gives_its_keys_in_the_order_of_their_hashes() {
    for (buckets, before) in [(1, ""), (4, ""), (1, "a key without an image: ")] {
        let keys = (0..400_000).map(|n| (n, format!("{before}{n}").into_bytes()));
        let taken = |(n, key): &(u32, Vec<u8>)| {
            let hash = key::hash(key);
            let last = key::within_bucket(hash, buckets) >> 51 == u64::MAX >> 51;
            (*n < 20_000 * buckets || last) && key::partition_of(hash, buckets) == 0
        };
        agree_by_hash(buckets, keys.filter(taken).map(|(_, key)| key).collect());
    }
}

/// A partitioner of the user may leave a bucket with one end of the hashes: slots are taken from the first one on, far past
/// the places where their keys belong.
#[test]
fn a_table_by_hash_holds_keys_of_a_part_of_the_hashes() {
    for set in 0..200_u32 {
        let keys = (0..).map(|n: u32| format!("{set} {n}").into_bytes());
        let low = keys.filter(|key| key::hash(key) < u64::MAX / 100 * (51 + u64::from(set % 4)));
        // As many as fit into the smallest table.
        agree_by_hash(1, low.take(576).collect());
    }
}

#[test]
fn a_drain_that_fails_leaves_an_empty_table() {
    let pairs = (0..500_u32).map(|n| (n.to_be_bytes().to_vec(), n.to_string())).collect();
    let mut table = table_of(pairs, &Max, 0).expect("no error");
    let mut left = 3;
    let each = |_: &[Slot], _: &mut Contents<'_, String>| {
        left -= 1;
        if left == 0 { Err("enough".into()) } else { Ok(()) }
    };
    assert!(table.drain(each).is_err());
    assert!(table.is_empty());
    assert!(drained(&mut table, false).is_empty());
}

/// User code that fails with a pair is blamed for the pair's record, and then for the one that is being mapped.
#[test]
fn a_batch_notes_the_record_of_each_pair_and_then_the_current_one() {
    let (flight, record) = (new_page().expect("a page"), |offset| Span { offset, len: 1 });
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (sight, to) = (flight.clone(), Arc::clone(&seen));
    let watching = move |_: &mut u64, value: u64| {
        to.lock().expect("no panic").push((value, sight.sight().record));
        Ok(())
    };
    let mut table = table_of(vec![(b"key".to_vec(), 0)], &watching, 0).expect("no error");
    let mut batch = Batch::noting(flight.clone());
    for offset in 1..=3 {
        flight.record(record(offset));
        batch.mark(record(offset));
        if offset < 3 {
            batch.push(b"key", offset);
        }
    }
    fold(&mut table, &mut batch, &watching).expect("no error");
    assert_eq!(*seen.lock().expect("no panic"), [(1, Some(record(1))), (2, Some(record(2)))]);
    assert_eq!(flight.sight().record, Some(record(3)));
}

/// Pairs that come in the order of one table's slots must not fill one end of the next table first.
#[test]
fn keys_in_the_order_of_one_table_spread_over_another() {
    for before in ["", "a key that is too long for an image: "] {
        let keys = (0..100_000).map(|n| format!("{before}{n}").into_bytes());
        let placed = |places: Places, key: &[u8]| match Image::new(key) {
            Some(image) => places.of(AnyKey::Short(image)),
            None => places.of(AnyKey::Long(key)),
        };
        // About 6,250 keys for 2,048 places: 1,950 of those are taken if it is left to chance.
        let first = keys.filter(|key| placed(Places::Mixed(0), key) >> 60 == 0);
        let homes: HashSet<u64> = first.map(|key| placed(Places::AGAIN, &key) >> 53).collect();
        assert!(homes.len() > 1850, "{before:?}: only {} places are taken", homes.len());
    }
}

/// Keys of one partition share the upper bits of their hash: the places in a table must not follow from those.
#[test]
fn keys_of_one_partition_spread_over_the_whole_table() {
    for before in ["", "a key that is too long for an image: "] {
        let keys = (0..300_000).map(|n| format!("{before}{n}").into_bytes());
        let in_first = |key: &Vec<u8>| key::partition_of(key::hash(key), 64) == 0;
        let table_hash = |key: Vec<u8>| match Image::new(&key) {
            Some(image) => image.table_hash(0),
            None => long_table_hash(&key, 0),
        };
        // About 4,700 keys for 2,048 places: 1,840 of those are taken if it is left to chance.
        let homes: HashSet<u64> = keys.filter(in_first).map(|key| table_hash(key) >> 53).collect();
        assert!(homes.len() > 1700, "{before:?}: only {} places are taken", homes.len());
    }
}
