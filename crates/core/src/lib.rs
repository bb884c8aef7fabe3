//! MapReduce on one machine: crash-isolated worker processes, a partition stage, deterministic output.
//!
//! A program implements [`Mapper`] and [`Reducer`] (or a [`Combiner`]), registers jobs with an [`App`], and gets a
//! command line, worker processes, logging and byte-identical output whatever the number of workers.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use gristmill::{App, Emitter, Job, Mapper, NoArgs, Result, Sum, Text};
//!
//! #[derive(Clone)]
//! struct Words;
//!
//! impl Mapper for Words {
//!     type Input = Text;
//!     type Key = String;
//!     type Value = u64;
//!
//!     fn map(&mut self, line: &str, out: &mut Emitter<'_, String, u64>) -> Result {
//!         line.split_whitespace().try_for_each(|word| out.emit(word, 1))
//!     }
//! }
//!
//! fn main() -> ExitCode {
//!     App::new().job("wordcount", |_: NoArgs| Job::new(Words).fold_with(Sum)).main()
//! }
//! ```
//!
//! # The way of a record
//!
//! ```text
//! input ─► split ─► map ─► emit ─► collect ─► fold ─► partition ─► run ═► fold ─► order ─► reduce ─► output
//!  `input`          `map`  `api`  `collect`  `fold`   `rows`      `run`  `fold`  `reduce`            `output`
//!                  `text`  `key`
//! ```
//!
//! Around it: `job` describes a job, `coordinate` runs one, `schedule` decides which task runs when, `exec` delivers
//! orders to workers, `runner` carries them out there, `app` is the command line.

mod api;
mod app;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod collect;
mod coordinate;
mod counters;
mod datum;
mod disk;
mod error;
mod exec;
mod flight;
mod fold;
mod hardships;
mod input;
mod job;
mod journal;
pub mod key;
mod map;
mod options;
mod os;
mod output;
mod progress;
mod quarantine;
mod reduce;
mod result;
mod rows;
mod run;
mod runner;
mod schedule;
mod task;
pub mod testing;
pub mod text;
mod workdir;

pub use api::{
    Combiner, Emitter, Group, HashPartitioner, MapFn, Mapper, Max, Min, Out, Partitioner, ReduceFn, Reducer,
    Sum, Values, map_fn, map_items, map_lines, map_text, reduce_fn,
};
pub use app::{App, Entered, NoArgs};
pub use bstr;
pub use coordinate::{Finished, Pairs, Summary};
pub use counters::Counters;
pub use datum::Datum;
pub use error::Error;
pub use gristmill_pool::signals::Cancel;
pub use input::{Cut, Fixed, Input, Items, Lines, RecordSink, Source, Span, Text, WholeFile};
pub use job::{AnyJob, Combine, Combining, DynJob, Fold, Group as GroupSide, Job, MapOnly, Shuffled};
pub use key::KeyRef;
pub use options::{ExecutorKind, RunOptions, SpillCompression};
pub use output::text::unescape;
pub use progress::ShowProgress;
pub use result::{BoxError, Result};
pub use task::{Failure, FailureKind};
