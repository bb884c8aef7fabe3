//! Starting the workers of an application, one after the other, each within its deadline.
//!
//! Stopping is in `run`.

use std::time::{Duration, Instant};

use super::worker::{Order, OrderOf, PlainWorker, QueueWorker, TimerWorker, Worker, plain, queued};
use super::{App, AppError};
use crate::process::Process;
use crate::queue::Queue;
use crate::sync::Event;
use crate::toolkit::registry::{Argument, Function};

/// How long a wait for a worker's word goes on before its process is looked at.
const TICK: Duration = Duration::from_millis(20);

impl<E: Argument> App<E> {
    /// Starts a worker with a loop of its own and waits until it is ready.
    ///
    /// # Errors
    /// When it fails or is not ready in time. It is gone then.
    pub fn start_plain<W: PlainWorker<Event = E>>(
        &mut self,
        name: &str,
        settings: W::Settings,
    ) -> Result<(), AppError> {
        self.start::<W, ()>(plain::<W>(), name, settings, None)
    }

    /// Starts a worker that does something again and again, and waits until it is ready.
    ///
    /// # Errors
    /// As [`App::start_plain`].
    pub fn start_timer<W: TimerWorker<Event = E>>(
        &mut self,
        name: &str,
        settings: W::Settings,
    ) -> Result<(), AppError> {
        self.start::<W, ()>(plain::<W>(), name, settings, None)
    }

    /// Starts a worker that does something with each item of `queue`, and waits until it is ready. Several may share
    /// a queue.
    ///
    /// # Errors
    /// As [`App::start_plain`].
    pub fn start_consumer<W: QueueWorker<Event = E>>(
        &mut self,
        name: &str,
        settings: W::Settings,
        queue: &Queue<W::Item>,
    ) -> Result<(), AppError> {
        self.start::<W, W::Item>(queued::<W>(), name, settings, Some(queue.clone()))
    }

    fn start<W: Worker<Event = E>, I: Argument>(
        &mut self,
        function: Function<OrderOf<W, I>, ()>,
        name: &str,
        settings: W::Settings,
        items: Option<Queue<I>>,
    ) -> Result<(), AppError> {
        let ready = Event::new()?;
        let order = Order {
            settings,
            events: self.events.clone(),
            shutdown: self.shutdown.clone(),
            ready: ready.clone(),
            begun: self.begun,
            items,
        };
        let process = self.toolkit.process(function, order).named(name);
        process.start()?;
        let outcome = self.await_ready(&process, &ready);
        match outcome {
            Ok(()) => self.workers.push(process),
            Err(_) => {
                process.kill();
                process.wait(Some(self.stop_deadline));
            }
        }
        outcome
    }

    fn await_ready(&self, process: &Process<()>, ready: &Event) -> Result<(), AppError> {
        let deadline = Instant::now() + self.start_deadline;
        loop {
            if ready.wait_timeout(TICK)? {
                return Ok(());
            }
            if let Some(error) = process.error() {
                return Err(error.into());
            }
            if !process.is_alive() {
                // It was ready and is through, both since the last look.
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(AppError::StartDeadline { name: process.name(), limit: self.start_deadline });
            }
        }
    }
}
