//! Jobs that count: folds, a combiner with a reducer, map-only filters, counters, state that is emitted at the end.
//!
//! None of them depends on the order of records.

use clap::Args;
use gristmill::bstr::{BStr, BString};
use gristmill::{
    App, Emitter, Group, Job, Lines, Mapper, NoArgs, Out, Result, Sum, Text, Values, map_lines, map_text,
    reduce_fn,
};
use serde::{Deserialize, Serialize};

/// Which lines the job `upper` lets through.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
struct Filter {
    /// Keep the lines that hold this
    #[arg(long, default_value = "")]
    containing: String,
}

pub(crate) fn register(app: App) -> App {
    app.job("words", |_: NoArgs| Job::new(map_text(words)).fold_with(Sum))
        .job("byte-words", |_: NoArgs| Job::new(map_lines(byte_words)).fold_with(Sum))
        .job("averages", |_: NoArgs| {
            Job::new(map_text(lengths)).combine_with(add_both).reduce_with(reduce_fn(average))
        })
        .job("prefixes", |_: NoArgs| Job::new(map_lines(prefixes)).fold_with(Sum))
        .job("upper", |filter: Filter| Job::new(Upper { filter: filter.containing }))
        .job("in-cleanup", |_: NoArgs| Job::new(Tally::default()).fold_with(Sum))
}

/// Counts words, and lines and words with counters.
fn words(line: &str, out: &mut Emitter<'_, String, u64>) -> Result {
    out.count("lines", 1);
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        out.count("words", 1);
        out.emit(word, 1)?;
    }
    Ok(())
}

fn byte_words(line: &[u8], out: &mut Emitter<'_, BString, u64>) -> Result {
    let words = line.split(|&byte| byte == b' ').filter(|word| !word.is_empty());
    words.into_iter().try_for_each(|word| out.emit(BStr::new(word), 1))
}

/// The first bytes of each line with its length: cheap, however long the line is.
fn prefixes(line: &[u8], out: &mut Emitter<'_, BString, u64>) -> Result {
    out.count("lines", 1);
    out.emit(BStr::new(&line[..line.len().min(8)]), line.len() as u64)
}

/// The first character of each word with the number of words and their bytes.
fn lengths(line: &str, out: &mut Emitter<'_, char, (u64, u64)>) -> Result {
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        let first = word.chars().next().ok_or("a word is not empty")?;
        out.emit(&first, (1, word.len() as u64))?;
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "a combiner may fail; this one does not")]
fn add_both(acc: &mut (u64, u64), next: (u64, u64)) -> Result {
    acc.0 += next.0;
    acc.1 += next.1;
    Ok(())
}

/// A combined key has exactly one value, whatever was spilled and merged on the way.
fn average(
    key: Group<'_, char>,
    mut values: Values<'_, (u64, u64)>,
    out: &mut Out<'_, char, String>,
) -> Result {
    let (count, bytes) = values.next()?.ok_or("a group has a value")?;
    if values.next()?.is_some() {
        return Err("a combined group has one value only".into());
    }
    out.count("keys", 1);
    out.emit(&key.get()?, &format!("{bytes}/{count}"))
}

/// Lets some lines through, in upper case.
#[derive(Clone)]
struct Upper {
    filter: String,
}

impl Mapper for Upper {
    type Input = Text;
    type Key = String;
    type Value = usize;

    fn map(&mut self, line: &str, out: &mut Emitter<'_, String, usize>) -> Result {
        if line.contains(&self.filter) {
            out.count("kept", 1);
            out.emit(line.to_uppercase().as_str(), line.len())?;
        }
        Ok(())
    }
}

/// Keeps sums in the mapper and emits them when the attempt is over; `setup` must have been called before.
#[derive(Clone, Default)]
struct Tally {
    sums: Option<(u64, u64)>,
}

impl Mapper for Tally {
    type Input = Lines;
    type Key = String;
    type Value = u64;

    fn setup(&mut self) -> Result {
        // One clone for each attempt: state of an earlier one must not be seen.
        match self.sums.replace((0, 0)) {
            Some(_) => Err("the mapper was used before".into()),
            None => Ok(()),
        }
    }

    fn map(&mut self, line: &[u8], _: &mut Emitter<'_, String, u64>) -> Result {
        let sums = self.sums.as_mut().ok_or("setup was not called")?;
        *sums = (sums.0 + 1, sums.1 + line.len() as u64);
        Ok(())
    }

    fn cleanup(&mut self, out: &mut Emitter<'_, String, u64>) -> Result {
        let (lines, bytes) = self.sums.ok_or("setup was not called")?;
        out.emit("lines", lines)?;
        out.emit("bytes", bytes)
    }
}
