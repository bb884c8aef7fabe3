//! The listener: one thread of the parent that owns the handlers and empties every process's ring.
//!
//! ```text
//!  worker process                        │  parent process
//!  ──────────────────────────────────────┼───────────────────────────────────────────────
//!  event ─► layer ─► record ─► ring ═════╪═════► listener thread ─► handler, handler, …
//!                       └──── bell ──────┼─────►    (waits)
//!                                        │  ListenerHandle::submit ─► ring of its own ─┘
//! ```
//! This file starts and stops it. The thread's work is in `run`.

mod builder;
mod dispatch;
mod errors;
mod handle;
mod hangup;
mod queues;
pub(crate) mod remote;
mod report;
mod run;
mod source;
mod stderr;
mod wait;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use builder::ListenerBuilder;
pub use errors::{EndpointError, InstallOwnError, LevelsError, StartError};
pub use handle::ListenerHandle;
pub use hangup::{HangupGuard, reopen_on_hangup};
pub use report::{HandlerFailure, StopReport};
pub use stderr::{LogToStderrError, log_to_stderr};

use crate::worker::install_producer;
use handle::{Command, Shared};

/// How long the listener that is dropped may deliver what is queued.
const DROP_BOUND: Duration = Duration::from_secs(2);
/// How long after its bound a stop may return: time to write out what handlers buffer.
const GRACE: Duration = Duration::from_millis(250);
/// No stop is given more time than this.
const LONGEST_BOUND: Duration = Duration::from_secs(24 * 60 * 60);

/// The running listener. It stops when this is dropped; [`stop`](Listener::stop) also says how that went.
///
/// ```
/// use std::time::Duration;
/// use gristmill_log::{Level, Listener, Memory, Record};
///
/// let memory = Memory::new();
/// let listener = Listener::builder().handler(memory.clone()).start()?;
/// listener.handle().submit(Record::new(Level::INFO, "example", "hello"));
/// let report = listener.stop(Duration::from_secs(2));
/// assert!(report.is_complete(), "{report}");
/// assert_eq!(memory.records()[0].message, "hello");
/// # Ok::<(), gristmill_log::StartError>(())
/// ```
#[derive(Debug)]
pub struct Listener {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    done: Receiver<StopReport>,
}

impl Listener {
    /// Begins to describe a listener.
    #[must_use]
    pub fn builder() -> ListenerBuilder {
        ListenerBuilder::new()
    }

    /// What the rest of the program speaks to the listener with.
    #[must_use]
    pub fn handle(&self) -> ListenerHandle {
        ListenerHandle::new(Arc::clone(&self.shared))
    }

    /// Sends this process's own events and `log` records to the listener, too, with its levels. They take the queue of
    /// what is [submitted](ListenerHandle::submit).
    ///
    /// # Errors
    /// When logging has been installed in this process by somebody else, or the listener has stopped.
    pub fn install(&self) -> Result<(), InstallOwnError> {
        let (own, levels) = self.shared.own().ok_or(EndpointError::Stopped)?;
        Ok(install_producer(own, &levels)?)
    }

    /// Delivers what is queued, for as long as `bound` allows, and ends.
    ///
    /// Records that processes enqueue from now on are dropped and counted, so stop the workers first. This returns
    /// at the latest shortly after `bound`, even when a handler hangs; the thread is then left behind.
    #[must_use = "the report says what was not delivered"]
    pub fn stop(mut self, bound: Duration) -> StopReport {
        self.shut_down(bound)
    }

    fn shut_down(&mut self, bound: Duration) -> StopReport {
        let bound = bound.min(LONGEST_BOUND);
        self.shared.command(Command::Stop(Instant::now() + bound));
        match self.done.recv_timeout(bound + GRACE) {
            Ok(report) => {
                // The thread has sent its last word: it ends now.
                drop(self.thread.take().map(JoinHandle::join));
                report
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                self.thread = None;
                StopReport::unfinished(self.shared.queues().rings())
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.thread.is_none() {
            return;
        }
        let report = self.shut_down(DROP_BOUND);
        if !report.is_complete() {
            dispatch::last_resort(&format!("log listener: {report}"));
        }
    }
}
