//! Folds: values that fit a word, values that do not, and keys of several kinds.
//!
//! All combiners are associative and commutative.

use gristmill::bstr::{BStr, BString};
use gristmill::{Combiner, DynJob, Emitter, Job, Max, Min, Result, Sum, map_lines};

use crate::Shuffle;
use crate::pairs::{spell, split, split_text};

pub(crate) fn of_u64(args: &Shuffle) -> DynJob {
    let times = args.times;
    let map = move |line: &[u8], out: &mut Emitter<'_, BString, u64>| {
        let (key, number) = split(line)?;
        (0..times).try_for_each(|_| out.emit(BStr::new(key), number.unsigned_abs()))
    };
    args.settle(Job::new(map_lines(map)).fold_with(Sum)).into_dyn()
}

pub(crate) fn of_i32(args: &Shuffle) -> DynJob {
    let map = |line: &[u8], out: &mut Emitter<'_, BString, i32>| {
        let (key, number) = split(line)?;
        out.emit(BStr::new(key), i32::try_from(number)?)
    };
    args.settle(Job::new(map_lines(map)).fold_with(Sum)).into_dyn()
}

pub(crate) fn of_u8(args: &Shuffle) -> DynJob {
    let map = |line: &[u8], out: &mut Emitter<'_, BString, u8>| {
        let (key, number) = split(line)?;
        out.emit(BStr::new(key), number.to_le_bytes()[0])
    };
    args.settle(Job::new(map_lines(map)).fold_with(Max)).into_dyn()
}

pub(crate) fn of_u128(args: &Shuffle) -> DynJob {
    let map = |line: &[u8], out: &mut Emitter<'_, BString, u128>| {
        let (key, number) = split(line)?;
        out.emit(BStr::new(key), u128::from(number.unsigned_abs()) << 70)
    };
    args.settle(Job::new(map_lines(map)).fold_with(Sum)).into_dyn()
}

/// The least text of each key.
pub(crate) fn of_text(args: &Shuffle, borrowed: bool) -> DynJob {
    let width = args.width;
    let map = move |line: &[u8], out: &mut Emitter<'_, BString, String>| {
        let (key, number) = split(line)?;
        let text = spell(number, width);
        if borrowed { out.emit_ref(BStr::new(key), text.as_str()) } else { out.emit(BStr::new(key), text) }
    };
    args.settle(Job::new(map_lines(map)).fold_with(Min)).into_dyn()
}

pub(crate) fn of_pairs(args: &Shuffle) -> DynJob {
    let map = |line: &[u8], out: &mut Emitter<'_, (String, u32), u64>| {
        let (key, number) = split_text(line)?;
        let number = number.unsigned_abs();
        out.emit_as(&(key, u32::try_from(number % 3)?), number)
    };
    args.settle(Job::new(map_lines(map)).fold_with(Sum)).into_dyn()
}

pub(crate) fn of_numbers(args: &Shuffle) -> DynJob {
    let map = |line: &[u8], out: &mut Emitter<'_, i64, u64>| out.emit(&split(line)?.1, 1);
    args.settle(Job::new(map_lines(map)).fold_with(Sum)).into_dyn()
}

/// One key, whose encoding has no bytes.
pub(crate) fn of_units(args: &Shuffle) -> DynJob {
    let map = |line: &[u8], out: &mut Emitter<'_, (), i64>| out.emit(&(), split(line)?.1);
    args.settle(Job::new(map_lines(map)).fold_with(Sum)).into_dyn()
}

/// All numbers of a key, in order: an accumulator that grows.
pub(crate) fn of_lists(args: &Shuffle) -> DynJob {
    let map = |line: &[u8], out: &mut Emitter<'_, BString, Vec<i64>>| {
        let (key, number) = split(line)?;
        out.emit(BStr::new(key), vec![number])
    };
    args.settle(Job::new(map_lines(map)).fold_with(Merge)).into_dyn()
}

/// Joins lists in order.
#[derive(Clone)]
struct Merge;

impl Combiner<Vec<i64>> for Merge {
    fn combine(&self, acc: &mut Vec<i64>, mut next: Vec<i64>) -> Result {
        if acc.len() < next.len() {
            std::mem::swap(acc, &mut next);
        }
        match next[..] {
            [number] => acc.insert(acc.partition_point(|&other| other <= number), number),
            _ => {
                acc.append(&mut next);
                acc.sort();
            }
        }
        Ok(())
    }

    fn heap(&self, acc: &Vec<i64>) -> usize {
        size_of_val(&acc[..])
    }
}
