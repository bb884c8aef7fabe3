//! Sort: brings records of fixed length into the order of their first bytes.
//!
//! The part files, one after the other, are all records in order; records with equal keys keep the order of the input.

use std::process::ExitCode;

use clap::Args;
use gristmill::bstr::{BStr, BString};
use gristmill::{App, Emitter, Fixed, Group, Job, Mapper, Out, Reducer, Result, Values};
use serde::{Deserialize, Serialize};

/// Options beside those of every job.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
struct SortRecords {
    /// Bytes in a record
    #[arg(long, default_value_t = 100, value_name = "BYTES")]
    record_len: usize,
    /// Bytes at the beginning of a record that it is sorted by
    #[arg(long, default_value_t = 10, value_name = "BYTES")]
    key_len: usize,
}

/// Takes a record apart: the key, and the rest.
#[derive(Clone)]
struct Records {
    key_len: usize,
}

impl Mapper for Records {
    type Input = Fixed;
    type Key = BString;
    type Value = BString;

    fn map(&mut self, record: &[u8], out: &mut Emitter<'_, BString, BString>) -> Result {
        let (key, rest) = record.split_at_checked(self.key_len).ok_or("the key is longer than a record")?;
        out.emit_ref(BStr::new(key), BStr::new(rest))
    }
}

/// Puts records together again.
#[derive(Clone)]
struct Whole;

impl Reducer for Whole {
    type Key = BString;
    type Value = BString;
    type OutKey = BString;
    type OutValue = BString;

    fn reduce(
        &mut self,
        key: Group<'_, BString>,
        mut rests: Values<'_, BString>,
        out: &mut Out<'_, BString, BString>,
    ) -> Result {
        while let Some(rest) = rests.next_as::<&BStr>()? {
            out.emit(BStr::new(key.bytes()), rest)?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    App::new()
        .about("Sorts records of fixed length by their first bytes")
        .job("sort_records", |args: SortRecords| {
            Job::reading(Fixed::new(args.record_len), Records { key_len: args.key_len })
                .reduce_with(Whole)
                .partition_by_range()
                .raw_output()
        })
        .main()
}
