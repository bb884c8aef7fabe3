//! Sum by key: adds up the numbers behind each key of `key value` lines.
//!
//! It shows how a job reads lines in blocks, gives up the order of keys, and groups by a composite key.

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use gristmill::bstr::{BStr, BString, ByteSlice};
use gristmill::text::{Scratch, key_values, parse_u64};
use gristmill::{App, DynJob, Emitter, Job, Lines, Mapper, Result, Sum};
use serde::{Deserialize, Serialize};

/// Options beside those of every job.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
struct SumByKey {
    /// Leave the keys of a part file in the order of their hashes, which is faster
    #[arg(long)]
    any_order: bool,
    /// What to group by
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    key: KeyKind,
    /// How lines are taken apart
    #[arg(long, value_enum, default_value_t, value_name = "KIND")]
    parser: Parser,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
enum KeyKind {
    /// The bytes before the first space
    #[default]
    Raw,
    /// The same, together with their number: `(String, u32)`
    Composite,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
enum Parser {
    /// Many at a time, by the library
    #[default]
    Blocks,
    /// One at a time, by the standard library
    Plain,
}

/// Emits the key and the number of each line.
#[derive(Clone, Default)]
struct Pairs {
    parser: Parser,
    scratch: Scratch,
}

impl Mapper for Pairs {
    type Input = Lines;
    type Key = BString;
    type Value = u64;

    fn map(&mut self, line: &[u8], out: &mut Emitter<'_, BString, u64>) -> Result {
        let (key, number) = split(line)?;
        out.emit(BStr::new(key), number)
    }

    fn map_block(&mut self, block: &[u8], out: &mut Emitter<'_, BString, u64>) -> Result<bool> {
        if self.parser == Parser::Plain {
            return Ok(false);
        }
        key_values(block, b' ', &mut self.scratch, |key, value| {
            out.emit_word(key, parse_u64(value).ok_or_else(|| bad(value))?)
        })?;
        Ok(true)
    }
}

/// As [`Pairs`], with a key of two parts.
#[derive(Clone, Default)]
struct CompositePairs {
    scratch: Scratch,
}

impl Mapper for CompositePairs {
    type Input = Lines;
    type Key = (String, u32);
    type Value = u64;

    fn map(&mut self, line: &[u8], out: &mut Emitter<'_, (String, u32), u64>) -> Result {
        let (key, number) = split(line)?;
        out.emit_as(&(key.to_str()?, key.len() as u32), number)
    }

    fn map_block(&mut self, block: &[u8], out: &mut Emitter<'_, (String, u32), u64>) -> Result<bool> {
        key_values(block, b' ', &mut self.scratch, |key, value| {
            let number = parse_u64(value).ok_or_else(|| bad(value))?;
            out.emit_as(&(key.to_str()?, key.len() as u32), number)
        })?;
        Ok(true)
    }
}

fn split(line: &[u8]) -> Result<(&[u8], u64)> {
    let (key, value) = line.split_once_str(" ").unwrap_or((line, b""));
    Ok((key, str::from_utf8(value).ok().and_then(|value| value.parse().ok()).ok_or_else(|| bad(value))?))
}

fn bad(value: &[u8]) -> String {
    format!("{:?} is no number", BStr::new(value))
}

fn main() -> ExitCode {
    App::new()
        .about("Adds up the numbers behind each key of `key value` lines")
        .job("sum_by_key", |args: SumByKey| -> DynJob {
            match args.key {
                KeyKind::Raw => Job::new(Pairs { parser: args.parser, ..Pairs::default() })
                    .fold_with(Sum)
                    .any_order(args.any_order)
                    .into_dyn(),
                KeyKind::Composite => {
                    Job::new(CompositePairs::default()).fold_with(Sum).any_order(args.any_order).into_dyn()
                }
            }
        })
        .main()
}
