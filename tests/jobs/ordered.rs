//! Jobs whose reducers see all values of a key, in the order of the input.
//!
//! They have no combiner.

use std::fs;

use clap::Args;
use gristmill::bstr::{BStr, BString};
use gristmill::{App, Emitter, Group, Job, NoArgs, Out, Result, Values, map_lines, map_text, reduce_fn};
use serde::{Deserialize, Serialize};

/// How large the values of the job `huge` are.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
struct Huge {
    /// Bytes of each value
    #[arg(long, default_value_t = 100_000)]
    bytes: usize,
}

pub(crate) fn register(app: App) -> App {
    app.job("positions", |_: NoArgs| Job::new(map_lines(positions)).reduce_with(reduce_fn(in_order)))
        .job("huge", |huge: Huge| {
            let blow_up =
                move |line: &[u8], out: &mut Emitter<'_, BString, BString>| blow_up(line, huge.bytes, out);
            Job::new(map_lines(blow_up)).reduce_with(reduce_fn(joined))
        })
        .job("million", |_: NoArgs| Job::new(map_text(count_up)).reduce_with(reduce_fn(stream)))
}

/// Each word with the ordinal of its input, if it has one, and its whole line.
fn positions(line: &[u8], out: &mut Emitter<'_, BString, (Option<u32>, BString)>) -> Result {
    let ordinal = out.ordinal();
    for word in line.split(|&byte| byte == b' ').filter(|word| !word.is_empty()) {
        out.emit(BStr::new(word), (ordinal, line.into()))?;
    }
    Ok(())
}

fn in_order(
    key: Group<'_, BString>,
    mut values: Values<'_, (Option<u32>, BString)>,
    out: &mut Out<'_, BString, BString>,
) -> Result {
    let mut joined = Vec::new();
    while let Some((ordinal, line)) = values.next_as::<(Option<u32>, &BStr)>()? {
        joined.extend_from_slice(ordinal.map_or_else(|| "-:".to_owned(), |n| format!("{n}:")).as_bytes());
        joined.extend_from_slice(line);
        joined.push(b'|');
    }
    out.emit(key.decode::<&BStr>()?, BStr::new(&joined))
}

/// The line as a key, and as often as fits into `bytes` as its value.
fn blow_up(line: &[u8], bytes: usize, out: &mut Emitter<'_, BString, BString>) -> Result {
    let huge = line.repeat(bytes.div_ceil(line.len().max(1)));
    out.emit(BStr::new(line), huge.clone().into())?;
    // The key may be larger than a message too.
    out.emit(BStr::new(&huge), line.into())
}

fn joined(
    key: Group<'_, BString>,
    mut values: Values<'_, BString>,
    out: &mut Out<'_, BString, BString>,
) -> Result {
    let mut all = Vec::new();
    while let Some(value) = values.next()? {
        all.extend_from_slice(&value);
    }
    out.emit(key.decode::<&BStr>()?, BStr::new(&all))
}

/// A line that holds a number n gives n values of 64 bytes, all with one key. A counter tells the worker's peak memory.
fn count_up(line: &str, out: &mut Emitter<'_, String, String>) -> Result {
    for n in 0..line.parse::<u64>()? {
        out.emit("one key", format!("{n:064}"))?;
    }
    out.count("peak KiB in map tasks", peak_kib()?);
    Ok(())
}

/// Counts values and those that do not come after the one before; a counter tells the worker's peak memory.
fn stream(
    key: Group<'_, String>,
    mut values: Values<'_, String>,
    out: &mut Out<'_, String, String>,
) -> Result {
    let (mut count, mut restarts, mut last) = (0_u64, 0_u64, None);
    while let Some(value) = values.next_as::<&str>()? {
        let n: u64 = value.parse()?;
        restarts += u64::from(last.is_some_and(|last| n != last + 1));
        (count, last) = (count + 1, Some(n));
    }
    out.count("peak KiB in reduce", peak_kib()?);
    out.emit(key.decode::<&str>()?, &format!("{count} values, {restarts} restarts"))
}

/// The largest resident size of this process so far.
fn peak_kib() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("there is no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
