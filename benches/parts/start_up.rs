//! What a job takes that has hardly anything to do, with each executor.
//!
//! A run counts from the call to the removal of its scratch files, the start and end of worker processes included.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::Criterion;
use gristmill::bstr::{BStr, BString};
use gristmill::{
    App, Emitter, Entered, ExecutorKind, Finished, Job, Lines, Mapper, NoArgs, Result, RunOptions, Sum,
};
use gristmill_benches::{Corpus, words};

const JOB: &str = "start-up";
const BYTES: usize = 1 << 10;
const EXECUTORS: [(&str, ExecutorKind); 3] = [
    ("inline", ExecutorKind::Inline),
    ("threads", ExecutorKind::Threads),
    ("processes", ExecutorKind::Processes),
];

#[derive(Clone)]
struct Words;

impl Mapper for Words {
    type Input = Lines;
    type Key = BString;
    type Value = u64;

    fn map(&mut self, line: &[u8], out: &mut Emitter<'_, BString, u64>) -> Result {
        words(line).try_for_each(|word| out.emit(BStr::new(word), 1))
    }
}

/// The program with its one job.
pub(crate) fn program() -> Entered {
    App::new().internal_job(JOB, |_: NoArgs| Job::new(Words).fold_with(Sum)).enter()
}

pub(crate) fn benches(criterion: &mut Criterion, program: &Entered) -> Result {
    let corpus = Corpus::generate(BYTES)?;
    let mut group = criterion.benchmark_group("start-up");
    for (name, executor) in EXECUTORS {
        let counts = run(program, &corpus, executor)?.pairs()?.collect::<Result<BTreeMap<_, _>, _>>()?;
        if counts != corpus.word_counts() {
            return Err(format!("{name}: the counts are wrong").into());
        }
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let finished = run(program, &corpus, executor);
                black_box(finished.expect("the same run has just succeeded").summary().records)
            });
        });
    }
    group.finish();
    Ok(())
}

fn run(program: &Entered, corpus: &Corpus, executor: ExecutorKind) -> Result<Finished> {
    let options = RunOptions::new().executor(executor).inputs([corpus.path()]);
    Ok(program.run(JOB, &NoArgs {}, options)?)
}
