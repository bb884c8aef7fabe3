//! Finds a line in which two outputs differ, to be shown to people.
//!
//! It is called only when their digests differ, and takes its time.

use std::collections::HashMap;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::form::Form;
use super::lines::Lines;
use crate::failure::Result;
use crate::workload::Order;

const SHOWN: usize = 60;

/// Says what is wrong with the output `found`, `None` if it is the `expected` one.
pub(crate) fn difference(
    expected: &Path,
    expected_form: &Form,
    found: &Path,
    found_form: &Form,
    order: Order,
) -> Result<Option<String>> {
    let open = || Ok((Lines::of(expected, expected_form)?, Lines::of(found, found_form)?));
    match order {
        Order::Kept => {
            let (expected, found) = open()?;
            in_order(expected, found)
        }
        Order::Any => in_any_order(open),
    }
}

fn in_order(mut expected: Lines<'_>, mut found: Lines<'_>) -> Result<Option<String>> {
    for number in 1_u64.. {
        let (wanted, got) = (expected.next()?, found.next()?);
        if wanted != got {
            return Ok(Some(format!("line {number} is {} instead of {}", shown(got), shown(wanted))));
        }
        if wanted.is_none() {
            break;
        }
    }
    Ok(None)
}

fn in_any_order<'a>(open: impl Fn() -> Result<(Lines<'a>, Lines<'a>)>) -> Result<Option<String>> {
    let (mut expected, mut found) = open()?;
    let mut left: HashMap<u64, i64> = HashMap::new();
    while let Some(line) = expected.next()? {
        *left.entry(xxh3_64(line)).or_default() += 1;
    }
    let mut extra = None;
    while let Some(line) = found.next()? {
        let count = left.entry(xxh3_64(line)).or_default();
        *count -= 1;
        if *count < 0 && extra.is_none() {
            extra = Some(shown(Some(line)));
        }
    }
    let (mut expected, _) = open()?;
    let mut missing = None;
    while let Some(line) = expected.next()? {
        if left.get(&xxh3_64(line)).is_some_and(|&count| count > 0) {
            missing = Some(shown(Some(line)));
            break;
        }
    }
    Ok(match (missing, extra) {
        (None, None) => None,
        (Some(missing), None) => Some(format!("{missing} is missing")),
        (None, Some(extra)) => Some(format!("{extra} is too much")),
        (Some(missing), Some(extra)) => Some(format!("{missing} is missing, {extra} is too much")),
    })
}

fn shown(line: Option<&[u8]>) -> String {
    let Some(line) = line else { return "no line".to_owned() };
    let text = String::from_utf8_lossy(line);
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}
