//! From the emitter to a committed run: the forms of keys, and the ways of holding pairs.
//!
//! Each run has a new worker, whose memory is not mapped yet; what its run then costs in reduce is told apart.

use criterion::{BatchSize, Criterion, Throughput};
use gristmill::bench::{Hold, MapSide, word_of};
use gristmill::bstr::BString;
use gristmill::{Result, Sum};

use crate::data::{Pairs, Scale, TERMS, fold};

type Mapper = fn(&mut MapSide<u64>, &Pairs) -> Result;

const FORMS: [(&str, Mapper); 4] =
    [("str", emit_strs), ("word", emit_words), ("composite", emit_composites), ("u64", emit_numbers)];
const HOLDS: [(&str, Hold); 3] =
    [("adaptive", Hold::Adaptive), ("always table", Hold::Table), ("always rows", Hold::Rows)];

pub(crate) fn benches(criterion: &mut Criterion, scale: Scale) -> Result {
    let spreads = Pairs::spreads(scale);
    for pairs in &spreads {
        forms(criterion, pairs)?;
    }
    for pairs in &spreads {
        holds(criterion, pairs)?;
    }
    Ok(())
}

fn emit_strs(side: &mut MapSide<u64>, pairs: &Pairs) -> Result {
    side.emit::<String>(|out| pairs.strs().try_for_each(|word| out.emit(word, 1)))
}

pub(crate) fn emit_words(side: &mut MapSide<u64>, pairs: &Pairs) -> Result {
    side.emit::<BString>(|out| pairs.words().try_for_each(|(text, len)| out.emit_word(word_of(text, len), 1)))
}

fn emit_composites(side: &mut MapSide<u64>, pairs: &Pairs) -> Result {
    let mut keys = pairs.strs().zip(&pairs.numbers);
    side.emit::<(String, u32)>(|out| keys.try_for_each(|(word, n)| out.emit_as(&(word, *n as u32), 1)))
}

fn emit_numbers(side: &mut MapSide<u64>, pairs: &Pairs) -> Result {
    side.emit::<u64>(|out| pairs.numbers.iter().try_for_each(|number| out.emit(number, 1)))
}

/// A worker that has emitted nothing yet.
pub(crate) fn worker(hold: Hold) -> MapSide<u64> {
    MapSide::new(TERMS, Sum, hold).expect("there is room for a work folder")
}

fn run(mut side: MapSide<u64>, mapper: Mapper, pairs: &Pairs) -> Result<MapSide<u64>> {
    mapper(&mut side, pairs)?;
    side.commit()?;
    Ok(side)
}

fn forms(criterion: &mut Criterion, pairs: &Pairs) -> Result {
    let mut group = criterion.benchmark_group(format!("emit, {}", pairs.name));
    group.throughput(Throughput::Elements(pairs.len() as u64));
    for (name, mapper) in FORMS {
        let side = run(worker(Hold::Adaptive), mapper, pairs)?;
        pairs.check(name, &side.reduce_side(TERMS.memory, false)?)?;
        group.bench_function(name, |bencher| {
            let routine = |side| run(side, mapper, pairs).expect("the same has just succeeded");
            bencher.iter_batched(|| worker(Hold::Adaptive), routine, BatchSize::PerIteration);
        });
    }
    group.finish();
    Ok(())
}

fn holds(criterion: &mut Criterion, pairs: &Pairs) -> Result {
    let mut group = criterion.benchmark_group(format!("hold, {}", pairs.name));
    group.throughput(Throughput::Elements(pairs.len() as u64));
    for (name, hold) in HOLDS {
        let side = run(worker(hold), emit_words, pairs)?;
        let reduce = side.reduce_side(TERMS.memory, false)?;
        pairs.check(name, &reduce)?;
        group.bench_function(format!("{name}: map"), |bencher| {
            let routine = |side| run(side, emit_words, pairs).expect("the same has just succeeded");
            bencher.iter_batched(|| worker(hold), routine, BatchSize::PerIteration);
        });
        group.bench_function(format!("{name}: reduce"), |bencher| bencher.iter(|| fold(&reduce)));
    }
    group.finish();
    Ok(())
}
