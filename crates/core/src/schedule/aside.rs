//! What a failure means for the records and groups that are to blame, instead of for their task.
//!
//! How strikes add up is in `strikes`, what is kept of a record in `quarantine`.

use super::scheduler::Scheduler;
use super::strikes::{Strikes, Verdict};
use crate::error::Error;
use crate::result::Result;
use crate::task::{Care, Failure, Spot, TaskId};

impl Scheduler<'_> {
    /// Has up to `most` records and groups set aside that user code fails at again and again. With `sampled`, workers run
    /// the mapper on records of other splits too.
    pub(crate) fn setting_aside(mut self, most: u64, sampled: bool) -> Self {
        self.strikes = Strikes::new(most, self.commits.aside().iter().copied());
        self.sampled = sampled;
        self
    }

    /// Charges a failure to the records or groups that are to blame; false if it is the task's own.
    ///
    /// # Errors
    /// When more would have to be set aside than may be, or what is cannot be kept.
    pub(super) fn charge_spots(
        &mut self,
        task: TaskId,
        failure: &mut Failure,
        from_outside: bool,
    ) -> Result<bool, Error> {
        if !self.strikes.are_counted() || failure.is_final {
            return Ok(false);
        }
        let new = self.strikes.suspect(task);
        if failure.spots.is_empty() {
            // What user code saw were many records at once: the next attempt finds out which it is.
            let excused = new && failure.in_user_code && !from_outside;
            (failure.attempt, failure.max_attempts) = (1, self.limits.max_attempts.saturating_add(1));
            return Ok(excused);
        }
        let mut first = None;
        for at in 0..failure.spots.len() {
            let spot = failure.spots[at].spot;
            let verdict = self.strikes.strike(spot, from_outside);
            let counts = match verdict {
                Verdict::Again(count, needed) => (count, needed),
                Verdict::Aside(count) | Verdict::TooMany(count) => (count, count),
            };
            if first.is_none() {
                (failure.attempt, failure.max_attempts) = *first.insert(counts);
            }
            match verdict {
                Verdict::Again(..) => {}
                Verdict::Aside(count) => self.commits.set_aside(&failure.spots[at], failure, count)?,
                Verdict::TooMany(_) => return Err(self.too_many(task, failure, at)),
            }
        }
        Ok(true)
    }

    fn too_many(&self, task: TaskId, failure: &Failure, last: usize) -> Error {
        let (mut failure, last) = (failure.clone(), failure.spots[last].clone());
        let (most, place) = (self.strikes.most(), self.place(last.spot));
        failure.kind = last.kind.clone();
        failure.blame(&self.plan, task, vec![last]);
        Error::task(failure).advise(format!(
            "more than {most} records would have to be set aside (--max-bad-records {most}): the last is {place}"
        ))
    }

    fn place(&self, spot: Spot) -> String {
        match spot {
            Spot::Record { file, offset, len } => {
                let name = self.plan.files.get(file as usize).map(ToString::to_string).unwrap_or_default();
                format!("at byte {offset} of {name}, {len} bytes long")
            }
            Spot::Group { partition, ordinal } => format!("group {ordinal} of partition {partition}"),
        }
    }

    /// How carefully the next attempt at a task has to go about it.
    pub(super) fn care(&self, task: TaskId) -> Care {
        let (failed, own) = match task {
            TaskId::Map(task) => {
                (self.map.charged(task), self.strikes.in_split(&self.plan.splits[task as usize]))
            }
            TaskId::Reduce(task) => {
                let failed = self.reduce.as_ref().map_or(0, |reduce| reduce.charged(task));
                (failed, self.strikes.in_partition(task))
            }
        };
        let closely = failed > 0 || self.strikes.is_suspect(task) || !own.is_empty();
        let probe = if closely && self.strikes.are_counted() { self.strikes.probe() } else { 0 };
        let skip = match task {
            TaskId::Map(_) if self.sampled => self.strikes.records(),
            _ => own,
        };
        Care { closely, probe, skip, ..Care::default() }
    }
}
