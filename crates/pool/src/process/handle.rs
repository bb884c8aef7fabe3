//! One process as the program sees it, whatever its function returns: state, waiting, ending.
//!
//! The state is changed by `table` alone, as the crew reports.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::restart::{Restart, Restarts};
use super::table::Processes;
use crate::config::Stop;
use crate::death::{Cause, Death, signal_name};
use crate::lock;
use crate::toolkit::error::{TaskCause, TaskError};
use crate::toolkit::failure::ErrorReport;
use crate::toolkit::parcel::Parcel;
use crate::toolkit::wire::Bytes;

/// How long siblings may take to end before they are killed.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// How far a process has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProcessState {
    /// It was not started yet.
    Initial,
    /// It was started, or is being started again.
    Started,
    /// It has ended for good.
    Stopped,
}

/// What the program and the crew's threads share about one process.
#[derive(Debug)]
pub(crate) struct Record {
    pub(super) function: &'static str,
    pub(super) parcel: Parcel,
    pub(super) state: Mutex<State>,
    pub(super) changed: Condvar,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) name: Option<String>,
    pub(super) daemon: bool,
    pub(super) restarts: Restarts,
    pub(super) phase: ProcessState,
    pub(super) slot: usize,
    pub(super) table: Weak<Processes>,
    pub(super) pid: Option<u32>,
    /// The program itself wants it to end.
    pub(super) unwanted: bool,
    pub(super) outcome: Option<Result<Bytes, ErrorReport>>,
    pub(super) death: Option<Death>,
    pub(super) starts: u32,
}

impl Record {
    pub(super) fn new(function: &'static str, parcel: Parcel) -> Arc<Self> {
        let state = State {
            name: None,
            daemon: false,
            restarts: Restarts::default(),
            phase: ProcessState::Initial,
            slot: 0,
            table: Weak::new(),
            pid: None,
            unwanted: false,
            outcome: None,
            death: None,
            starts: 0,
        };
        Arc::new(Self { function, parcel, state: Mutex::new(state), changed: Condvar::new() })
    }

    pub(super) fn set_name(&self, name: String) {
        lock(&self.state).name = Some(name);
    }

    pub(super) fn set_daemon(&self) {
        lock(&self.state).daemon = true;
    }

    pub(super) fn set_restart(&self, restart: Restart) {
        lock(&self.state).restarts = Restarts::new(restart);
    }

    /// Waits until the process has stopped; false if it has not by the deadline.
    pub(super) fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let mut state = lock(&self.state);
        while state.phase != ProcessState::Stopped {
            if state.phase == ProcessState::Initial {
                return false;
            }
            let Some(deadline) = deadline else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// A process, whatever its function returns. Clones are the same process.
#[derive(Clone, Debug)]
pub struct ProcessHandle {
    record: Arc<Record>,
}

impl ProcessHandle {
    pub(super) fn new(record: Arc<Record>) -> Self {
        Self { record }
    }

    pub(super) fn record(&self) -> &Arc<Record> {
        &self.record
    }

    /// Its name. Until it is started, a process without a name of its own is called after its function.
    #[must_use]
    pub fn name(&self) -> String {
        lock(&self.record.state).name.clone().unwrap_or_else(|| self.record.function.into())
    }

    /// How far it has come.
    #[must_use]
    pub fn state(&self) -> ProcessState {
        lock(&self.record.state).phase
    }

    /// Whether it was started and has not ended for good.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.state() == ProcessState::Started
    }

    /// Whether it is there and has not said yet how it went.
    fn is_at_work(&self) -> bool {
        let state = lock(&self.record.state);
        state.phase == ProcessState::Started && (state.outcome.is_none() || !state.restarts.is_never())
    }

    /// Its process id, once the handshake is complete. It stays known after the end.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        lock(&self.record.state).pid
    }

    /// How often it was started.
    #[must_use]
    pub fn starts(&self) -> u32 {
        lock(&self.record.state).starts
    }

    /// Sends SIGTERM to it and its children. It is not started again.
    pub fn terminate(&self) {
        self.stop(Stop::Terminate, "terminated by the program");
    }

    /// Sends SIGKILL to it and its children. It is not started again.
    pub fn kill(&self) {
        self.stop(Stop::Kill, "killed by the program");
    }

    pub(super) fn stop(&self, stop: Stop, reason: &str) {
        let (table, slot) = {
            let mut state = lock(&self.record.state);
            // What was not started yet cannot be stopped.
            state.unwanted |= state.phase != ProcessState::Initial;
            (state.table.upgrade(), state.slot)
        };
        if let Some(table) = table.filter(|_| self.is_alive()) {
            table.signal(slot, stop, reason);
        }
    }

    /// Waits for the end, for `limit` at most if there is one; true if it has come. One that was not started is not
    /// waited for.
    pub fn wait(&self, limit: Option<Duration>) -> bool {
        self.record.wait_until(limit.and_then(|limit| Instant::now().checked_add(limit)))
    }

    /// The exit status once it has ended: 0 for success, 1 after an error, 101 after a panic, any other that it chose
    /// itself, and −N if signal N ended it. None also if it never came to work; [`death`](Self::death) tells why.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        match lock(&self.record.state).death.as_ref()?.cause {
            Cause::Exited(status) => Some(status),
            Cause::Signalled { signal, .. } => Some(-signal),
            _ => None,
        }
    }

    /// How it ended, in full.
    #[must_use]
    pub fn death(&self) -> Option<Death> {
        lock(&self.record.state).death.clone()
    }

    /// What went wrong, as soon as that is known: an error or a panic even before the process has ended. A process that
    /// may be started again has not failed before it has ended for good.
    #[must_use]
    pub fn error(&self) -> Option<TaskError> {
        let known = {
            let state = lock(&self.record.state);
            let is_final = state.unwanted || state.restarts.is_never();
            state.phase == ProcessState::Stopped || is_final && matches!(state.outcome, Some(Err(_)))
        };
        if known { self.outcome().err() } else { None }
    }

    /// The encoded result.
    pub(super) fn outcome(&self) -> Result<Bytes, TaskError> {
        let (outcome, death) = {
            let state = lock(&self.record.state);
            (state.outcome.clone(), state.death.clone())
        };
        let cause = match (outcome, death) {
            (Some(Ok(bytes)), _) => return Ok(bytes),
            (Some(Err(report)), _) => TaskCause::Failed(Box::new(report)),
            (None, Some(death)) => TaskCause::Died(Box::new(death)),
            (None, None) => TaskCause::NoWorker("it was not started".into()),
        };
        Err(self.failed(cause))
    }

    pub(super) fn failed(&self, cause: TaskCause) -> TaskError {
        TaskError { function: self.record.function.into(), index: None, worker: Some(self.name()), cause }
    }
}

impl fmt::Display for ProcessHandle {
    /// Name and state: `<Worker-1, started>`, `<Worker-1, stopped>`, `<Worker-1, stopped[1]>`, `<Worker-1, stopped[SIGKILL]>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}, ", self.name())?;
        match (self.state(), self.exit_code()) {
            (ProcessState::Initial, _) => f.write_str("initial>"),
            (ProcessState::Started, _) => f.write_str("started>"),
            (ProcessState::Stopped, Some(0)) => f.write_str("stopped>"),
            (ProcessState::Stopped, Some(code)) if code < 0 => {
                write!(f, "stopped[{}]>", signal_name(-code))
            }
            (ProcessState::Stopped, Some(code)) => write!(f, "stopped[{code}]>"),
            (ProcessState::Stopped, None) => f.write_str("stopped[not started]>"),
        }
    }
}

/// Waits for all of these processes. The first that fails is raised at once, and the others are ended.
///
/// They get SIGTERM, and SIGKILL if they are still there a second later.
///
/// # Errors
/// The error of the first that failed.
pub fn join_all<'a>(processes: impl IntoIterator<Item = &'a ProcessHandle>) -> Result<(), TaskError> {
    let processes: Vec<_> = processes.into_iter().cloned().collect();
    let table = processes.iter().find_map(|process| lock(&process.record.state).table.upgrade());
    let Some(table) = table else {
        // Their toolkit has ended, and so have they.
        return processes.iter().find_map(ProcessHandle::error).map_or(Ok(()), Err);
    };
    let failed = table.wait_for(|| {
        let failed = processes.iter().find_map(ProcessHandle::error);
        let all_done = || processes.iter().all(|process| !process.is_alive());
        failed.map(Some).or_else(|| all_done().then_some(None))
    });
    let Some(error) = failed else { return Ok(()) };
    for process in processes.iter().filter(|process| process.is_at_work()) {
        process.stop(Stop::Terminate, "another process failed");
    }
    let deadline = Instant::now() + STOP_GRACE;
    for process in &processes {
        if !process.record.wait_until(Some(deadline)) && process.is_alive() {
            process.stop(Stop::Kill, "another process failed");
            process.wait(Some(STOP_GRACE));
        }
    }
    Err(error)
}
