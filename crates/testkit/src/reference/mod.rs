//! MapReduce in its plainest form: what a job's result should have been.
//!
//! It knows nothing of processes, partitions on disk, encodings or memory: everything is in ordinary collections, in one
//! thread. Where a result depends on order, it is that of the records.

mod words;

use std::collections::BTreeMap;

pub use words::{article_counts, top, whitespace_counts};

/// All values of each key: keys in order, the values of a key in the order of the records they came from.
///
/// `map` gets a record and a function to emit a pair with.
pub fn group<R, K: Ord, V>(
    records: impl IntoIterator<Item = R>,
    mut map: impl FnMut(R, &mut dyn FnMut(K, V)),
) -> BTreeMap<K, Vec<V>> {
    let mut groups = BTreeMap::<K, Vec<V>>::new();
    for record in records {
        map(record, &mut |key, value| groups.entry(key).or_default().push(value));
    }
    groups
}

/// One result for each key, from all of its values.
///
/// ```
/// use gristmill_testkit::reference::map_reduce;
///
/// let lengths = map_reduce(
///     ["to", "be", "not"],
///     |word, emit| emit(word.len(), 1),
///     |_length, ones| ones.iter().sum::<u32>(),
/// );
/// assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [(2, 2), (3, 1)]);
/// ```
pub fn map_reduce<R, K: Ord, V, O>(
    records: impl IntoIterator<Item = R>,
    map: impl FnMut(R, &mut dyn FnMut(K, V)),
    mut reduce: impl FnMut(&K, Vec<V>) -> O,
) -> BTreeMap<K, O> {
    let reduce_group = |(key, values)| {
        let result = reduce(&key, values);
        (key, result)
    };
    group(records, map).into_iter().map(reduce_group).collect()
}

/// One result for each key, its values folded in the order of the records.
pub fn map_fold<R, K: Ord, V>(
    records: impl IntoIterator<Item = R>,
    map: impl FnMut(R, &mut dyn FnMut(K, V)),
    combine: impl Fn(V, V) -> V,
) -> BTreeMap<K, V> {
    let fold = |_: &K, values: Vec<V>| {
        values.into_iter().reduce(&combine).expect("a key comes with the value it was emitted with")
    };
    map_reduce(records, map, fold)
}

/// The pairs of a job without reduce phase, in the order they were emitted in.
pub fn map_only<R, K, V>(
    records: impl IntoIterator<Item = R>,
    mut map: impl FnMut(R, &mut dyn FnMut(K, V)),
) -> Vec<(K, V)> {
    let mut pairs = Vec::new();
    for record in records {
        map(record, &mut |key, value| pairs.push((key, value)));
    }
    pairs
}

/// Distributes a result over `count` partitions, keys in order in each.
pub fn partition<K, V>(
    result: BTreeMap<K, V>,
    count: usize,
    partitioner: impl Fn(&K) -> usize,
) -> Vec<Vec<(K, V)>> {
    let mut partitions: Vec<Vec<(K, V)>> = (0..count).map(|_| Vec::new()).collect();
    for (key, value) in result {
        partitions[partitioner(&key)].push((key, value));
    }
    partitions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_first_letter(record: &'static str, emit: &mut dyn FnMut(char, &'static str)) {
        record.split(' ').for_each(|word| emit(word.chars().next().unwrap_or('?'), word));
    }

    const RECORDS: [&str; 3] = ["beta alpha", "bear", "ant bee"];

    #[test]
    fn values_keep_the_order_of_the_records() {
        let groups = group(RECORDS, by_first_letter);
        let want = BTreeMap::from([('a', vec!["alpha", "ant"]), ('b', vec!["beta", "bear", "bee"])]);
        assert_eq!(groups, want);
    }

    #[test]
    fn reducing_and_folding_agree() {
        let longer = |a: &'static str, b: &'static str| if b.len() > a.len() { b } else { a };
        let reduced = map_reduce(RECORDS, by_first_letter, |_, words| words.into_iter().reduce(longer));
        let folded = map_fold(RECORDS, by_first_letter, longer);
        assert_eq!(folded, BTreeMap::from([('a', "alpha"), ('b', "beta")]));
        assert_eq!(reduced.into_values().flatten().collect::<Vec<_>>(), ["alpha", "beta"]);
    }

    #[test]
    fn partitions_hold_every_key_once_and_in_order() {
        let result: BTreeMap<u32, ()> = (0..10).map(|key| (key, ())).collect();
        let partitions = partition(result, 3, |key| usize::from(*key >= 4) * 2);
        let keys = |at: usize| partitions[at].iter().map(|(key, ())| *key).collect::<Vec<u32>>();
        assert_eq!((keys(0), keys(1), keys(2)), (vec![0, 1, 2, 3], vec![], vec![4, 5, 6, 7, 8, 9]));
    }

    #[test]
    fn a_map_only_job_keeps_pairs_as_they_come() {
        let pairs =
            map_only(["b a", "a"], |line, emit| line.split(' ').for_each(|word| emit(word, line.len())));
        assert_eq!(pairs, [("b", 3), ("a", 3), ("a", 1)]);
    }
}
