//! Jobs over other records, keys and values than lines, strings and numbers, and with a partitioner of their own.
//!
//! What their part files should hold is in the tests.

use clap::Args;
use gristmill::{
    App, Emitter, Fixed, Group, Job, KeyRef, NoArgs, Out, Result, Sum, Text, Values, WholeFile, map_fn,
    reduce_fn,
};
use serde::{Deserialize, Serialize};

/// How long the records of the job `fixed` are.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
struct Length {
    /// Bytes of a record
    #[arg(long, default_value_t = 8)]
    bytes: usize,
}

/// The partition that the job `ranges` sends keys to which it does not want.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
struct Ranges {
    /// Add this to the chosen partition
    #[arg(long, default_value_t = 0)]
    shift: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    first: char,
    len: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    words: u64,
    longest: String,
    last_seen_in: Option<String>,
}

/// A key of each kind of variant; their order is that of the declaration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Kind {
    Blank,
    Number(i64),
    Pair(bool, char),
    Word { len: u8, text: String },
}

pub(crate) fn register(app: App) -> App {
    app.job("fixed", |length: Length| {
        let job = Job::reading(Fixed::new(length.bytes), map_fn(first_byte));
        job.fold_with(Sum)
    })
    .job("whole", |_: NoArgs| Job::<_>::new(map_fn::<WholeFile, _, _, _>(sizes)))
    .job("structs", |_: NoArgs| Job::new(map_fn::<Text, _, _, _>(places)).reduce_with(reduce_fn(longest)))
    .job("enums", |_: NoArgs| Job::new(map_fn::<Text, _, _, _>(kinds)).fold_with(Sum))
    .job("tuples", |_: NoArgs| Job::new(map_fn::<Text, _, _, _>(tuples)).fold_with(Sum))
    .job("ranges", |ranges: Ranges| {
        let by_letter = move |key: KeyRef<'_, String>, partitions: u32| {
            let first = u32::from(key.bytes().first().copied().unwrap_or(0));
            Ok(first * partitions / 256 + ranges.shift)
        };
        Job::new(map_fn::<Text, _, _, _>(each_word)).fold_with(Sum).partition_by(by_letter).partitions(4)
    })
}

fn first_byte(record: &[u8], out: &mut Emitter<'_, i8, u64>) -> Result {
    let first = record.first().ok_or("a record is not empty")?.cast_signed();
    out.emit(&first, record.iter().map(|&byte| u64::from(byte)).sum())
}

fn sizes(content: &[u8], out: &mut Emitter<'_, String, (usize, u64)>) -> Result {
    let name = out.path().and_then(|path| path.file_name()).ok_or("a file has a name")?;
    let name = name.to_string_lossy().into_owned();
    out.emit(&name, (content.len(), content.iter().map(|&byte| u64::from(byte)).sum()))
}

fn places(line: &str, out: &mut Emitter<'_, Place, Seen>) -> Result {
    let name = out.path().and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
    for word in line.split_whitespace() {
        let place = Place { first: word.chars().next().unwrap_or('?'), len: word.len() };
        out.emit(&place, Seen { words: 1, longest: word.to_owned(), last_seen_in: name.clone() })?;
    }
    Ok(())
}

fn longest(key: Group<'_, Place>, mut values: Values<'_, Seen>, out: &mut Out<'_, Place, Seen>) -> Result {
    let mut all = values.next()?.ok_or("a group has a value")?;
    while let Some(next) = values.next()? {
        all.words += next.words;
        all.longest = all.longest.max(next.longest);
        all.last_seen_in = next.last_seen_in;
    }
    out.emit(&key.get()?, &all)
}

fn kinds(line: &str, out: &mut Emitter<'_, Kind, u64>) -> Result {
    if line.trim().is_empty() {
        return out.emit(&Kind::Blank, 1);
    }
    for word in line.split_whitespace() {
        let first = word.chars().next().unwrap_or('?');
        let kind = match word.parse() {
            Ok(number) => Kind::Number(number),
            Err(_) if first.is_uppercase() => Kind::Pair(word.len() > 3, first),
            Err(_) => Kind::Word { len: u8::try_from(word.len())?, text: word.to_owned() },
        };
        out.emit(&kind, 1)?;
    }
    Ok(())
}

fn tuples(line: &str, out: &mut Emitter<'_, (String, i32), u64>) -> Result {
    for word in line.split_whitespace() {
        let number = i32::try_from(word.len())? - 3;
        out.emit_as(&(word, number), 1)?;
    }
    Ok(())
}

fn each_word(line: &str, out: &mut Emitter<'_, String, u64>) -> Result {
    line.split_whitespace().try_for_each(|word| out.emit(word, 1))
}
