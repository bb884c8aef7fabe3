//! Which order goes to which worker next.
//!
//! It changes nothing but queues.

use super::scheduler::Scheduler;
use crate::result::Result;
use crate::task::{Order, TaskId};

/// Orders that a worker may have at a time: one it works on, one to go on with at once.
const WINDOW: usize = 2;

impl Scheduler<'_> {
    /// Gives out as many orders as make sense now.
    pub(super) fn dispatch(&mut self) -> Result {
        if self.reduce.is_some() {
            return self.hand_out_reduce_tasks();
        }
        self.hand_out_map_tasks()?;
        self.flush_idle_workers()
    }

    fn hand_out_map_tasks(&mut self) -> Result {
        for depth in 1..=WINDOW {
            // A task that waits behind another could run at once elsewhere, also on a worker that is about to be ready:
            // queue ahead only when plenty are left.
            if depth > 1
                && (self.map.pending() < self.slots.len() || self.slots.iter().any(|slot| !slot.ready))
            {
                return Ok(());
            }
            for slot in 0..self.slots.len() {
                if self.has_room(slot, depth)
                    && let Some((task, attempt)) = self.map.take()
                {
                    self.give(slot, Order::Run { task: TaskId::Map(task), attempt })?;
                }
            }
        }
        Ok(())
    }

    /// With nothing left to map, what is still in a worker's memory has to be committed.
    fn flush_idle_workers(&mut self) -> Result {
        for slot in 0..self.slots.len() {
            let place = &self.slots[slot];
            let idle = place.ready && place.orders.len() < WINDOW && !place.will_flush();
            if idle && self.map.pending() == 0 && place.holds_map_work() {
                self.give(slot, Order::Flush)?;
            }
        }
        Ok(())
    }

    fn hand_out_reduce_tasks(&mut self) -> Result {
        for slot in 0..self.slots.len() {
            if self.has_room(slot, 1)
                && let Some((task, attempt)) = self.reduce.as_mut().and_then(super::tasks::Tasks::take)
            {
                self.give(slot, Order::Run { task: TaskId::Reduce(task), attempt })?;
            }
        }
        Ok(())
    }

    fn has_room(&self, slot: usize, depth: usize) -> bool {
        self.slots[slot].ready && self.slots[slot].orders.len() < depth
    }

    fn give(&mut self, slot: usize, order: Order) -> Result {
        self.slots[slot].orders.push_back(order);
        self.executor.send(slot, order)
    }
}
