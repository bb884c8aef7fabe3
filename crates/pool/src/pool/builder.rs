//! What a pool can be told before it starts.
//!
//! It starts the scheduler's thread and nothing else.

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::unbounded;

use super::Pool;
use super::scheduler::{Input, Scheduler};
use crate::toolkit::Toolkit;
use crate::toolkit::error::StartError;
use crate::toolkit::fleet::Fleet;
use crate::toolkit::parcel::Parcel;
use crate::toolkit::registry::{Argument, Function};
use crate::toolkit::wire::{Call, Role};

/// How long after the last task the workers may take to end, exit hooks included.
const EXIT_LIMIT: Duration = Duration::from_secs(10);

/// Collects what a [`Pool`] needs.
#[derive(Clone)]
pub struct PoolBuilder {
    toolkit: Toolkit,
    pub(super) workers: usize,
    pub(super) prefix: String,
    pub(super) max_tasks: Option<u32>,
    pub(super) task_timeout: Option<Duration>,
    pub(super) exit_limit: Duration,
    init: Option<(Call, Parcel)>,
    exit: Option<(Call, Parcel)>,
    error: Option<Arc<StartError>>,
}

impl PoolBuilder {
    pub(crate) fn new(toolkit: &Toolkit, workers: usize) -> Self {
        Self {
            toolkit: toolkit.clone(),
            workers: workers.max(1),
            prefix: "PoolWorker".into(),
            max_tasks: None,
            task_timeout: None,
            exit_limit: EXIT_LIMIT,
            init: None,
            exit: None,
            error: None,
        }
    }

    /// What the workers are called: `PoolWorker`, unless set, makes the first one `PoolWorker-1`.
    #[must_use]
    pub fn name_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Replaces each worker after so many tasks, should the functions leak something.
    #[must_use]
    pub fn max_tasks_per_worker(mut self, tasks: u32) -> Self {
        self.max_tasks = Some(tasks.max(1));
        self
    }

    /// How long one task may take; its worker is killed then, and the task fails. Without a limit unless set.
    #[must_use]
    pub fn task_timeout(mut self, limit: Duration) -> Self {
        self.task_timeout = Some(limit);
        self
    }

    /// How long the workers may take to end when the pool is finished; ten seconds unless set.
    #[must_use]
    pub fn exit_limit(mut self, limit: Duration) -> Self {
        self.exit_limit = limit;
        self
    }

    /// What each worker runs before its first task. If it fails, the worker ends, and after three in a row the pool
    /// gives up. It counts as part of the start, whose deadline holds.
    #[must_use]
    pub fn init<A: Argument>(mut self, function: Function<A, ()>, argument: A) -> Self {
        self.init = self.hook(function, &argument);
        self
    }

    /// What each worker runs after its last task, when it ends in good order. Its failure is logged.
    #[must_use]
    pub fn exit<A: Argument>(mut self, function: Function<A, ()>, argument: A) -> Self {
        self.exit = self.hook(function, &argument);
        self
    }

    fn hook<A: Argument>(&mut self, function: Function<A, ()>, argument: &A) -> Option<(Call, Parcel)> {
        let name = function.name();
        let packed = self.toolkit.inner().functions.check(function).and_then(|()| {
            let unable = |error| StartError::Argument { function: name.into(), error };
            Parcel::pack(argument).map_err(|error| unable(error.to_string()))
        });
        match packed {
            Ok(parcel) => Some((Call { function: name.into(), argument: parcel.bytes.clone() }, parcel)),
            Err(error) => {
                self.error = Some(Arc::new(error));
                None
            }
        }
    }

    /// Starts the pool and its workers. It does not wait for them: they take up work as they come.
    ///
    /// # Errors
    /// When a hook is not registered or its argument cannot be sent, when this process is a worker itself, or when the
    /// system refuses.
    pub fn start(self) -> Result<Pool, StartError> {
        if let Some(error) = &self.error {
            return Err(error.again());
        }
        let toolkit = self.toolkit.inner();
        let (inbox, inputs) = unbounded();
        let events = inbox.clone();
        let call = |hook: &Option<(Call, Parcel)>| hook.as_ref().map(|(call, _)| call.clone());
        let role = Role::Pool { init: call(&self.init), exit: call(&self.exit) };
        let sink = move |event| {
            // The scheduler ends after the workers.
            events.send(Input::Fleet(event)).unwrap_or_default();
        };
        let fleet = Fleet::start(&toolkit.settings, &toolkit.identity, &self.prefix, &role, sink)?;
        let (functions, workers) = (Arc::clone(&toolkit.functions), self.workers);
        let start_limit = toolkit.settings.start_deadline;
        let thread = thread::Builder::new()
            .name("pool".into())
            .spawn(move || Scheduler::new(fleet, self, start_limit).run(&inputs))?;
        Ok(Pool { inbox, thread: Some(thread), functions, workers })
    }
}

impl fmt::Debug for PoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolBuilder")
            .field("workers", &self.workers)
            .field("prefix", &self.prefix)
            .field("max_tasks", &self.max_tasks)
            .field("task_timeout", &self.task_timeout)
            .finish_non_exhaustive()
    }
}
