//! Choosing the bucket of a key, by hash and by range.
//!
//! The keys wait in batches, as they do in a worker. Nothing is written anywhere.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use gristmill::Result;
use gristmill::bench::{KeyBatches, Placing};

use crate::data::{Pairs, Scale};

const KEYS: usize = 64 << 10;
const BUCKETS: [u32; 2] = [16, 512];
/// Keys of a sample, as many as a job takes at most.
const SAMPLE: usize = 64 << 10;

pub(crate) fn benches(criterion: &mut Criterion, scale: Scale) -> Result {
    let short = Pairs::distinct(KEYS.min(scale.keys)).encoded();
    let long: Vec<_> = short.iter().map(|key| [&key[..], &[b'-'; 24]].concat()).collect();
    for (name, keys) in [("short keys", short), ("long keys", long)] {
        let mut group = criterion.benchmark_group(format!("partition, {name}"));
        group.throughput(Throughput::Elements(keys.len() as u64));
        let batches = KeyBatches::new(&keys);
        for buckets in BUCKETS {
            let sample = keys[..SAMPLE.min(keys.len())].to_vec();
            let by_range = Placing::by_range(sample, buckets);
            for (how, placing) in [("hash", Placing::by_hash(buckets)), ("range", by_range)] {
                check(&placing, &batches, keys.len(), buckets)?;
                group.bench_function(format!("{how}, {buckets} buckets"), |bencher| {
                    bencher.iter(|| sum(&placing, black_box(&batches)));
                });
            }
        }
        group.finish();
    }
    Ok(())
}

fn sum(placing: &Placing, batches: &KeyBatches) -> Result<u64> {
    let mut sum = 0;
    placing.place(batches, |bucket| sum += u64::from(bucket))?;
    Ok(sum)
}

/// Every key has a bucket, and every bucket about as many keys.
fn check(placing: &Placing, batches: &KeyBatches, keys: usize, buckets: u32) -> Result {
    let mut counts = vec![0; buckets as usize];
    placing.place(batches, |bucket| counts[bucket as usize] += 1)?;
    let even = keys / buckets as usize;
    if counts.iter().sum::<usize>() == keys && counts.iter().all(|count| (1..3 * even).contains(count)) {
        return Ok(());
    }
    Err(format!("{placing:?}: {keys} keys are divided as {counts:?}").into())
}
