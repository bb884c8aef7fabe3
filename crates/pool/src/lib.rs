//! Supervised worker processes: started by name, welcomed, watched, and explained when they die.
//!
//! There are two layers. The toolkit runs typed functions in processes and pools and gives them queues and shared state.
//! Below it, a [`Crew`] knows nothing of functions: messages are bytes, and the shared page has the caller's layout.
//!
//! # The toolkit
//!
//! Functions are registered by name in one [`Registry`], built first thing in `main`, because closures cannot travel to
//! another process; a [`Function`] constant is the handle by which the compiler checks every call.
//!
//! ```no_run
//! use gristmill_pool::{Function, Registry};
//!
//! const SQUARE: Function<u64, u64> = Function::new("square");
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let toolkit = Registry::new().function(SQUARE, |x| x * x).enter()?;
//!     let squares = toolkit.pool(4).start()?.map(SQUARE, 0..1000)?;
//!     let process = toolkit.process(SQUARE, 12).named("squarer");
//!     process.start()?;
//!     assert_eq!(process.join()?, squares[12]);
//!     Ok(())
//! }
//! ```
//!
//! | | |
//! |---|---|
//! | [`Process`] | one function in one process: name, state, exit status, restarts, daemon or waited for |
//! | [`Pool`] | many items over some workers: results in order or as they come, limits, hooks, statistics |
//! | [`Queue`] | typed items between any processes; nobody's death disconnects the others |
//! | [`sync`] | events, locks, conditions, semaphores that a dead holder does not keep |
//! | [`manager`] | a dictionary, a list, a namespace in the parent |
//! | [`app`] | a main process with supervised workers, signals and an orderly end |
//!
//! Whatever is shared lives in the parent, in a broker that each worker reaches over the channel it has anyway. Nothing
//! is in shared memory that a process could leave locked or half written by dying. A call from a worker costs a message
//! each way: tens of thousands per second, which is what makes it state for coordination and not for data.
//!
//! # The crew
//!
//! ```text
//!  parent process                                  │  worker process (one per slot)
//! ─────────────────────────────────────────────────┼────────────────────────────────────────────────
//!  caller ── spawn, send, close, signal ─► Crew    │
//!                                           │      │
//!  spawner thread ◄─────── orders ──────────┘      │
//!     └─ starts ─────────── process ──────────────►│  worker::enter: lifeline, parent-death signal
//!                                                  │     │
//!  link thread ◄─────────── hello ─────────────────│─────┤
//!     ├──── welcome: channels, page, log endpoint ►│─────┘
//!     │◄─────────────────── messages ──────────────│── WorkerLink::send
//!  Crew::send ───────────── messages ─────────────►│── WorkerLink::recv
//!                                                  │
//!  watch thread ◄─ stdout, stderr, exit (pidfd) ───│── whatever the process prints, and its end
//!     └─ reaps, waits for the link, classifies ────┼──► CrewEvent::Ended, always the last
//! ```
//!
//! - The **caller** owns a [`Crew`] and a sink for its [`CrewEvent`]s. It decides whom to start, what to say and
//!   whether a dead worker is replaced.
//! - The **spawner**, one thread for the life of the crew, starts all processes, because the kernel ties a child's
//!   parent-death signal to the thread that started it. A slot whose workers keep dying soon after their start waits
//!   for the next one ([`RestartDelay`]); the others do not.
//! - The **link** thread of a worker waits for its hello up to a deadline, compares identities, caps the
//!   worker's memory, hands over the channels and then turns messages into events until the channel ends.
//! - The **watch** thread of a worker turns its output into log records and waits for its end. It kills what is left
//!   of the process group, reaps, lets the link read the channel out, and reports one [`Death`].
//! - The **worker** process calls [`worker::enter`] first thing in `main`. It dies with its parent, however that one
//!   ends, and takes the children in its process group along.
//!
//! # Memory
//!
//! [`CrewConfig::memory_limit`] caps each worker, so that a leak takes down its own process and nothing else. There are
//! two means, and [`Crew::memory_limit_kind`] tells which one is used:
//!
//! | | control group (version 2) | resource limit |
//! |---|---|---|
//! | used | where the group of this process is delegated to it, with a memory controller | everywhere else |
//! | counts | what worker and children together have touched since the handshake, page cache included | what each process may write to in private memory (`RLIMIT_DATA`), more than it had at the handshake |
//! | does not count | | shared memory, memory files, address space that is only reserved |
//! | when exceeded | the kernel kills the worker and its children | the allocation fails: SIGABRT in Rust, `bad_alloc` in C++, `NULL` in C |
//!
//! A group needs processes in leaves only. This process therefore moves into a leaf called
//! `gristmill-PID.coordinator` while a crew with a limit exists, and back when the last one is dropped. The groups of
//! workers go with them; those of a coordinator that was killed are removed by the next one.
//!
//! Under the resource limit each thread's stack counts in full, two mebibytes in Rust, and so does what an allocator
//! maps writable ahead of need.
//!
//! [`Death::ran_out_of_memory`] says whether a worker ended for want of memory, by the kernel's own counters
//! ([`OomSource`] tells whose) or by the worker's last words.
//!
//! # Shortages
//!
//! When the system has no more processes, descriptors or memory for a start, the error names the resource and the limit
//! to raise: `RLIMIT_NPROC` and the `pids` controller, `RLIMIT_NOFILE`, `RLIMIT_AS` and `RLIMIT_DATA`.

pub mod app;
mod broker;
mod capture;
mod config;
mod crew;
mod death;
mod farewell;
mod handshake;
mod link;
pub mod manager;
mod member;
mod memory;
mod os;
mod pending;
mod pool;
mod process;
mod program;
mod queue;
mod restart;
mod roster;
mod shortage;
pub mod signals;
mod spawn;
pub mod sync;
mod toolkit;
mod watch;
pub mod worker;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use broker::CallError;
pub use config::{CrewConfig, CrewEvent, Grace, ShutdownReport, Stop};
pub use crew::Crew;
pub use death::{Cause, Death, signal_name};
pub use gristmill_ipc::{SendError, SharedMemory};
pub use handshake::Identity;
pub use memory::{MemoryLimitKind, OomSource};
pub use pool::{Calls, Canceller, Imap, LongTask, Pending, Pool, PoolBuilder, PoolStats, WorkerTimes};
pub use process::{Process, ProcessHandle, ProcessState, Restart, join_all};
pub use program::Program;
pub use queue::{Leased, LogQueue, Lost, Queue};
pub use restart::RestartDelay;
pub use toolkit::error::{StartError, TaskCause, TaskError};
pub use toolkit::failure::{ErrorKind, ErrorReport, Failure};
pub use toolkit::registry::{Argument, Function, Output, Registry};
pub use toolkit::{Toolkit, process_name};
pub use worker::WorkerLink;

/// What a function in a worker returns.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// Locks even after a panic elsewhere: every critical section here leaves its data whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
