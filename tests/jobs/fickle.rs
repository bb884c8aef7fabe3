//! A job that does not always come to the same.
//!
//! It is what `--verify` is to find.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use gristmill::{DynJob, Emitter, Group, Job, Out, Sum, Values, map_text, reduce_fn};
use serde::{Deserialize, Serialize};

/// Which part of the job looks at the clock
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(crate) struct Fickle {
    #[arg(long, value_enum)]
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
enum What {
    Nothing,
    Mapper,
    Counter,
    Reducer,
    /// The order of the values alone, which a reducer sees
    Order,
    /// The order of the values alone, which a combiner does not see
    FoldedOrder,
}

fn nanoseconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::from(now.subsec_nanos()))
}

pub(crate) fn build(args: Fickle) -> DynJob {
    let what = args.what;
    let map = move |line: &str, out: &mut Emitter<'_, String, u64>| {
        if what == What::Counter {
            out.count("clock", nanoseconds());
        }
        let mut values = [1, if what == What::Mapper { nanoseconds() } else { 2 }];
        if [What::Order, What::FoldedOrder].contains(&what) {
            let turn = nanoseconds() as usize / 64 % 2;
            values.rotate_left(turn);
        }
        line.split_whitespace().try_for_each(|word| values.iter().try_for_each(|&n| out.emit(word, n)))
    };
    if what == What::FoldedOrder {
        return Job::new(map_text(map)).fold_with(Sum).into_dyn();
    }
    let reduce =
        move |key: Group<'_, String>, mut values: Values<'_, u64>, out: &mut Out<'_, String, u64>| {
            let mut sum = if what == What::Reducer { nanoseconds() } else { 0 };
            while let Some(value) = values.next()? {
                sum += value;
            }
            out.emit(&key.get()?, &sum)
        };
    Job::new(map_text(map)).reduce_with(reduce_fn(reduce)).into_dyn()
}
