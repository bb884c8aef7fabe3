//! What a listener is to be, and its start.
//!
//! Its stop, and everything between, is elsewhere.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::SystemTime;

use super::dispatch::Dispatch;
use super::handle::{QueueOptions, Shared};
use super::run::Run;
use super::{Listener, StartError};
use crate::handlers::{Handler, HandlerLevels};
use crate::{Directives, DirectivesError, Patience};

/// Collects what a [`Listener`] needs.
pub struct ListenerBuilder {
    handlers: Vec<Box<dyn Handler>>,
    levels: BTreeMap<String, HandlerLevels>,
    name: String,
    options: QueueOptions,
}

impl ListenerBuilder {
    pub(super) fn new() -> Self {
        let options = QueueOptions {
            bytes: 256 << 10,
            records: u64::MAX,
            patience: Patience::default(),
            levels: "info".to_owned(),
        };
        Self { handlers: Vec::new(), levels: BTreeMap::new(), name: "main".to_owned(), options }
    }

    /// Adds a handler. Each record goes to all that accept it, in the order in which they were added.
    #[must_use]
    pub fn handler(mut self, handler: impl Handler + 'static) -> Self {
        self.handlers.push(Box::new(handler));
        self
    }

    /// Adds a handler with levels that can be changed later under this name, by
    /// [`ListenerHandle::set_handler_levels`](crate::ListenerHandle::set_handler_levels).
    #[must_use]
    pub fn named_handler(
        mut self,
        name: impl Into<String>,
        levels: impl Into<HandlerLevels>,
        handler: impl Handler + 'static,
    ) -> Self {
        let levels = levels.into();
        self.levels.insert(name.into(), levels.clone());
        self.handler(handler.filtered(levels))
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
        self.options.bytes = bytes.max(4 << 10);
        self
    }

    /// How many records each process's queue takes at most, whatever their size. Unless set, only their size counts.
    #[must_use]
    pub fn queue_records(mut self, records: u64) -> Self {
        self.options.records = records.max(1);
        self
    }

    /// How long a process waits for room in its queue before it drops a record; 5 s unless set. A [`Patience`] tells
    /// levels apart.
    #[must_use]
    pub fn patience(mut self, patience: impl Into<Patience>) -> Self {
        self.options.patience = patience.into();
        self
    }

    /// The levels of processes whose endpoints are made by
    /// [`ListenerHandle::endpoint_for`](crate::ListenerHandle::endpoint_for), such as
    /// `info,noisy=warn`. The default is `info`.
    ///
    /// # Errors
    /// When the directives make no sense.
    pub fn levels(mut self, directives: &str) -> Result<Self, DirectivesError> {
        directives.parse::<Directives>()?;
        self.options.levels = directives.to_owned();
        Ok(self)
    }

    /// Starts the listener's thread.
    ///
    /// # Errors
    /// When the system is out of descriptors, memory or threads.
    pub fn start(self) -> Result<Listener, StartError> {
        let (shared, inlet) = Shared::new(self.name, self.options, self.levels)?;
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
