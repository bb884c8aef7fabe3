//! The jobs that the tests of the shuffle run: one command line for every kind of key, value, order and partitioning.
//!
//! It checks nothing. [`pairs`] takes lines apart, [`folds`] and [`groups`] are the jobs, [`faults`] those that fail,
//! [`damage`] one that harms its own files.

mod damage;
mod faults;
mod folds;
mod groups;
mod pairs;

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use gristmill::{App, DynJob, Job, KeyRef, Mapper, Result, Shuffled};
use serde::{Deserialize, Serialize};

/// What to do with lines of a key, a space and a number.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(crate) struct Shuffle {
    /// Keys, values and what becomes of them
    #[arg(long, value_enum)]
    what: What,
    /// Which keys go to one part
    #[arg(long, value_enum, default_value_t)]
    by: By,
    /// Leave the keys of a part file in the order of their hashes
    #[arg(long)]
    any_order: bool,
    /// Make values, where they are text, at least so many bytes long
    #[arg(long, default_value_t = 0)]
    width: usize,
    /// Emit each pair so many times
    #[arg(long, default_value_t = 1)]
    times: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize, Deserialize)]
enum What {
    FoldU64,
    FoldI32,
    FoldU8,
    FoldU128,
    FoldText,
    FoldRefs,
    FoldPairs,
    FoldNumbers,
    FoldUnits,
    FoldLists,
    GroupText,
    GroupRefs,
    GroupMixed,
    GroupPairs,
    GroupFirst,
    CombineReduce,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
enum By {
    #[default]
    Hash,
    /// The sum of the encoded key's bytes, modulo the partitions
    Bytes,
    Range,
}

/// Settings that every job can have.
impl Shuffle {
    fn settle<M: Mapper, S>(&self, job: Job<M, Shuffled<S>>) -> Job<M, Shuffled<S>> {
        let job = job.any_order(self.any_order);
        match self.by {
            By::Hash => job,
            By::Bytes => job.partition_by(by_bytes::<M::Key>),
            By::Range => job.partition_by_range(),
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a partitioner may fail; this one does not")]
fn by_bytes<K>(key: KeyRef<'_, K>, partitions: u32) -> Result<u32> {
    Ok(key.bytes().iter().map(|&byte| u32::from(byte)).sum::<u32>() % partitions)
}

fn build(args: Shuffle) -> DynJob {
    match args.what {
        What::FoldU64 => folds::of_u64(&args),
        What::FoldI32 => folds::of_i32(&args),
        What::FoldU8 => folds::of_u8(&args),
        What::FoldU128 => folds::of_u128(&args),
        What::FoldText => folds::of_text(&args, false),
        What::FoldRefs => folds::of_text(&args, true),
        What::FoldPairs => folds::of_pairs(&args),
        What::FoldNumbers => folds::of_numbers(&args),
        What::FoldUnits => folds::of_units(&args),
        What::FoldLists => folds::of_lists(&args),
        What::GroupText => groups::of_text(&args, groups::Emit::Owned),
        What::GroupRefs => groups::of_text(&args, groups::Emit::Borrowed),
        What::GroupMixed => groups::of_text(&args, groups::Emit::ByTurns),
        What::GroupPairs => groups::of_pairs(&args),
        What::GroupFirst => groups::of_firsts(&args),
        What::CombineReduce => groups::of_sums(&args),
    }
}

fn main() -> ExitCode {
    let app = App::new().about("Jobs for tests of the shuffle").job("shuffle", build);
    damage::register(faults::register(app)).main()
}
