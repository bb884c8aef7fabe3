//! What the scheduler knows of each worker's place.
//!
//! It gives no orders.

use std::collections::VecDeque;
use std::time::Instant;

use crate::task::{Order, TaskId};

/// A worker's place.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) ready: bool,
    /// Orders given and not carried out yet, the running one first.
    pub(super) orders: VecDeque<Order>,
    /// Map tasks whose output is in this worker's memory.
    pub(super) resident: Vec<u32>,
    /// The last heartbeat seen and when it changed.
    pub(super) heartbeat: Option<(u64, Instant)>,
    /// Killed because no record was finished in time.
    pub(super) timed_out: bool,
    /// Deaths at this place since an order was carried out, but for those that were charged to a task.
    pub(super) idle_deaths: u32,
    /// Tasks that this worker has carried out, well or not.
    pub(super) tasks: u32,
    /// It was asked to end, to be replaced.
    pub(super) retiring: bool,
}

impl Slot {
    /// Map attempts among the orders.
    pub(super) fn holds_map_work(&self) -> bool {
        let is_map = |order: &Order| matches!(order, Order::Run { task: TaskId::Map(_), .. });
        !self.resident.is_empty() || self.orders.iter().any(is_map)
    }

    /// Whether a flush is the last order given.
    pub(super) fn will_flush(&self) -> bool {
        self.orders.back() == Some(&Order::Flush)
    }

    /// The worker is gone: forgets and returns its orders and the tasks in its memory.
    pub(super) fn clear(&mut self) -> (VecDeque<Order>, Vec<u32>) {
        self.ready = false;
        self.heartbeat = None;
        self.tasks = 0;
        (std::mem::take(&mut self.orders), std::mem::take(&mut self.resident))
    }
}
