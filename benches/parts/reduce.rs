//! Folds and groups of committed rows: of one bucket and of a partition, in the order of keys and in any, in memory and
//! merged from spills.
//!
//! Nothing is written as output.

use criterion::{Criterion, Throughput};
use gristmill::bench::{Hold, MapSide, ReduceSide, Terms};
use gristmill::{Result, Sum};

use crate::data::{Pairs, Scale, TERMS, fold};
use crate::emit::emit_words;

/// For a fold or a group that has to spill again and again.
const LITTLE: usize = 4 << 20;

pub(crate) fn benches(criterion: &mut Criterion, scale: Scale) -> Result {
    let bucket = Pairs::distinct(scale.bucket);
    let partition = Pairs::many(scale);
    for (name, pairs, buckets) in [("bucket", &bucket, 1), ("partition", &partition, TERMS.buckets)] {
        let terms = Terms { buckets, ..TERMS };
        both(criterion, &format!("fold, one {name}"), committed(terms, Hold::Rows, pairs)?, pairs, fold)?;
        both(
            criterion,
            &format!("group, one {name}"),
            committed(terms, Hold::Ordered, pairs)?,
            pairs,
            group,
        )?;
    }
    Ok(())
}

/// Rows of `pairs` in a run.
fn committed(terms: Terms, hold: Hold, pairs: &Pairs) -> Result<MapSide<u64>> {
    let mut side = MapSide::new(terms, Sum, hold)?;
    emit_words(&mut side, pairs)?;
    side.commit()?;
    Ok(side)
}

fn group(side: &ReduceSide) -> Result<(usize, u64)> {
    let (mut keys, mut sum) = (0, 0);
    side.group::<u64>(|_, mut values| {
        keys += 1;
        while let Some(value) = values.next()? {
            sum += value;
        }
        Ok(())
    })?;
    Ok((keys, sum))
}

/// Times `reduce` in both orders and from spills.
fn both(
    criterion: &mut Criterion,
    name: &str,
    side: MapSide<u64>,
    pairs: &Pairs,
    reduce: fn(&ReduceSide) -> Result<(usize, u64)>,
) -> Result {
    let mut timed = criterion.benchmark_group(name);
    timed.throughput(Throughput::Elements(pairs.len() as u64));
    let ways = [
        ("key order", TERMS.memory, false),
        ("any order", TERMS.memory, true),
        ("key order, from spills", LITTLE, false),
    ];
    for (way, memory, any_order) in ways {
        // A bucket fits the least memory that there may be.
        if memory == LITTLE && name.ends_with("bucket") {
            continue;
        }
        let side = side.reduce_side(memory, any_order)?;
        pairs.compare(&format!("{name}, {way}"), reduce(&side)?)?;
        timed.bench_function(way, |bencher| bencher.iter(|| reduce(&side)));
    }
    timed.finish();
    Ok(())
}
