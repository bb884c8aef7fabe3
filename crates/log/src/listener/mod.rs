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

mod dispatch;
mod handle;
mod report;
mod run;
mod source;
mod wait;

#[cfg(test)]
mod tests;

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};
use std::{io, thread};

pub use handle::{EndpointError, ListenerHandle};
pub use report::{HandlerFailure, StopReport};

use crate::handlers::Handler;
use dispatch::Dispatch;
use handle::{Command, Shared};
use run::Run;

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

/// The listener could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Its own channel, or its set of channels, could not be made.
    #[error("cannot make a channel for the log listener")]
    Channel(#[source] io::Error),
    /// The queue for the program's own records could not be made.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The thread could not be started.
    #[error("cannot start the log listener's thread")]
    Thread(#[source] io::Error),
}

/// Collects what a [`Listener`] needs.
pub struct ListenerBuilder {
    handlers: Vec<Box<dyn Handler>>,
    name: String,
    ring_bytes: usize,
    patience: Duration,
}

impl ListenerBuilder {
    /// Adds a handler. Each record goes to all that accept it, in the order in which they were added.
    #[must_use]
    pub fn handler(mut self, handler: impl Handler + 'static) -> Self {
        self.handlers.push(Box::new(handler));
        self
    }

    /// The process name in records of this process that have none. The default is `main`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The size of each process's queue; 256 KiB unless set, 4 KiB at least. A record longer than about a quarter
    /// of it is truncated.
    #[must_use]
    pub fn ring_bytes(mut self, bytes: usize) -> Self {
        self.ring_bytes = bytes.max(4 << 10);
        self
    }

    /// How long a process waits for room in its queue before it drops a record; 5 s unless set.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience.min(LONGEST_BOUND);
        self
    }

    /// Starts the listener's thread.
    ///
    /// # Errors
    /// When the system is out of descriptors, memory or threads.
    pub fn start(self) -> Result<Listener, StartError> {
        let (shared, inlet) = Shared::new(self.name, self.ring_bytes, self.patience)?;
        let (report, done) = mpsc::sync_channel(1);
        let dispatch = Dispatch::new(self.handlers, shared.name.clone(), SystemTime::now());
        let run = Run::new(Arc::clone(&shared), inlet, dispatch);
        let thread = thread::Builder::new()
            .name("log-listener".to_owned())
            .spawn(move || {
                // Nobody takes the report of a stop that has been given up.
                drop(report.send(run.run()));
            })
            .map_err(StartError::Thread)?;
        shared.set_thread(thread.thread().clone());
        Ok(Listener { shared, thread: Some(thread), done })
    }
}

impl std::fmt::Debug for ListenerBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.handlers.iter().map(|handler| handler.name()).collect();
        f.debug_struct("ListenerBuilder").field("name", &self.name).field("handlers", &names).finish()
    }
}

impl Listener {
    /// Begins to describe a listener.
    #[must_use]
    pub fn builder() -> ListenerBuilder {
        ListenerBuilder {
            handlers: Vec::new(),
            name: "main".to_owned(),
            ring_bytes: 256 << 10,
            patience: Duration::from_secs(5),
        }
    }

    /// What the rest of the program speaks to the listener with.
    #[must_use]
    pub fn handle(&self) -> ListenerHandle {
        ListenerHandle::new(Arc::clone(&self.shared))
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
                let rings = self.shared.rings.lock().unwrap_or_else(PoisonError::into_inner);
                StopReport::unfinished(&rings)
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
