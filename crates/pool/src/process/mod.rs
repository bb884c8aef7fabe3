//! Processes that run one function each, with a name, a state and an exit status.
//!
//! What happens between start and end is decided in `table`; nothing here runs in the worker.

mod handle;
mod restart;
mod table;

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::time::Duration;

use gristmill_ipc::decode;

pub use handle::{ProcessHandle, ProcessState, join_all};
pub use restart::Restart;
pub(crate) use table::Processes;

use crate::process::handle::Record;
use crate::toolkit::Toolkit;
use crate::toolkit::error::{StartError, TaskCause, TaskError};
use crate::toolkit::parcel::Parcel;
use crate::toolkit::registry::{Argument, Function, Output};

/// A process that runs one function with one argument.
///
/// It is made by [`Toolkit::process`], started once by [`start`](Self::start), and everything that does not concern
/// the result's type is in [`ProcessHandle`], which it dereferences to. Dropping it leaves the process alone: the
/// toolkit waits for it at its own end, or ends it if it is a daemon.
///
/// ```no_run
/// # use gristmill_pool::{Function, Toolkit};
/// # const SQUARE: Function<u64, u64> = Function::new("square");
/// # fn run(toolkit: &Toolkit) -> Result<(), Box<dyn std::error::Error>> {
/// let process = toolkit.process(SQUARE, 12).named("squarer");
/// process.start()?;
/// println!("{process}"); // <squarer, started>
/// assert_eq!(process.join()?, 144);
/// assert_eq!(process.exit_code(), Some(0));
/// # Ok(())
/// # }
/// ```
pub struct Process<R> {
    toolkit: Toolkit,
    handle: ProcessHandle,
    /// An argument that cannot be sent is reported by `start`.
    unable: Option<StartError>,
    result: PhantomData<fn() -> R>,
}

impl<R: Output> Process<R> {
    pub(crate) fn new<A: Argument>(toolkit: &Toolkit, function: Function<A, R>, argument: &A) -> Self {
        let name = function.name();
        let checked = toolkit.inner().functions.check(function).and_then(|()| {
            Parcel::pack(argument)
                .map_err(|error| StartError::Argument { function: name.into(), error: error.to_string() })
        });
        let (parcel, unable) = match checked {
            Ok(parcel) => (parcel, None),
            Err(error) => (Parcel::default(), Some(error)),
        };
        let handle = ProcessHandle::new(Record::new(name, parcel));
        Self { toolkit: toolkit.clone(), handle, unable, result: PhantomData }
    }

    /// Gives the process a name; otherwise it is called `Worker-1`, `Worker-2` and so on, in the order of the starts.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        self.handle.record().set_name(name.into());
        self
    }

    /// Makes it a daemon: the toolkit does not wait for it but ends it with itself.
    #[must_use]
    pub fn daemon(self) -> Self {
        self.handle.record().set_daemon();
        self
    }

    /// Says when it is started again after its end. It never is unless set.
    #[must_use]
    pub fn restart(self, restart: Restart) -> Self {
        self.handle.record().set_restart(restart);
        self
    }

    /// Starts it and returns at once.
    ///
    /// # Errors
    /// When the function is not registered with these types, the argument cannot be sent, the name is none, it was
    /// started before, or the system refuses.
    pub fn start(&self) -> Result<(), StartError> {
        match &self.unable {
            Some(unable) => Err(unable.again()),
            None => self.toolkit.processes()?.launch(self.handle.record()),
        }
    }

    /// Waits for the end and returns what the function has returned.
    ///
    /// # Errors
    /// What the function raised, or how the process died.
    pub fn join(&self) -> Result<R, TaskError> {
        self.handle.wait(None);
        self.result()
    }

    /// Waits for the end for `limit` at most; `None` if the process is still there then. To join one that was not
    /// started is an error at once.
    pub fn join_timeout(&self, limit: Duration) -> Option<Result<R, TaskError>> {
        let over = self.handle.wait(Some(limit)) || self.handle.state() == ProcessState::Initial;
        over.then(|| self.result())
    }

    fn result(&self) -> Result<R, TaskError> {
        let bytes = self.handle.outcome()?;
        decode(&bytes).map_err(|error| self.handle.failed(TaskCause::Codec(error.to_string())))
    }
}

impl<R> Deref for Process<R> {
    type Target = ProcessHandle;

    fn deref(&self) -> &ProcessHandle {
        &self.handle
    }
}

impl<R> fmt::Display for Process<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

impl<R> fmt::Debug for Process<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process").field("handle", &self.handle).finish_non_exhaustive()
    }
}
