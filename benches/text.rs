//! How fast words, fields and numbers are found in text, each next to the plain way of the standard library.
//!
//! It reads no files: what is measured is the search alone, in a block that stays in the cache.

use std::convert::Infallible;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gristmill::text::{Scratch, key_values, lower_words, parse_i64, parse_u64, words};
use gristmill_testkit::text::ZipfText;

const BLOCK: usize = 256 << 10;
const NUMBERS: usize = 4096;

/// The next number of a fixed sequence.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 32
}

fn prose() -> String {
    let mut source = ZipfText::new(1, 50_000);
    let mut text = String::with_capacity(BLOCK + (1 << 16));
    while text.len() < BLOCK {
        text.push_str(&source.lines(64));
    }
    text
}

fn lines() -> String {
    let mut state = 1;
    let mut text = String::with_capacity(BLOCK + 64);
    while text.len() < BLOCK {
        let (key, value) = (next(&mut state) << 32 | next(&mut state), next(&mut state) % 1_000_000);
        text.push_str(&format!("{key:016x}\t{value}\n"));
    }
    text
}

fn find_words(criterion: &mut Criterion) {
    let text = prose();
    let block = text.as_bytes();
    let mut scratch = Scratch::default();
    let mut group = criterion.benchmark_group("words");
    group.throughput(Throughput::Bytes(block.len() as u64));
    group.bench_function("lower_words", |bencher| {
        bencher.iter(|| {
            let mut sum = 0;
            let Ok(()) = lower_words(black_box(block), &mut scratch, |word| {
                sum += word.len();
                Ok::<_, Infallible>(())
            });
            sum
        });
    });
    group.bench_function("words", |bencher| {
        bencher.iter(|| {
            let mut sum = 0;
            let Ok(()) = words(black_box(block), &mut scratch, |word| {
                sum += word.len();
                Ok::<_, Infallible>(())
            });
            sum
        });
    });
    group.bench_function("split and to_ascii_lowercase", |bencher| {
        bencher.iter(|| {
            let lowered = black_box(block).to_ascii_lowercase();
            gristmill_benches::words(&lowered).map(<[u8]>::len).sum::<usize>()
        });
    });
    group.finish();
}

fn find_pairs(criterion: &mut Criterion) {
    let text = lines();
    let mut scratch = Scratch::default();
    let mut group = criterion.benchmark_group("key_values");
    group.throughput(Throughput::Elements(text.lines().count() as u64));
    group.bench_function("key_values", |bencher| {
        bencher.iter(|| {
            let mut sum = 0;
            let Ok(()) = key_values(black_box(text.as_bytes()), b'\t', &mut scratch, |key, value| {
                sum += key.len() ^ value.len();
                Ok::<_, Infallible>(())
            });
            sum
        });
    });
    group.bench_function("key_values and parse_u64", |bencher| {
        bencher.iter(|| {
            let mut sum = 0;
            key_values(black_box(text.as_bytes()), b'\t', &mut scratch, |_, value| {
                sum += parse_u64(value).ok_or("not a number")?;
                Ok::<_, &str>(())
            })
            .map(|()| sum)
        });
    });
    group.bench_function("lines, split_once and parse", |bencher| {
        bencher.iter(|| {
            let pairs = black_box(&text).lines().filter_map(|line| line.split_once('\t'));
            pairs.filter_map(|(_, value)| value.parse::<u64>().ok()).sum::<u64>()
        });
    });
    group.finish();
}

/// Numbers of `from` to `to` digits, every length as often.
fn numbers(from: u64, to: u64) -> Vec<String> {
    let mut state = from;
    let mut number = || {
        let digits = from + next(&mut state) % (to - from + 1);
        (0..digits).map(|_| char::from(b'0' + (next(&mut state) % 10) as u8)).collect()
    };
    (0..NUMBERS).map(|_| number()).collect()
}

fn parse(criterion: &mut Criterion) {
    for (from, to) in [(1, 1), (3, 3), (6, 6), (8, 8), (1, 8), (9, 16), (1, 19)] {
        let numbers = numbers(from, to);
        let mut group = criterion.benchmark_group(format!("parse {from} to {to} digits"));
        group.throughput(Throughput::Elements(NUMBERS as u64));
        let mut bench = |name, parse: fn(&[String]) -> u64| {
            group.bench_function(name, |bencher| bencher.iter(|| parse(black_box(&numbers))));
        };
        bench("parse_u64", |numbers| {
            numbers.iter().filter_map(|text| parse_u64(text.as_bytes())).fold(0, u64::wrapping_add)
        });
        bench("parse_i64", |numbers| {
            let each = numbers.iter().filter_map(|text| parse_i64(text.as_bytes()));
            each.fold(0, |sum, number| sum.wrapping_add_signed(number))
        });
        bench("str::parse", |numbers| {
            numbers.iter().filter_map(|text| text.parse().ok()).fold(0, u64::wrapping_add)
        });
        group.finish();
    }
}

criterion_group!(benches, find_words, find_pairs, parse);
criterion_main!(benches);
