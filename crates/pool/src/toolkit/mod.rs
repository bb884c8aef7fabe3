//! The toolkit: functions registered by name, and what runs them in worker processes.
//!
//! It is the part that users hold; processes and pools are in modules of their own, and both stand on a
//! [`Crew`](crate::Crew).

pub(crate) mod error;
pub(crate) mod failure;
pub(crate) mod fleet;
pub(crate) mod inbox;
pub(crate) mod line;
pub(crate) mod parcel;
pub(crate) mod registry;
pub(crate) mod results;
pub(crate) mod serve;
pub(crate) mod spool;
pub(crate) mod unanswered;
pub(crate) mod wire;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gristmill_log::ListenerHandle;

use crate::config::LONGEST_LIMIT;
use crate::handshake::Identity;
use crate::lock;
use crate::pool::PoolBuilder;
use crate::process::{Process, Processes};
use crate::restart::RestartDelay;
use error::StartError;
use registry::{Argument, Function, Functions, Output};

/// What all workers of a toolkit have in common.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) log: Option<(ListenerHandle, String)>,
    pub(crate) start_deadline: Duration,
    pub(crate) memory_limit: Option<u64>,
    pub(crate) restart_delay: RestartDelay,
}

/// Starts processes and pools that run the registered functions. Clones are the same toolkit.
///
/// When the last clone is dropped, daemon processes are ended and the others are waited for. Each [`Process`] has a
/// clone of the toolkit that made it.
#[derive(Clone)]
pub struct Toolkit {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) identity: Identity,
    pub(crate) functions: Arc<Functions>,
    pub(crate) settings: Settings,
    processes: Mutex<Option<Arc<Processes>>>,
}

impl Toolkit {
    pub(crate) fn new(identity: Identity, functions: Arc<Functions>) -> Self {
        let settings = Settings {
            log: None,
            start_deadline: Duration::from_secs(10),
            memory_limit: None,
            restart_delay: RestartDelay::default(),
        };
        Self::with(identity, functions, settings)
    }

    fn with(identity: Identity, functions: Arc<Functions>, settings: Settings) -> Self {
        Self { inner: Arc::new(Inner { identity, functions, settings, processes: Mutex::default() }) }
    }

    /// A toolkit for the same functions whose workers send their log records, and what they print, to a listener.
    /// `filter` applies in the worker, for example `info,noisy=warn`.
    #[must_use]
    pub fn with_log(&self, listener: ListenerHandle, filter: impl Into<String>) -> Self {
        self.changed(|settings| settings.log = Some((listener, filter.into())))
    }

    /// A toolkit for the same functions whose workers have this long to start; ten seconds unless set.
    #[must_use]
    pub fn with_start_deadline(&self, limit: Duration) -> Self {
        self.changed(|settings| settings.start_deadline = limit.min(LONGEST_LIMIT))
    }

    /// A toolkit for the same functions whose workers may each use this many bytes of memory; see
    /// [`CrewConfig::memory_limit`](crate::CrewConfig::memory_limit).
    #[must_use]
    pub fn with_memory_limit(&self, bytes: u64) -> Self {
        self.changed(|settings| settings.memory_limit = Some(bytes))
    }

    /// A toolkit for the same functions with another wait before workers that keep dying young are started again.
    #[must_use]
    pub fn with_restart_delay(&self, delay: RestartDelay) -> Self {
        self.changed(|settings| settings.restart_delay = delay)
    }

    fn changed(&self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.inner.settings.clone();
        change(&mut settings);
        Self::with(self.inner.identity.clone(), Arc::clone(&self.inner.functions), settings)
    }

    /// A process that will run `function` once. It is not started yet.
    pub fn process<A: Argument, R: Output>(&self, function: Function<A, R>, argument: A) -> Process<R> {
        Process::new(self, function, &argument)
    }

    /// A pool of `workers` processes that run any of the functions. It is not started yet.
    #[must_use]
    pub fn pool(&self, workers: usize) -> PoolBuilder {
        PoolBuilder::new(self, workers)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// The table of this toolkit's processes.
    pub(crate) fn processes(&self) -> Result<Arc<Processes>, StartError> {
        let mut place = lock(&self.inner.processes);
        if let Some(processes) = &*place {
            return Ok(Arc::clone(processes));
        }
        let processes = Processes::start(&self.inner)?;
        *place = Some(Arc::clone(&processes));
        Ok(processes)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(processes) = lock(&self.processes).take() {
            processes.finish();
        }
    }
}

/// The name of this process: that of the worker, or `main`.
#[must_use]
pub fn process_name() -> &'static str {
    line::Line::here().map_or("main", line::Line::name)
}

impl fmt::Debug for Toolkit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Toolkit")
            .field("functions", &self.inner.functions)
            .field("settings", &self.inner.settings)
            .finish()
    }
}
