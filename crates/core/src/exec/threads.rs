//! The threads executor: workers are threads of a rayon pool.
//!
//! As fast as processes and without their walls: a crash ends the program, and a hang cannot be ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use gristmill_pool::Grace;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::setup::Setup;
use super::{Event, Executor};
use crate::flight::{Flight, new_page};
use crate::input::Plan;
use crate::job::Stages;
use crate::result::Result;
use crate::runner::TaskRunner;
use crate::task::Order;

/// A thread for each worker.
pub(crate) struct Threads {
    setup: Setup,
    stages: Arc<dyn Stages>,
    plan: Arc<Plan>,
    pool: ThreadPool,
    workers: Vec<Worker>,
    events: Receiver<Event>,
    report: Sender<Event>,
}

struct Worker {
    orders: Option<Sender<Order>>,
    flight: Flight,
    ended: Receiver<()>,
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
            .thread_name(|i| format!("Thread-{}", i + 1))
            .build()?;
        let (report, events) = unbounded();
        Ok(Self { setup: setup.clone(), stages, plan, pool, workers: Vec::new(), events, report })
    }

    fn spawn(&self, slot: usize, flight: Flight) -> Worker {
        let (orders, inbox) = unbounded::<Order>();
        let (ending, ended) = unbounded();
        let env = self.setup.env(&format!("Thread-{}", slot + 1), 1, Arc::clone(&self.plan), flight.clone());
        let (stages, report) = (Arc::clone(&self.stages), self.report.clone());
        self.pool.spawn(move || {
            let mut runner = TaskRunner::new(stages, env);
            for order in inbox {
                let notes = runner.run(order);
                if report.send(Event::Done { slot, notes }).is_err() {
                    break;
                }
            }
            drop(ending);
        });
        Worker { orders: Some(orders), flight, ended }
    }
}

impl Executor for Threads {
    fn start(&mut self, slot: usize) {
        let event = match new_page() {
            Ok(flight) => {
                let worker = self.spawn(slot, flight);
                self.workers.insert(slot, worker);
                Event::Ready { slot }
            }
            Err(error) => Event::Lost { slot, loss: Box::new(super::Loss::before_start(slot, error)) },
        };
        self.report.send(event).expect("this executor holds the receiver itself");
    }

    fn send(&mut self, slot: usize, order: Order) -> Result {
        let orders = self.workers[slot].orders.as_ref().ok_or("the worker was stopped")?;
        Ok(orders.send(order)?)
    }

    fn next(&mut self, wait: Duration) -> Option<Event> {
        self.events.recv_timeout(wait).ok()
    }

    fn flight(&self, slot: usize) -> Option<Flight> {
        self.workers.get(slot).map(|worker| worker.flight.clone())
    }

    fn kill(&mut self, _slot: usize, _why: &str) {
        // Never asked for: time limits are refused with this executor.
    }

    fn stop(&mut self, grace: Grace) {
        for worker in &mut self.workers {
            worker.flight.request_stop();
            worker.orders = None;
        }
        let deadline = Instant::now() + grace.ask + grace.terminate;
        for (i, worker) in self.workers.iter().enumerate() {
            let left = deadline.saturating_duration_since(Instant::now());
            if worker.ended.recv_timeout(left) == Err(crossbeam_channel::RecvTimeoutError::Timeout) {
                tracing::warn!(target: "gristmill", "Thread-{} is still in user code and is left behind", i + 1);
            }
        }
    }
}
