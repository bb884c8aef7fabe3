//! Executors: they deliver orders to workers and bring back events, and decide nothing.
//!
//! [`processes`] runs workers as processes, [`threads`] as threads of a rayon pool, [`inline`] as calls in the
//! scheduler's own thread.

mod inline;
mod processes;
mod setup;
mod threads;
pub(crate) mod worker;

use std::time::Duration;

use gristmill_pool::Grace;

use crate::flight::Flight;
use crate::result::Result;
use crate::runner::Note;
use crate::task::{DeathFacts, Order};

pub(crate) use inline::Inline;
pub(crate) use processes::{LogTail, Processes};
pub(crate) use setup::{Setup, write_plan};
pub(crate) use threads::Threads;

/// What happened to a worker.
#[derive(Debug)]
pub(crate) enum Event {
    /// A worker is ready for orders.
    Ready { slot: usize },
    /// A worker carried out the order that it was given first.
    Done { slot: usize, notes: Vec<Note> },
    /// A worker said something that is no note: it cannot be trusted any more.
    Garbled { slot: usize, error: String },
    /// A worker is gone. It comes after everything that the worker had to say.
    Lost { slot: usize, loss: Box<Loss> },
}

/// A worker that is gone.
#[derive(Debug)]
pub(crate) struct Loss {
    pub(crate) worker: String,
    pub(crate) pid: Option<u32>,
    /// How it ended, in words that go on after "the worker".
    pub(crate) cause: String,
    /// Whether it had been ready for orders.
    pub(crate) was_ready: bool,
    /// Whether it ended by itself, and well.
    pub(crate) is_clean: bool,
    /// Whether somebody else has killed it, as far as can be told.
    pub(crate) from_outside: bool,
    /// Whether there was too little memory for it.
    pub(crate) out_of_memory: bool,
    /// What the system says of its end.
    pub(crate) death: DeathFacts,
    /// Its page, as it left it.
    pub(crate) flight: Option<Flight>,
    pub(crate) log_tail: Vec<String>,
    pub(crate) stderr_tail: String,
}

impl Loss {
    /// The loss of a worker that never was.
    fn before_start(slot: usize, error: crate::result::BoxError) -> Self {
        Self {
            worker: format!("worker {}", slot + 1),
            pid: None,
            cause: error.to_string(),
            was_ready: false,
            is_clean: false,
            from_outside: false,
            out_of_memory: false,
            death: DeathFacts::default(),
            flight: None,
            log_tail: Vec::new(),
            stderr_tail: String::new(),
        }
    }
}

/// Runs workers, whatever they are. A slot is a worker's place; its occupants may change.
pub(crate) trait Executor {
    /// Brings a worker to `slot`; [`Event::Ready`] or [`Event::Lost`] follows.
    fn start(&mut self, slot: usize);

    /// Gives an order to the worker at `slot`, behind those that it has already. It never waits for the worker.
    fn send(&mut self, slot: usize, order: Order) -> Result;

    /// The next event, or `None` when there is none within `wait`.
    fn next(&mut self, wait: Duration) -> Option<Event>;

    /// The page of the worker at `slot`.
    fn flight(&self, slot: usize) -> Option<Flight>;

    /// Says that the worker at `slot` is of use: should it die, another is started without delay.
    fn vouch(&mut self, slot: usize) {
        let _ = slot;
    }

    /// Has the idle worker at `slot` end by itself; [`Event::Lost`] follows.
    fn retire(&mut self, slot: usize);

    /// Ends the worker at `slot`; [`Event::Lost`] follows.
    fn kill(&mut self, slot: usize, why: &str);

    /// Tells all workers, which are idle, that nothing more will come. It waits for none: [`Executor::stop`] does.
    fn dismiss(&mut self) {}

    /// Ends all workers: asks, then terminates, then kills. Returns when none is left, within the grace time or
    /// little more.
    fn stop(&mut self, grace: Grace);
}
