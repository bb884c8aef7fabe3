//! Old files with numbers: `.1` is the newest.
//!
//! It moves files up by one and gives up the oldest when there are as many as are wanted; when that is to happen is
//! decided elsewhere.

use std::cmp::Reverse;
use std::io;
use std::path::PathBuf;

use super::backups::{Family, exists};

/// Sets the log file aside as number 1. Nothing to be done when it is not there.
///
/// Files are moved from the highest number down, so whatever fails, none is written over before it has been moved,
/// except the oldest. Where a number is free, those above it stay.
pub(super) fn set_aside(family: &Family, backups: u32) -> io::Result<Option<PathBuf>> {
    if !exists(family.path()) {
        return Ok(None);
    }
    let free = (1..backups).find(|number| !family.has(&number.to_string())).unwrap_or(backups);
    for number in (1..free).rev() {
        family.shift(&number.to_string(), &(number + 1).to_string())?;
    }
    family.set_aside("1").map(Some)
}

/// Gives up what is left of a time when more files were kept: those that follow on the last without a break.
pub(super) fn prune(family: &Family, backups: u32) -> io::Result<()> {
    let tails = (backups..u32::MAX).map(|number| (number + 1).to_string());
    tails.take_while(|tail| family.has_file(tail)).try_for_each(|tail| family.give_up(&tail))
}

/// The tails of the old files, oldest first.
pub(super) fn list(family: &Family) -> io::Result<Vec<String>> {
    let mut old = family.tails(|tail| number(tail).is_some())?;
    old.retain(|tail| family.has_file(tail));
    old.sort_by_key(|tail| Reverse(number(tail)));
    Ok(old)
}

/// The number in the tail of an old file's name.
pub(super) fn number(tail: &str) -> Option<u32> {
    let number: u32 = tail.parse().ok()?;
    // `007` is somebody else's.
    (number > 0 && tail == number.to_string()).then_some(number)
}
