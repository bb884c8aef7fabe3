//! The threads executor: workers take turns on the threads of a rayon pool.
//!
//! As fast as processes and without their walls: a crash ends the program, and a hang cannot be ended. An order is a
//! job of the pool, never a loop that waits for orders: a thread that waits in user code's own rayon calls may run
//! another worker's order meanwhile, and must get back from it.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use gristmill_pool::Grace;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::setup::Setup;
use super::{Event, Executor, Loss};
use crate::flight::{Flight, new_page};
use crate::input::Plan;
use crate::job::Stages;
use crate::reduce::SharedShuffle;
use crate::result::Result;
use crate::runner::TaskRunner;
use crate::task::Order;

/// A lane for each worker.
pub(crate) struct Threads {
    setup: Setup,
    stages: Arc<dyn Stages>,
    plan: Arc<Plan>,
    shuffle: SharedShuffle,
    pool: ThreadPool,
    lanes: BTreeMap<usize, Arc<Lane>>,
    events: Receiver<Event>,
    report: Sender<Event>,
}

/// One worker: its orders are carried out one after the other, on whichever thread is free.
struct Lane {
    slot: usize,
    flight: Flight,
    orders: Mutex<Orders>,
    idle: Condvar,
    runner: Mutex<TaskRunner>,
    report: Sender<Event>,
}

#[derive(Default)]
struct Orders {
    queue: VecDeque<Order>,
    /// A job of the pool is at work on this lane.
    busy: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lane {
    /// Carries out the first order; the next one is another job of the pool.
    fn step(self: Arc<Self>) {
        let Some(order) = lock(&self.orders).queue.pop_front() else { return self.go_on() };
        let event = match catch_unwind(AssertUnwindSafe(|| lock(&self.runner).run(order))) {
            Ok(notes) => Event::Done { slot: self.slot, notes },
            // Attempts catch their own panics; this one came from a destructor between them.
            Err(_) => Event::Lost { slot: self.slot, loss: Box::new(Loss::of_lane(self.slot, &self.flight)) },
        };
        let lost = matches!(event, Event::Lost { .. });
        let over = self.report.send(event).is_err() || lost;
        if over {
            // Whoever takes this place gets a lane of its own.
            lock(&self.orders).queue.clear();
        }
        self.go_on();
    }

    /// Goes on with the next order, or rests until there is one.
    fn go_on(self: Arc<Self>) {
        let mut orders = lock(&self.orders);
        if orders.queue.is_empty() {
            orders.busy = false;
            self.idle.notify_all();
        } else {
            drop(orders);
            rayon::spawn(move || self.step());
        }
    }
}

impl Threads {
    pub(crate) fn new(
        workers: usize,
        setup: &Setup,
        stages: Arc<dyn Stages>,
        plan: Arc<Plan>,
    ) -> Result<Self> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(workers)
            .thread_name(|i| format!("gristmill-{}", i + 1))
            .build()?;
        let (report, events) = unbounded();
        let (lanes, shuffle) = (BTreeMap::new(), SharedShuffle::default());
        Ok(Self { setup: setup.clone(), stages, plan, shuffle, pool, lanes, events, report })
    }

    fn lane(&self, slot: usize) -> Result<Lane> {
        let flight = new_page()?;
        let env = self.setup.env(&name(slot), 1, Arc::clone(&self.plan), flight.clone());
        let runner = Mutex::new(TaskRunner::new(Arc::clone(&self.stages), env, self.shuffle.clone()));
        let report = self.report.clone();
        Ok(Lane { slot, flight, orders: Mutex::default(), idle: Condvar::new(), runner, report })
    }
}

/// Name of the worker at `slot`.
fn name(slot: usize) -> String {
    format!("Thread-{}", slot + 1)
}

impl Loss {
    fn of_lane(slot: usize, flight: &Flight) -> Self {
        let why = "panicked outside of a task".into();
        Self {
            worker: name(slot),
            was_ready: true,
            flight: Some(flight.clone()),
            ..Self::before_start(slot, why)
        }
    }
}

impl Executor for Threads {
    fn start(&mut self, slot: usize) {
        let event = match self.lane(slot) {
            Ok(lane) => {
                self.lanes.insert(slot, Arc::new(lane));
                Event::Ready { slot }
            }
            Err(error) => Event::Lost { slot, loss: Box::new(Loss::before_start(slot, error)) },
        };
        self.report.send(event).expect("this executor holds the receiver itself");
    }

    fn send(&mut self, slot: usize, order: Order) -> Result {
        let lane = self.lanes.get(&slot).ok_or("there is no such worker")?;
        let mut orders = lock(&lane.orders);
        orders.queue.push_back(order);
        if !std::mem::replace(&mut orders.busy, true) {
            let lane = Arc::clone(lane);
            self.pool.spawn(move || lane.step());
        }
        Ok(())
    }

    fn next(&mut self, wait: Duration) -> Option<Event> {
        self.events.recv_timeout(wait).ok()
    }

    fn flight(&self, slot: usize) -> Option<Flight> {
        self.lanes.get(&slot).map(|lane| lane.flight.clone())
    }

    fn retire(&mut self, _slot: usize) {
        // Never asked for: replacing workers is refused with this executor.
    }

    fn kill(&mut self, _slot: usize, _why: &str) {
        // Never asked for: time limits are refused with this executor.
    }

    fn stop(&mut self, grace: Grace) {
        for lane in self.lanes.values() {
            lane.flight.request_stop();
            lock(&lane.orders).queue.clear();
        }
        let deadline = Instant::now() + grace.ask + grace.terminate;
        for (&slot, lane) in &self.lanes {
            let left = deadline.saturating_duration_since(Instant::now());
            let waited = lane.idle.wait_timeout_while(lock(&lane.orders), left, |orders| orders.busy);
            let (orders, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if orders.busy {
                tracing::warn!(target: "gristmill", "{} is still in user code and is left behind", name(slot));
            }
        }
    }
}
