//! The inline executor: one worker, run as calls in the scheduler's own thread.
//!
//! For debuggers and profilers. Nothing can be interrupted while a task runs, and whatever kills a task kills the
//! program.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use gristmill_pool::Grace;
use gristmill_pool::signals::Cancel;

use super::setup::Setup;
use super::{Event, Executor};
use crate::flight::{Flight, new_page};
use crate::input::Plan;
use crate::job::Stages;
use crate::reduce::SharedShuffle;
use crate::result::Result;
use crate::runner::TaskRunner;
use crate::task::Order;

/// Name of the one worker.
const NAME: &str = "Inline-1";

/// Runs orders when the next event is asked for.
pub(crate) struct Inline {
    runner: TaskRunner,
    flight: Arc<Flight>,
    events: VecDeque<Event>,
    orders: VecDeque<Order>,
}

impl Inline {
    pub(crate) fn new(
        setup: &Setup,
        stages: Arc<dyn Stages>,
        plan: Arc<Plan>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let flight = new_page()?;
        let shared = Arc::new(flight.clone());
        let asked = Arc::downgrade(&shared);
        // The token may outlive many jobs: it must not keep the page of each.
        cancel.on_change(move |_| {
            if let Some(flight) = asked.upgrade() {
                flight.request_stop();
            }
        });
        let env = setup.env(NAME, 1, plan, flight);
        let runner = TaskRunner::new(stages, env, SharedShuffle::default());
        Ok(Self { runner, flight: shared, events: VecDeque::new(), orders: VecDeque::new() })
    }
}

impl Executor for Inline {
    fn start(&mut self, slot: usize) {
        self.events.push_back(Event::Ready { slot });
    }

    fn send(&mut self, _slot: usize, order: Order) -> Result {
        self.orders.push_back(order);
        Ok(())
    }

    fn next(&mut self, _wait: Duration) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        let order = self.orders.pop_front()?;
        Some(Event::Done { slot: 0, notes: self.runner.run(order) })
    }

    fn flight(&self, _slot: usize) -> Option<Flight> {
        Some(Flight::clone(&self.flight))
    }

    fn retire(&mut self, _slot: usize) {
        // Never asked for: replacing workers is refused with this executor.
    }

    fn kill(&mut self, _slot: usize, _why: &str) {
        // Never asked for: time limits are refused with this executor.
    }

    fn stop(&mut self, _grace: Grace) {
        self.orders.clear();
    }
}
