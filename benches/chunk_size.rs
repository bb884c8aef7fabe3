//! How the chunk size bears on the speed of a job: word count with each executor, over a file cut by bytes and over
//! in-memory items cut by number.
//!
//! Every configuration's result is compared with a plain count before anything is timed. The text is generated, and
//! a run counts from the call to the removal of its scratch files, the start of worker processes included.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use criterion::{AxisScale, BenchmarkId, Criterion, PlotConfiguration, SamplingMode, Throughput};
use gristmill::bstr::{BStr, BString};
use gristmill::{
    App, Emitter, Entered, ExecutorKind, Finished, Items, Job, Lines, Mapper, NoArgs, Result, RunOptions, Sum,
};
use gristmill_benches::{Corpus, words};

/// Enough for many tasks of the smaller sizes and for two of the largest.
const FULL: usize = 32 << 20;
/// For `cargo test`, which only wants to see every configuration work.
const QUICK: usize = 64 << 10;

const BYTES: [u64; 7] = [64 << 10, 256 << 10, 1 << 20, 4 << 20, 8 << 20, 16 << 20, 32 << 20];
const ITEMS: [u64; 6] = [100, 1_000, 5_000, 20_000, 100_000, 500_000];
const EXECUTORS: [(ExecutorKind, &str); 3] = [
    (ExecutorKind::Inline, "inline"),
    (ExecutorKind::Threads, "threads"),
    (ExecutorKind::Processes, "processes"),
];
const PARTITIONS: u32 = 4;

/// Where the lines come from, and what a chunk is measured in.
#[derive(Debug, Clone, Copy)]
enum Source {
    File,
    Memory,
}

impl Source {
    fn job(self) -> &'static str {
        match self {
            Self::File => "chunk-size-in-bytes",
            Self::Memory => "chunk-size-in-items",
        }
    }

    fn chunk_sizes(self) -> &'static [u64] {
        match self {
            Self::File => &BYTES,
            Self::Memory => &ITEMS,
        }
    }

    fn tasks(self, corpus: &Corpus, chunk: u64) -> u64 {
        match self {
            Self::File => corpus.bytes().div_ceil(chunk),
            Self::Memory => corpus.line_count().div_ceil(chunk),
        }
    }
}

#[derive(Clone)]
struct FileWords;

impl Mapper for FileWords {
    type Input = Lines;
    type Key = BString;
    type Value = u64;

    fn map(&mut self, line: &[u8], out: &mut Emitter<'_, BString, u64>) -> Result {
        words(line).try_for_each(|word| out.emit(BStr::new(word), 1))
    }
}

#[derive(Clone)]
struct ItemWords;

impl Mapper for ItemWords {
    type Input = Items<BString>;
    type Key = BString;
    type Value = u64;

    fn map(&mut self, line: BString, out: &mut Emitter<'_, BString, u64>) -> Result {
        words(&line).try_for_each(|word| out.emit(BStr::new(word), 1))
    }
}

fn main() -> Result {
    // This program is its own worker: in one, the next line does not return.
    let program = App::new()
        .internal_job(Source::File.job(), |_: NoArgs| Job::new(FileWords).fold_with(Sum))
        .internal_job(Source::Memory.job(), |_: NoArgs| Job::new(ItemWords).fold_with(Sum))
        .enter();
    let measure = std::env::args().any(|argument| argument == "--bench");
    let corpus = Corpus::generate(if measure { FULL } else { QUICK })?;
    let expected = corpus.word_counts();
    let mut criterion = Criterion::default().configure_from_args();
    for source in [Source::File, Source::Memory] {
        check(&program, &corpus, source, &expected)?;
        time(&program, &corpus, source, &mut criterion);
    }
    criterion.final_summary();
    Ok(())
}

fn run(
    program: &Entered,
    corpus: &Corpus,
    source: Source,
    executor: ExecutorKind,
    chunk: u64,
) -> Result<Finished> {
    let options = RunOptions::new().executor(executor).chunk_size(chunk).partitions(PARTITIONS);
    let options = match source {
        Source::File => options.inputs([corpus.path()]),
        Source::Memory => options.items(corpus.lines()),
    };
    Ok(program.run(source.job(), &NoArgs {}, options)?)
}

/// A figure for a wrong result is worth nothing: every configuration must give the same pairs in the same order, and
/// those that a plain count gives.
fn check(program: &Entered, corpus: &Corpus, source: Source, expected: &BTreeMap<BString, u64>) -> Result {
    let mut first: Option<Vec<(BString, u64)>> = None;
    for &chunk in source.chunk_sizes() {
        for (executor, name) in EXECUTORS {
            let finished = run(program, corpus, source, executor, chunk)?;
            let pairs = finished.pairs::<BString, u64>()?.collect::<Result<Vec<_>, _>>()?;
            let counts: BTreeMap<_, _> = pairs.iter().cloned().collect();
            if counts != *expected || counts.len() != pairs.len() {
                return Err(format!("{}, {name}, {chunk}: the counts are wrong", source.job()).into());
            }
            if *first.get_or_insert_with(|| pairs.clone()) != pairs {
                return Err(format!("{}, {name}, {chunk}: the order differs", source.job()).into());
            }
        }
    }
    Ok(())
}

fn time(program: &Entered, corpus: &Corpus, source: Source, criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group(source.job());
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .sampling_mode(SamplingMode::Flat)
        .plot_config(PlotConfiguration::default().summary_scale(AxisScale::Logarithmic));
    for (executor, name) in EXECUTORS {
        for &chunk in source.chunk_sizes() {
            // The plots have the number of elements on their axis: here it is the number of map tasks.
            let elements = source.tasks(corpus, chunk);
            group.throughput(Throughput::ElementsAndBytes { elements, bytes: corpus.bytes() });
            group.bench_function(BenchmarkId::new(name, chunk), |bencher| {
                bencher.iter(|| {
                    let finished = run(program, corpus, source, executor, chunk);
                    black_box(finished.expect("the same run has just succeeded").summary().records)
                });
            });
        }
    }
    group.finish();
}
