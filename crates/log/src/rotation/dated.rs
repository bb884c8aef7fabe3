//! Old files with dates: the date and time at which each was begun, and a number where several share it.
//!
//! Among those with one date the one without a number is the oldest, and the highest number the newest. So no file is
//! ever moved again, and none is written over. The order of the names is that in which files were set aside, even if
//! the clock was set back a little or the hour of a summer's end comes twice: the newest would otherwise be taken for
//! the oldest, and removed. Files from the future are those of a clock that was wrong, and count as the oldest.

use std::io;
use std::path::PathBuf;

use super::Schedule;
use super::backups::{Family, exists};
use super::numbered::number;

/// A date that is further ahead than this, in seconds, is from the future. Clocks are changed, and time zones too.
const AHEAD: i64 = 2 * 24 * 60 * 60;

/// The old files of a schedule at a moment.
pub(super) struct Dated<'a> {
    family: &'a Family,
    schedule: &'a Schedule,
    /// The last date that is not from the future.
    horizon: String,
}

impl<'a> Dated<'a> {
    pub(super) fn new(family: &'a Family, schedule: &'a Schedule, now: i64) -> Self {
        Self { family, schedule, horizon: schedule.date(now.saturating_add(AHEAD)) }
    }

    /// Sets the log file aside under the date at which the period that ends at `until` began. Nothing to be done when
    /// it is not there.
    pub(super) fn set_aside(&self, until: i64) -> io::Result<Option<PathBuf>> {
        if !exists(self.family.path()) {
            return Ok(None);
        }
        let date = self.schedule.name(until);
        let used = self.tails()?;
        let newest = used.last().and_then(|tail| self.key(tail)).filter(|(timely, ..)| *timely);
        let tail = match newest {
            Some((_, used, number)) if used >= date.as_str() => {
                format!("{used}.{}", number.saturating_add(1))
            }
            _ => self.free(&date, &used),
        };
        self.family.set_aside(&tail).map(Some)
    }

    /// The tail with this date that follows on those that there are.
    fn free(&self, date: &str, used: &[String]) -> String {
        let keys = used.iter().filter_map(|tail| self.key(tail));
        match keys.filter(|(_, used, _)| *used == date).map(|(.., number)| number).max() {
            Some(number) => format!("{date}.{}", number.saturating_add(1)),
            None => date.to_owned(),
        }
    }

    /// Removes all but the newest `backups` old files.
    pub(super) fn prune(&self, backups: u32) -> io::Result<()> {
        let old = self.list()?;
        let surplus = old.len().saturating_sub(usize::try_from(backups).unwrap_or(usize::MAX));
        old[..surplus].iter().try_for_each(|tail| self.family.give_up(tail))
    }

    /// The tails of the old files, oldest first. Folders with such names are somebody else's.
    pub(super) fn list(&self) -> io::Result<Vec<String>> {
        let mut old = self.tails()?;
        old.retain(|tail| self.family.has_file(tail));
        Ok(old)
    }

    fn tails(&self) -> io::Result<Vec<String>> {
        let mut tails = self.family.tails(|tail| key(self.schedule, tail).is_some())?;
        tails.sort_by(|one, other| self.key(one).cmp(&self.key(other)));
        Ok(tails)
    }

    /// Whether a file is from the past, its date and its number, which sort as the files were made.
    fn key<'t>(&self, tail: &'t str) -> Option<(bool, &'t str, u32)> {
        let (date, number) = key(self.schedule, tail)?;
        Some((date <= self.horizon.as_str(), date, number))
    }
}

/// The date and the number in the tail of an old file's name.
fn key<'a>(schedule: &Schedule, tail: &'a str) -> Option<(&'a str, u32)> {
    let (date, number) = match tail.split_once('.') {
        None => (tail, 0),
        Some((date, end)) => (date, number(end)?),
    };
    schedule.is_name(date).then_some((date, number))
}
