//! Old files with dates: the date and time at which each was begun, and a number where several share it.
//!
//! Among those with one date the one without a number is the oldest, and the highest number the newest. So no file is
//! ever moved again, and none is written over. The order of the names is that in which files were set aside, even if
//! the clock was set back in between or the hour of a summer's end comes twice: the newest would otherwise be taken
//! for the oldest, and removed.

use std::io;
use std::path::PathBuf;

use super::Schedule;
use super::backups::{Family, exists};
use super::numbered::number;

/// Sets the log file aside under the date at which the period that ends at `until` began. Nothing to be done when it
/// is not there.
pub(super) fn set_aside(family: &Family, schedule: &Schedule, until: i64) -> io::Result<Option<PathBuf>> {
    if !exists(family.path()) {
        return Ok(None);
    }
    let date = schedule.name(until);
    let used = family.tails(|tail| key(schedule, tail).is_some())?;
    let newest = used.iter().filter_map(|tail| key(schedule, tail)).max();
    let tail = match newest {
        Some((used, number)) if used >= date.as_str() => format!("{used}.{}", number.saturating_add(1)),
        _ => date,
    };
    family.set_aside(&tail).map(Some)
}

/// Removes all but the newest `backups` old files.
pub(super) fn prune(family: &Family, schedule: &Schedule, backups: u32) -> io::Result<()> {
    let old = list(family, schedule)?;
    let surplus = old.len().saturating_sub(usize::try_from(backups).unwrap_or(usize::MAX));
    old[..surplus].iter().try_for_each(|tail| family.give_up(tail))
}

/// The tails of the old files, oldest first.
pub(super) fn list(family: &Family, schedule: &Schedule) -> io::Result<Vec<String>> {
    let mut old = family.tails(|tail| key(schedule, tail).is_some())?;
    // Folders with such names are somebody else's.
    old.retain(|tail| family.has_file(tail));
    old.sort_by(|one, other| key(schedule, one).cmp(&key(schedule, other)));
    Ok(old)
}

/// The date and the number in the tail of an old file's name, which sort as the files were made.
fn key<'a>(schedule: &Schedule, tail: &'a str) -> Option<(&'a str, u32)> {
    let (date, number) = match tail.split_once('.') {
        None => (tail, 0),
        Some((date, end)) => (date, number(end)?),
    };
    schedule.is_name(date).then_some((date, number))
}
