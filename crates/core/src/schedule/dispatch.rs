//! Which order goes to which worker next.
//!
//! It changes nothing but queues.

use super::scheduler::Scheduler;
use super::tasks::Tasks;
use crate::result::Result;
use crate::task::{Care, Order, TaskId};

/// Orders that a worker may have at a time: one it works on, one to go on with at once.
const WINDOW: usize = 2;

/// A partition is a larger part of the work than an input split, and partitions differ more: none waits behind another
/// unless so many for each worker wait for any.
const REDUCE_TASKS_LEFT: usize = 4;

impl Scheduler<'_> {
    /// Gives out as many orders as make sense now.
    pub(super) fn dispatch(&mut self) -> Result {
        self.retire_workers();
        if self.alone.is_some() {
            return Ok(());
        }
        if let Some(&task) = self.lonely.front() {
            return self.make_way(task);
        }
        if self.map.is_finished() {
            self.hand_out_reduce_tasks()?;
            return self.hand_out_verifications();
        }
        self.hand_out_map_tasks()?;
        if self.map.pending() == 0 { self.flush_idle_workers() } else { Ok(()) }
    }

    /// Waits until no worker has anything to do or in memory, and then gives out `task` alone.
    fn make_way(&mut self, task: TaskId) -> Result {
        self.flush_idle_workers()?;
        let busy = |slot: &super::slots::Slot| !slot.orders.is_empty() || !slot.resident.is_empty();
        if self.slots.iter().any(busy) {
            return Ok(());
        }
        let Some(slot) = self.slots.iter().position(|slot| slot.ready && !slot.retiring) else {
            return Ok(());
        };
        self.lonely.pop_front();
        self.alone = Some(task);
        let attempt = match task {
            TaskId::Map(task) => self.map.take_one(task),
            TaskId::Reduce(task) => self.reduce.as_mut().map_or(1, |reduce| reduce.take_one(task)),
        };
        self.begin(slot, task, attempt)
    }

    /// Ends workers that have done as many tasks as they may; they are replaced.
    fn retire_workers(&mut self) {
        let Some(most) = self.limits.max_tasks_per_worker else { return };
        for slot in 0..self.slots.len() {
            let place = &mut self.slots[slot];
            let through = place.ready && !place.retiring && place.tasks >= most;
            if through && place.orders.is_empty() && place.resident.is_empty() {
                place.retiring = true;
                self.executor.retire(slot);
            }
        }
    }

    fn hand_out_map_tasks(&mut self) -> Result {
        for depth in 1..=WINDOW {
            if depth > 1 && !self.plenty_are_left(self.map.pending(), 1) {
                break;
            }
            for slot in 0..self.slots.len() {
                if self.has_room(slot, depth)
                    && let Some((task, attempt)) = self.map.take()
                {
                    self.begin(slot, TaskId::Map(task), attempt)?;
                }
            }
        }
        self.flush_workers_that_are_through()
    }

    /// With nothing left to map, what is still in a worker's memory has to be committed.
    fn flush_idle_workers(&mut self) -> Result {
        (0..self.slots.len()).try_for_each(|slot| self.flush(slot, WINDOW))
    }

    fn flush_workers_that_are_through(&mut self) -> Result {
        let Some(most) = self.limits.max_tasks_per_worker else { return Ok(()) };
        (0..self.slots.len())
            .filter(|&slot| self.slots[slot].tasks >= most)
            .collect::<Vec<_>>()
            .into_iter()
            .try_for_each(|slot| self.flush(slot, 1))
    }

    /// Has a worker with fewer than `most` orders commit what is in its memory.
    fn flush(&mut self, slot: usize, most: usize) -> Result {
        let place = &self.slots[slot];
        let idle = place.ready && place.orders.len() < most && !place.will_flush();
        if idle && place.holds_map_work() { self.give(slot, Order::Flush) } else { Ok(()) }
    }

    fn hand_out_reduce_tasks(&mut self) -> Result {
        for depth in 1..=WINDOW {
            let pending = self.reduce.as_ref().map_or(0, Tasks::pending);
            if depth > 1 && !self.plenty_are_left(pending, REDUCE_TASKS_LEFT) {
                break;
            }
            for slot in 0..self.slots.len() {
                // The largest come first. What waits is one of the smallest: nobody takes it from a worker that is long at
                // the largest.
                let take = if depth == 1 { Tasks::take } else { Tasks::take_last };
                if self.has_room(slot, depth)
                    && let Some((task, attempt)) = self.reduce.as_mut().and_then(take)
                {
                    self.begin(slot, TaskId::Reduce(task), attempt)?;
                }
            }
        }
        Ok(())
    }

    /// Whether tasks may be queued, as so many are pending for each worker. One that waits behind another could run at once
    /// elsewhere, also on a worker that is about to be ready.
    fn plenty_are_left(&self, pending: usize, for_each: usize) -> bool {
        pending >= for_each * self.slots.len() && self.slots.iter().all(|slot| slot.ready)
    }

    pub(super) fn has_room(&self, slot: usize, depth: usize) -> bool {
        let place = &self.slots[slot];
        let given = u32::try_from(place.orders.len()).unwrap_or(u32::MAX);
        let may = self.limits.max_tasks_per_worker.is_none_or(|most| place.tasks + given < most);
        place.ready && !place.retiring && place.orders.len() < depth && may
    }

    fn begin(&mut self, slot: usize, task: TaskId, attempt: u32) -> Result {
        // Otherwise workers that die faster than they commit would never get anywhere.
        let commit = matches!(task, TaskId::Map(task) if self.map.was_lost(task));
        let care = Care { commit, ..self.care(task) };
        let place = &self.slots[slot];
        if care.closely && care.probe > 0 && place.holds_map_work() && !place.will_flush() {
            // It may take its worker down: what that has in memory is brought to safety first.
            self.give(slot, Order::Flush)?;
        }
        self.give(slot, Order::Run { task, attempt, care })
    }

    pub(super) fn give(&mut self, slot: usize, order: Order) -> Result {
        self.slots[slot].orders.push_back(order.clone());
        self.executor.send(slot, order)
    }
}
