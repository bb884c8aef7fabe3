//! Outcomes on their way from the scheduler to whoever waits for them, one by one however they were sent.
//!
//! It does not decode them.

use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::toolkit::error::TaskError;
use crate::toolkit::results::split_first;
use crate::toolkit::wire::Bytes;

/// What the scheduler sends.
#[derive(Debug)]
pub(super) enum Arrival {
    /// Items that succeeded, the first of which has this index.
    Run(u64, Bytes),
    One(u64, Result<Bytes, TaskError>),
}

/// The caller's end.
#[derive(Debug)]
pub(super) struct Arrivals {
    receiver: Receiver<Arrival>,
    next: Option<Arrival>,
    /// How many bytes of a run were read.
    read: usize,
}

impl Arrivals {
    pub(super) fn new(receiver: Receiver<Arrival>) -> Self {
        Self { receiver, next: None, read: 0 }
    }

    /// Whether an outcome is there, or none will come any more.
    pub(super) fn is_ready(&mut self) -> bool {
        match self.look(Some(Instant::now())) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => true,
            Err(RecvTimeoutError::Timeout) => false,
        }
    }

    /// Waits for the next outcome and gives it to `read`.
    pub(super) fn next<T>(
        &mut self,
        read: impl FnOnce(u64, Result<&[u8], TaskError>) -> T,
    ) -> Result<T, RecvTimeoutError> {
        self.next_until(None, read)
    }

    /// The same, until `deadline` if there is one.
    pub(super) fn next_until<T>(
        &mut self,
        deadline: Option<Instant>,
        read: impl FnOnce(u64, Result<&[u8], TaskError>) -> T,
    ) -> Result<T, RecvTimeoutError> {
        loop {
            self.look(deadline)?;
            match self.next.take() {
                Some(Arrival::One(index, outcome)) => {
                    return Ok(match outcome {
                        Ok(bytes) => read(index, Ok(&bytes)),
                        Err(error) => read(index, Err(error)),
                    });
                }
                Some(Arrival::Run(index, entries)) => {
                    let Some((_, bytes, rest)) = split_first(&entries[self.read..]) else { continue };
                    let value = read(index, Ok(bytes));
                    if !rest.is_empty() {
                        self.read = entries.len() - rest.len();
                        self.next = Some(Arrival::Run(index + 1, entries));
                    }
                    return Ok(value);
                }
                None => {}
            }
        }
    }

    /// Waits until no more can come.
    pub(super) fn discard(&mut self) {
        while self.receiver.recv().is_ok() {}
    }

    /// Waits until the next arrival is in its place.
    fn look(&mut self, deadline: Option<Instant>) -> Result<(), RecvTimeoutError> {
        if self.next.is_none() {
            let arrival = match deadline {
                Some(deadline) => self.receiver.recv_deadline(deadline)?,
                None => self.receiver.recv().map_err(|_| RecvTimeoutError::Disconnected)?,
            };
            (self.next, self.read) = (Some(arrival), 0);
        }
        Ok(())
    }
}
