//! Jobs with the faults of a plain word count that somebody was not careful with: the torture has to find each.
//!
//! None of them fails by itself.

use std::collections::HashSet;
use std::process::ExitCode;
use std::time::SystemTime;

use gristmill::{
    App, Combiner, Emitter, Group, Job, Mapper, NoArgs, Out, Result, Text, Values, map_text, reduce_fn,
};

fn main() -> ExitCode {
    App::new()
        .about("Jobs that depend on more than their input")
        .job("subtracts", |_: NoArgs| Job::new(map_text(lengths)).fold_with(Subtract))
        .job("counts-on", |_: NoArgs| Job::new(Numbered::default()).reduce_with(reduce_fn(first)))
        .job("tells-the-time", |_: NoArgs| Job::new(map_text(words)).reduce_with(reduce_fn(now)))
        .job("hashes", |_: NoArgs| Job::new(map_text(initials)).reduce_with(reduce_fn(any_order)))
        .job("counts-setups", |_: NoArgs| Job::new(Setups).reduce_with(reduce_fn(first)))
        .main()
}

fn lengths(line: &str, out: &mut Emitter<'_, String, i64>) -> Result {
    line.split_whitespace().try_for_each(|word| out.emit(word, line.len() as i64))
}

fn words(line: &str, out: &mut Emitter<'_, String, u64>) -> Result {
    line.split_whitespace().try_for_each(|word| out.emit(word, 1))
}

fn initials(line: &str, out: &mut Emitter<'_, char, String>) -> Result {
    let with_initial = |word: &str| word.chars().next().map(|initial| (initial, word.to_owned()));
    line.split_whitespace().filter_map(with_initial).try_for_each(|(initial, word)| out.emit(&initial, word))
}

/// Not associative.
#[derive(Clone)]
struct Subtract;

impl Combiner<i64> for Subtract {
    fn combine(&self, acc: &mut i64, next: i64) -> Result {
        *acc -= next;
        Ok(())
    }
}

/// Numbers its records from the start of its input split, not of its input.
#[derive(Clone, Default)]
struct Numbered {
    records: u64,
}

impl Mapper for Numbered {
    type Input = Text;
    type Key = String;
    type Value = u64;

    fn map(&mut self, line: &str, out: &mut Emitter<'_, String, u64>) -> Result {
        self.records += 1;
        line.split_whitespace().try_for_each(|word| out.emit(word, self.records))
    }
}

/// Counts attempts at tasks.
#[derive(Clone)]
struct Setups;

impl Mapper for Setups {
    type Input = Text;
    type Key = String;
    type Value = u64;

    fn map(&mut self, line: &str, out: &mut Emitter<'_, String, u64>) -> Result {
        words(line, out)
    }

    fn cleanup(&mut self, out: &mut Emitter<'_, String, u64>) -> Result {
        out.count("cleanups", 1);
        Ok(())
    }
}

fn first(key: Group<'_, String>, mut values: Values<'_, u64>, out: &mut Out<'_, String, u64>) -> Result {
    let first = values.next()?.ok_or("a group has a value")?;
    out.emit(&key.get()?, &first)
}

fn now(key: Group<'_, String>, _: Values<'_, u64>, out: &mut Out<'_, String, u128>) -> Result {
    out.emit(&key.get()?, &SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos())
}

/// The first words that a set gives: in another order every time.
fn any_order(
    key: Group<'_, char>,
    mut values: Values<'_, String>,
    out: &mut Out<'_, char, String>,
) -> Result {
    let mut words = HashSet::new();
    while let Some(word) = values.next()? {
        words.insert(word);
    }
    let words: Vec<String> = words.into_iter().take(3).collect();
    out.emit(&key.get()?, &words.join(" "))
}
