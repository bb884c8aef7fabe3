//! What workers tell the main process, and what its handler makes of it.
//!
//! Plain data.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::death::signal_name;
use crate::toolkit::process_name;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AppEvent<E> {
    /// The name of the process that tells it.
    pub source: String,
    /// What it is.
    pub body: Body<E>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Body<E> {
    /// An event of the application's own.
    Event(E),
    /// A worker has stopped in good order.
    Stopped,
    /// The main process got a signal.
    Signal(i32),
}

impl<E> AppEvent<E> {
    /// An event from this process.
    pub fn new(event: E) -> Self {
        Self { source: process_name().into(), body: Body::Event(event) }
    }

    pub(super) fn stopped() -> Self {
        Self { source: process_name().into(), body: Body::Stopped }
    }

    pub(super) fn signal(signal: i32) -> Self {
        Self { source: process_name().into(), body: Body::Signal(signal) }
    }
}

impl<E: fmt::Debug> fmt::Display for AppEvent<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.body {
            Body::Event(event) => write!(f, "{}: {event:?}", self.source),
            Body::Stopped => write!(f, "{}: stopped", self.source),
            Body::Signal(signal) => write!(f, "{}: {}", self.source, signal_name(*signal)),
        }
    }
}

/// What a handler has made of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// It was for this handler.
    Yes,
    /// It was not. An event of the application's own that nobody handles is logged as an error.
    No,
    /// It was, and the application should end.
    Stop,
}
