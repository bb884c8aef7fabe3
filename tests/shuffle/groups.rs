//! Reducers that show the order of the values that they were given, and a combiner with a reducer behind it.
//!
//! What they should print is in the tests.

use std::fmt::Write as _;

use gristmill::bstr::{BStr, BString};
use gristmill::{DynJob, Emitter, Group, Job, Out, Result, Sum, Values, map_lines, reduce_fn};

use crate::Shuffle;
use crate::pairs::{spell, split, split_text};

/// How values are emitted.
#[derive(Clone, Copy)]
pub(crate) enum Emit {
    Owned,
    Borrowed,
    /// One so, the next so.
    ByTurns,
}

/// The values of each key, one after the other.
pub(crate) fn of_text(args: &Shuffle, emit: Emit) -> DynJob {
    let (width, times) = (args.width, args.times);
    let map = move |line: &[u8], out: &mut Emitter<'_, BString, String>| {
        let (key, number) = split(line)?;
        for time in 0..times {
            let text = spell(number, width);
            match emit {
                Emit::Borrowed => out.emit_ref(BStr::new(key), text.as_str())?,
                Emit::ByTurns if (number + time.cast_signed()) % 2 == 0 => {
                    out.emit_ref(BStr::new(key), text.as_str())?;
                }
                _ => out.emit(BStr::new(key), text)?,
            }
        }
        Ok(())
    };
    args.settle(Job::new(map_lines(map)).reduce_with(reduce_fn(join))).into_dyn()
}

fn join(
    key: Group<'_, BString>,
    mut values: Values<'_, String>,
    out: &mut Out<'_, BString, String>,
) -> Result {
    let mut joined = String::new();
    while let Some(text) = values.next_as::<&str>()? {
        write!(joined, "{text},")?;
    }
    out.emit(BStr::new(key.bytes()), &joined)
}

/// The numbers of a composite key.
pub(crate) fn of_pairs(args: &Shuffle) -> DynJob {
    let map = |line: &[u8], out: &mut Emitter<'_, (String, u32), i64>| {
        let (key, number) = split_text(line)?;
        out.emit_as(&(key, u32::try_from(number.unsigned_abs() % 3)?), number)
    };
    let list = |key: Group<'_, (String, u32)>,
                mut values: Values<'_, i64>,
                out: &mut Out<'_, (String, u32), Vec<i64>>| {
        let mut all = Vec::new();
        // One so, the next so.
        while let Some(number) = if all.len() % 2 == 0 { values.next()? } else { values.next_as()? } {
            all.push(number);
        }
        out.emit(&key.get()?, &all)
    };
    args.settle(Job::new(map_lines(map)).reduce_with(reduce_fn(list))).into_dyn()
}

/// The first value of each key: the reducer leaves the others where they are.
pub(crate) fn of_firsts(args: &Shuffle) -> DynJob {
    let map = |line: &[u8], out: &mut Emitter<'_, BString, i64>| {
        let (key, number) = split(line)?;
        out.emit(BStr::new(key), number)
    };
    let first = |key: Group<'_, BString>, mut values: Values<'_, i64>, out: &mut Out<'_, BString, i64>| {
        let first = values.next()?.ok_or("a group has a value")?;
        out.emit(BStr::new(key.bytes()), &first)
    };
    args.settle(Job::new(map_lines(map)).reduce_with(reduce_fn(first))).into_dyn()
}

/// The sum of each key, which must have come as one value.
pub(crate) fn of_sums(args: &Shuffle) -> DynJob {
    let map = |line: &[u8], out: &mut Emitter<'_, BString, i64>| {
        let (key, number) = split(line)?;
        out.emit(BStr::new(key), number)
    };
    let sole = |key: Group<'_, BString>, mut values: Values<'_, i64>, out: &mut Out<'_, BString, String>| {
        let sum = values.next()?.ok_or("a group has a value")?;
        if values.next()?.is_some() {
            return Err("a combined group has one value only".into());
        }
        out.emit(BStr::new(key.bytes()), &format!("sum {sum}"))
    };
    args.settle(Job::new(map_lines(map)).combine_with(Sum).reduce_with(reduce_fn(sole))).into_dyn()
}
