//! Supervised worker processes: started by name, welcomed, watched, and explained when they die.
//!
//! It knows nothing of jobs or tasks: messages are bytes, and the shared page has the caller's layout.
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
//!   parent-death signal to the thread that started it.
//! - The **link** thread of a worker waits for its hello up to a deadline, compares identities, hands over the channels
//!   and then turns messages into events until the channel ends.
//! - The **watch** thread of a worker turns its output into log records and waits for its end. It kills what is left
//!   of the process group, reaps, lets the link read the channel out, and reports one [`Death`].
//! - The **worker** process calls [`worker::enter`] first thing in `main`. It dies with its parent, however that one
//!   ends, and takes the children in its process group along.

mod capture;
mod config;
mod crew;
mod death;
mod farewell;
mod handshake;
mod link;
mod member;
mod os;
mod program;
mod roster;
pub mod signals;
mod spawn;
mod watch;
pub mod worker;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use config::{CrewConfig, CrewEvent, Grace, ShutdownReport, Stop};
pub use crew::Crew;
pub use death::{Cause, Death, signal_name};
pub use gristmill_ipc::{SendError, SharedMemory};
pub use handshake::Identity;
pub use program::Program;
pub use worker::WorkerLink;

/// Locks even after a panic elsewhere: every critical section here leaves its data whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
