//! Rows out of memory into a run file that is then committed, with each codec.
//!
//! The file stays in the page cache: what is measured is the processor's work.

use criterion::{BatchSize, Criterion, Throughput};
use gristmill::bench::{Hold, MapSide, Terms};
use gristmill::{Result, SpillCompression, Sum};

use crate::data::{Pairs, Scale, TERMS};
use crate::emit::emit_words;

const CODECS: [(&str, SpillCompression); 4] = [
    ("none", SpillCompression::None),
    ("lz4", SpillCompression::Lz4),
    ("zstd", SpillCompression::Zstd),
    ("auto", SpillCompression::Auto),
];

pub(crate) fn benches(criterion: &mut Criterion, scale: Scale) -> Result {
    let pairs = Pairs::many(scale);
    let mut group = criterion.benchmark_group("spill");
    group.throughput(Throughput::Elements(pairs.len() as u64));
    for (name, compression) in CODECS {
        check(&pairs, name, compression)?;
        group.bench_function(name, |bencher| {
            let setup = || full(&pairs, compression).expect("the same has just succeeded");
            let routine = |mut side: MapSide<u64>| {
                side.commit().expect("the same has just succeeded");
                side
            };
            bencher.iter_batched(setup, routine, BatchSize::PerIteration);
        });
    }
    group.finish();
    Ok(())
}

/// A worker that holds all pairs as rows.
fn full(pairs: &Pairs, compression: SpillCompression) -> Result<MapSide<u64>> {
    let mut side = MapSide::new(Terms { compression, ..TERMS }, Sum, Hold::Rows)?;
    emit_words(&mut side, pairs)?;
    Ok(side)
}

fn check(pairs: &Pairs, name: &str, compression: SpillCompression) -> Result {
    let mut side = full(pairs, compression)?;
    let bytes = side.commit()?;
    // A row is the word, its value and the two lengths.
    let want: u64 = pairs.strs().map(|word| word.len() as u64 + 3).sum();
    if bytes != want {
        return Err(format!("{name}: {bytes} bytes of rows were written, not {want}").into());
    }
    pairs.check(name, &side.reduce_side(TERMS.memory, false)?)
}
