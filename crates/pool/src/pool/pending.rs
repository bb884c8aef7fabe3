//! A single result that will come.
//!
//! It is submitted in `calls`.

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;
use gristmill_ipc::decode;

use super::batch::Ticketed;
use super::calls::pool_ended;
use crate::toolkit::error::{TaskCause, TaskError};
use crate::toolkit::registry::Output;

/// A result that will come.
///
/// Dropping it calls the task off; [`detach`](Self::detach) lets it run.
pub struct Pending<R> {
    ticketed: Ticketed,
    function: &'static str,
    unable: Option<TaskError>,
    /// Whether the result was given out: how soon the pool forgets the task after that is its own business.
    given: bool,
    result: PhantomData<fn() -> R>,
}

impl<R: Output> Pending<R> {
    pub(super) fn new(ticketed: Ticketed, function: &'static str, unable: Option<TaskError>) -> Self {
        Self { ticketed, function, unable, given: false, result: PhantomData }
    }

    /// Waits for the result.
    ///
    /// # Errors
    /// When the task fails or is called off.
    pub fn wait(mut self) -> Result<R, TaskError> {
        if let Some(error) = self.unable.take() {
            return Err(error);
        }
        let arrived = self.ticketed.arrivals.next(|_, outcome| read(self.function, outcome));
        arrived.unwrap_or_else(|_| Err(error(self.function, pool_ended())))
    }

    /// Waits for the result for `limit` at most; `None` if it has not come by then. It is given out once.
    pub fn wait_timeout(&mut self, limit: Duration) -> Option<Result<R, TaskError>> {
        if let Some(error) = self.unable.take() {
            self.given = true;
            return Some(Err(error));
        }
        let deadline = Instant::now().checked_add(limit);
        let arrived = self.ticketed.arrivals.next_until(deadline, |_, outcome| read(self.function, outcome));
        let result = match arrived {
            Ok(result) => Some(result),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Err(error(self.function, pool_ended()))),
        };
        self.given |= result.is_some();
        result
    }

    /// Whether the result is there, or was given out already.
    pub fn is_ready(&mut self) -> bool {
        self.given || self.unable.is_some() || self.ticketed.arrivals.is_ready()
    }

    /// Calls the task off; its result is an error then, unless it was there before.
    pub fn cancel(&self) {
        self.ticketed.cancel();
    }

    /// Lets the task run without anybody waiting for it. A failure is logged.
    pub fn detach(mut self) {
        self.ticketed.detach();
    }
}

fn read<R: Output>(function: &str, outcome: Result<&[u8], TaskError>) -> Result<R, TaskError> {
    decode(outcome?).map_err(|failed| error(function, TaskCause::Codec(failed.to_string())))
}

fn error(function: &str, cause: TaskCause) -> TaskError {
    TaskError { function: function.into(), index: None, worker: None, cause }
}

impl<R> fmt::Debug for Pending<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("function", &self.function).finish_non_exhaustive()
    }
}
