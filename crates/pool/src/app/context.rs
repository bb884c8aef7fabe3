//! What a worker of an application knows of it: how to send events, how long it runs, whether it should end.
//!
//! It decides nothing.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::message::AppEvent;
use crate::broker::CallError;
use crate::queue::Queue;
use crate::sync::Event;
use crate::toolkit::failure::Failure;
use crate::toolkit::process_name;
use crate::toolkit::registry::Argument;

/// A worker's view of its application.
pub struct Context<E> {
    events: Queue<AppEvent<E>>,
    shutdown: Event,
    begun: SystemTime,
}

impl<E: Argument> Context<E> {
    pub(super) fn new(events: Queue<AppEvent<E>>, shutdown: Event, begun: SystemTime) -> Self {
        Self { events, shutdown, begun }
    }

    /// The worker's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        process_name()
    }

    /// The time since the application began, the same in all of its processes.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        // A clock that was set back in the meantime gives nothing.
        self.begun.elapsed().unwrap_or_default()
    }

    /// Sends an event to the main process.
    ///
    /// # Errors
    /// When the application is gone.
    pub fn send(&self, event: E) -> Result<(), Failure> {
        Ok(self.events.put(AppEvent::new(event))?)
    }

    /// Whether the worker should end. A worker with a loop of its own asks this in each round.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        // Without an application there is nothing to go on for.
        self.shutdown.is_set().unwrap_or(true)
    }

    /// Waits for `time`, or until the worker should end; true if it should.
    #[must_use]
    pub fn wait(&self, time: Duration) -> bool {
        self.shutdown.wait_timeout(time).unwrap_or(true)
    }

    pub(super) fn stopped(&self) -> Result<(), CallError> {
        self.events.put(AppEvent::stopped())
    }
}

impl<E> fmt::Debug for Context<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("begun", &self.begun).finish_non_exhaustive()
    }
}
