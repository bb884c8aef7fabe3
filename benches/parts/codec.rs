//! Keys and values as bytes and back.
//!
//! What is encoded is looked at and forgotten; memory is used again.

use std::fmt::Debug;
use std::hint::black_box;

use criterion::{Criterion, Throughput};
use gristmill::bench::{KeyScratch, decode_key, decode_value, encode_key, encode_value};
use gristmill::{Datum, Result};

use crate::data::Pairs;

const COUNT: usize = 4096;

pub(crate) fn benches(criterion: &mut Criterion) -> Result {
    let pairs = Pairs::distinct(COUNT);
    let words: Vec<_> = pairs.strs().map(str::to_owned).collect();
    let composites: Vec<_> = words.iter().cloned().zip(pairs.numbers.iter().map(|n| *n as u32)).collect();
    let lists: Vec<_> = pairs.numbers.iter().map(|n| vec![*n as u32; (n % 8) as usize]).collect();
    keys(criterion, "String", &words)?;
    keys(criterion, "u64", &pairs.numbers)?;
    keys(criterion, "(String, u32)", &composites)?;
    keys(criterion, "Vec<u32>", &lists)?;
    let small: Vec<_> = pairs.numbers.iter().map(|n| n % 300).collect();
    values(criterion, "u64 below 300", &small)?;
    values(criterion, "u64", &pairs.numbers)?;
    values(criterion, "String", &words)?;
    values(criterion, "(String, u32)", &composites)
}

fn keys<K: Datum + PartialEq + Debug>(criterion: &mut Criterion, name: &str, keys: &[K]) -> Result {
    let mut scratch = KeyScratch::default();
    let encoded =
        keys.iter().map(|key| encode_key(key, &mut scratch, <[u8]>::to_vec)).collect::<Result<Vec<_>>>()?;
    check(name, keys, encoded.iter().map(|bytes| decode_key(bytes)))?;
    let mut group = criterion.benchmark_group("key codec");
    group.throughput(Throughput::Elements(keys.len() as u64));
    group.bench_function(format!("encode {name}"), |bencher| {
        bencher.iter(|| {
            let mut one = |key| encode_key(key, &mut scratch, |bytes| black_box(bytes).len());
            keys.iter().try_fold(0, |sum, key| one(key).map(|len| sum + len))
        });
    });
    group.bench_function(format!("decode {name}"), |bencher| {
        bencher.iter(|| {
            encoded.iter().try_for_each(|bytes| decode_key::<K>(bytes).map(|key| _ = black_box(key)))
        });
    });
    group.finish();
    Ok(())
}

fn values<V: Datum + PartialEq + Debug>(criterion: &mut Criterion, name: &str, values: &[V]) -> Result {
    let encode = |value| {
        let mut code = Vec::new();
        encode_value(value, &mut code).map(|()| code)
    };
    let encoded = values.iter().map(encode).collect::<Result<Vec<_>>>()?;
    check(name, values, encoded.iter().map(|code| decode_value(code)))?;
    let mut group = criterion.benchmark_group("value codec");
    group.throughput(Throughput::Elements(values.len() as u64));
    let mut code = Vec::new();
    group.bench_function(format!("encode {name}"), |bencher| {
        bencher.iter(|| {
            code.clear();
            values.iter().try_for_each(|value| encode_value(value, &mut code)).map(|()| code.len())
        });
    });
    group.bench_function(format!("decode {name}"), |bencher| {
        bencher.iter(|| {
            encoded.iter().try_for_each(|code| decode_value::<V>(code).map(|value| _ = black_box(value)))
        });
    });
    group.finish();
    Ok(())
}

fn check<T: PartialEq + Debug>(name: &str, given: &[T], mut back: impl Iterator<Item = Result<T>>) -> Result {
    given.iter().try_for_each(|one| match back.next() {
        Some(Ok(again)) if again == *one => Ok(()),
        other => Err(format!("{name}: {one:?} came back as {other:?}").into()),
    })
}
