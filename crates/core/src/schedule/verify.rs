//! Runs a sample of tasks again when all are done, and compares.
//!
//! What it runs is committed nowhere.

use std::collections::{HashMap, VecDeque};

use super::scheduler::Scheduler;
use crate::error::Error;
use crate::input::Plan;
use crate::result::Result;
use crate::task::{Care, Order, TaskId};

/// Map tasks and partitions in the sample, spread evenly.
const MAP_TASKS: usize = 8;
const PARTITIONS: usize = 2;
/// A map task is run so many times: nothing else tells what its output should be.
const TIMES: usize = 2;

/// The tasks that are run again.
#[derive(Debug, Default)]
pub(super) struct Verify {
    queue: VecDeque<TaskId>,
    /// Orders that were given and not carried out yet.
    running: usize,
    digests: HashMap<TaskId, u64>,
}

impl Verify {
    /// A sample of `map_tasks` and `partitions`.
    pub(super) fn new(map_tasks: usize, partitions: usize) -> Self {
        let maps = spread(map_tasks, MAP_TASKS).map(TaskId::Map);
        let reduces = spread(partitions, PARTITIONS).map(TaskId::Reduce);
        // The second time comes later, and most likely in another worker.
        let maps: Vec<_> = maps.collect();
        let queue = (0..TIMES).flat_map(|_| maps.clone()).chain(reduces).collect();
        Self { queue, running: 0, digests: HashMap::new() }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.queue.is_empty() && self.running == 0
    }

    /// A worker died with this order: it is given again.
    pub(super) fn requeue(&mut self, task: TaskId) {
        self.running -= 1;
        self.queue.push_back(task);
    }
}

/// At most `most` numbers below `count`.
fn spread(count: usize, most: usize) -> impl Iterator<Item = u32> {
    let most = most.min(count);
    (0..most).map(move |i| (i * count / most) as u32)
}

impl Scheduler<'_> {
    /// Whether there is nothing left to verify. The sample is taken when everything else is done.
    pub(super) fn is_verified(&mut self) -> bool {
        if !self.limits.verify {
            return true;
        }
        let (maps, partitions) = (self.map.len(), self.limits.partitions as usize);
        self.verify.get_or_insert_with(|| Verify::new(maps, partitions)).is_finished()
    }

    pub(super) fn hand_out_verifications(&mut self) -> Result {
        for slot in 0..self.slots.len() {
            if self.has_room(slot, 1)
                && let Some(verify) = &mut self.verify
                && let Some(task) = verify.queue.pop_front()
            {
                verify.running += 1;
                let care = Care { probe: 0, ..self.care(task) };
                self.give(slot, Order::Verify { task, care })?;
            }
        }
        Ok(())
    }

    /// Compares what a task came to with what it came to before.
    pub(super) fn verified(&mut self, task: TaskId, digest: u64) -> Result<(), Error> {
        let Some(verify) = &mut self.verify else { return Ok(()) };
        verify.running -= 1;
        let before = match task {
            TaskId::Map(_) => verify.digests.insert(task, digest),
            TaskId::Reduce(partition) => self.commits.checksum(partition),
        };
        if before.is_none_or(|before| before == digest) {
            return Ok(());
        }
        let (who, what) = match task {
            TaskId::Map(_) => ("mapper", "emitted something else when it ran again"),
            TaskId::Reduce(_) => ("reducer or combiner", "had another result when it ran again"),
        };
        let place = place(&self.plan, task);
        Err(Error::from(crate::result::BoxError::from(format!(
            "{task}{place} {what} (--verify): the job's {who} is not deterministic, and its output would depend on \
             workers, chunk size and faults"
        ))))
    }
}

/// What a map task reads, to go on after its name.
fn place(plan: &Plan, task: TaskId) -> String {
    let TaskId::Map(split) = task else { return String::new() };
    let piece = plan.splits.get(split as usize).and_then(|split| split.pieces.first());
    let file = piece.and_then(|piece| plan.files.get(piece.file as usize));
    piece.zip(file).map_or_else(String::new, |(piece, file)| format!(" ({file}, from byte {})", piece.offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_over_all_tasks() {
        assert_eq!(spread(3, 8).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(spread(100, 4).collect::<Vec<_>>(), [0, 25, 50, 75]);
        assert_eq!(spread(0, 4).count(), 0);
        assert!(Verify::new(0, 0).is_finished());
        assert_eq!(Verify::new(1, 1).queue.len(), 3);
    }
}
