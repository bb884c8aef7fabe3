//! A supervised application: a main process, workers that run for as long as it does, and an orderly end.
//!
//! ```text
//!  main process                                  │  worker processes
//! ───────────────────────────────────────────────┼──────────────────────────────────────────────
//!  App::run ◄──────────── event queue ◄──────────│── Context::send
//!     ├── shutdown event ───────────────────────►│─► seen by every wait
//!     └── work queues ──────────────────────────►│─► QueueWorker::item, up to the end of the queue
//!  SIGINT, SIGTERM ─► shutdown event             │  TimerWorker::tick, PlainWorker::run
//! ```
//!
//! * Processes share nothing and pass messages: each kind of message has a queue, and a worker reads one at most.
//! * Every worker starts and stops within a deadline; what does not is ended by force, and the report says so.
//! * SIGINT and SIGTERM, to whichever process, ask for an orderly end the first two times; the third time ends it at once.
//! * No wait is for ever.
//! * What happens is logged. An event that nobody handles is an error in the log.
//!
//! This file is what the main process calls; the workers' side is in `worker`.

mod context;
mod message;
mod report;
mod run;
mod start;
mod worker;

use std::fmt;
use std::time::{Duration, SystemTime};

pub use context::Context;
pub use message::{AppEvent, Body, Handled};
pub use report::{AppError, AppReport, WorkerEnd};
pub use worker::{PlainWorker, QueueWorker, TimerWorker, Worker};

use crate::broker::CallError;
use crate::config::LONGEST_LIMIT;
use crate::process::Process;
use crate::queue::Queue;
use crate::signals::{Cancel, Handlers, Level};
use crate::sync::Event;
use crate::toolkit::Toolkit;
use crate::toolkit::registry::Argument;

/// The main context of a supervised application whose workers send events of type `E`.
///
/// Workers are declared by traits, registered with the toolkit, and started here by name:
///
/// ```no_run
/// use std::time::Duration;
/// use gristmill_pool::app::{App, Body, Context, Handled, TimerWorker, Worker};
/// use gristmill_pool::{Registry, Result};
///
/// struct Clock(u32);
///
/// impl Worker for Clock {
///     const NAME: &'static str = "clock";
///     type Settings = u32;
///     type Event = String;
///     fn start(first: u32, _: &Context<String>) -> Result<Self> {
///         Ok(Self(first))
///     }
/// }
///
/// impl TimerWorker for Clock {
///     fn interval(&self) -> Duration {
///         Duration::from_secs(1)
///     }
///     fn tick(&mut self, context: &Context<String>) -> Result<()> {
///         self.0 += 1;
///         context.send(format!("tick {}", self.0))
///     }
/// }
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let toolkit = Registry::new().timer_worker::<Clock>().enter()?;
///     let mut app = App::new(&toolkit)?;
///     app.start_timer::<Clock>("CLOCK", 0)?;
///     let report = app.run(|event| match event.body {
///         Body::Event(text) if text == "tick 5" => Handled::Stop,
///         Body::Event(text) => {
///             println!("{}: {text}", event.source);
///             Handled::Yes
///         }
///         _ => Handled::No,
///     })?;
///     println!("{report}");
///     Ok(())
/// }
/// ```
pub struct App<E> {
    toolkit: Toolkit,
    events: Queue<AppEvent<E>>,
    shutdown: Event,
    workers: Vec<Process<()>>,
    queues: Vec<Box<dyn WorkQueue>>,
    start_deadline: Duration,
    stop_deadline: Duration,
    begun: SystemTime,
    cancel: Cancel,
    handlers: Option<Handlers>,
}

/// A queue that the application closes at its end.
trait WorkQueue: Send {
    fn close(&self) -> Result<(), CallError>;
    fn left(&self) -> Result<usize, CallError>;
}

impl<T: Argument> WorkQueue for Queue<T> {
    fn close(&self) -> Result<(), CallError> {
        Queue::close(self)
    }

    fn left(&self) -> Result<usize, CallError> {
        self.drain().map(|items| items.len())
    }
}

impl<E: Argument> App<E> {
    /// An application without workers. From now on SIGINT and SIGTERM ask it to end.
    ///
    /// # Errors
    /// In a worker, or when signal handlers are installed already.
    pub fn new(toolkit: &Toolkit) -> Result<Self, AppError> {
        let shutdown = Event::new()?;
        let events = Queue::unbounded()?;
        let cancel = Cancel::new();
        obey(&cancel, &shutdown, &events);
        let handlers = crate::signals::install_handlers(&cancel)?;
        Ok(Self {
            toolkit: toolkit.clone(),
            events,
            shutdown,
            workers: Vec::new(),
            queues: Vec::new(),
            start_deadline: Duration::from_secs(10),
            stop_deadline: Duration::from_secs(3),
            begun: SystemTime::now(),
            cancel,
            handlers: Some(handlers),
        })
    }

    /// How long a worker may take to start; ten seconds unless set.
    #[must_use]
    pub fn start_deadline(mut self, limit: Duration) -> Self {
        self.start_deadline = limit.min(LONGEST_LIMIT);
        self
    }

    /// How long the workers may take to stop; three seconds unless set. Then they get SIGTERM, and SIGKILL a second later.
    #[must_use]
    pub fn stop_deadline(mut self, limit: Duration) -> Self {
        self.stop_deadline = limit.min(LONGEST_LIMIT);
        self
    }

    /// A queue for work, which the application closes at its end: its consumers do what is left, and end.
    ///
    /// # Errors
    /// In a worker.
    pub fn queue<T: Argument>(&mut self, capacity: Option<usize>) -> Result<Queue<T>, AppError> {
        let queue = match capacity {
            Some(capacity) => Queue::bounded(capacity)?,
            None => Queue::unbounded()?,
        };
        self.queues.push(Box::new(queue.clone()));
        Ok(queue)
    }

    /// What asks the application to end. It can be set by anybody.
    #[must_use]
    pub fn shutdown_event(&self) -> Event {
        self.shutdown.clone()
    }

    /// Where workers send their events. The main process may put its own there too.
    #[must_use]
    pub fn events(&self) -> Queue<AppEvent<E>> {
        self.events.clone()
    }

    /// The same request to end that a signal makes.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }
}

/// What a signal does: the shutdown event wakes the workers, an event the main process.
fn obey<E: Argument>(cancel: &Cancel, shutdown: &Event, events: &Queue<AppEvent<E>>) {
    let (shutdown, events) = (shutdown.clone(), events.clone());
    cancel.on_change(move |level| match level {
        Level::Immediate(signal) => {
            // The workers end with this process, and their messages go with them.
            crate::toolkit::spool::remove_all();
            std::process::exit(128 + signal);
        }
        Level::Graceful(signal) => {
            let asked = shutdown.set().and_then(|()| events.put(AppEvent::signal(signal)));
            if let Err(error) = asked {
                tracing::error!("signal {signal} cannot be passed on: {error}");
            }
        }
        Level::None => {}
    });
}

impl<E> fmt::Debug for App<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("workers", &self.workers).finish_non_exhaustive()
    }
}
