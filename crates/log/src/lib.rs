//! One log listener for many processes.
//!
//! Several processes that write one log file tear each other's lines and rotate the file under each other's feet. Here
//! a worker process does neither: its one handler puts records on a queue, and a listener in the parent owns the
//! handlers. This crate starts no processes, and how an endpoint reaches a worker is up to the program.
//!
//! * Each process has a queue of its own in memory that it shares with the parent. A worker that is killed at any
//!   instruction leaves whole records only, and what it had enqueued is still delivered.
//! * Levels are filtered in the worker: what is filtered out is neither formatted nor sent.
//! * All queues are bounded. A process that finds its own full waits, for a limited time, and then drops records;
//!   the log says where, and how many.
//! * A handler that fails or panics is reported through the others, and logging goes on.
//!
//! # Example
//!
//! The parent starts a listener and makes an endpoint for each worker. Here the worker is a thread, so that the
//! example can run; [`Endpoint`]s are made to be sent to processes, through an `ipc-channel` or by an [`Offer`].
//!
//! ```
//! use std::time::Duration;
//! use gristmill_log::{Console, Format, LevelFilter, Listener, RotatingFile, Schedule, When};
//! use ipc_channel::ipc;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let path = folder.path().join("program.log");
//! let file = RotatingFile::builder(&path)
//!     .max_bytes(10 << 20)
//!     .schedule(Schedule::new(When::Midnight))
//!     .backups(30)
//!     .gzip(true)
//!     .open()?;
//! let listener = Listener::builder()
//!     .handler(Console::stderr().level(LevelFilter::WARN))
//!     .handler(file.format(Format::Json))
//!     .start()?;
//! let (to_worker, from_parent) = ipc::channel()?;
//! to_worker.send(listener.handle().endpoint("Worker-1", "info,noisy=warn")?)?;
//!
//! // The worker, early in its `main`:
//! let worker = std::thread::spawn(move || {
//!     let endpoint = from_parent.recv().expect("an endpoint");
//!     gristmill_log::install(endpoint).expect("the first to install logging");
//!     let _task = gristmill_log::context::TaskContext::enter("wordcount", "map-3", 1);
//!     tracing::info!(words = 17, "a file has been read");
//! });
//! worker.join().expect("no panic");
//!
//! let report = listener.stop(Duration::from_secs(2));
//! assert!(report.is_complete(), "{report}");
//! let line = std::fs::read_to_string(&path)?;
//! assert!(line.contains(r#""process":"Worker-1""#));
//! assert!(line.contains(r#""message":"a file has been read words=17""#));
//! # Ok(())
//! # }
//! ```
//!
//! # What is where
//!
//! * In the worker: [`install`] sends `tracing` events and `log` records, with the spans around them, error chains and
//!   backtraces formatted there; [`Producer`] is for records of a program's own making. [`Patience`] says by level
//!   whether a record waits for room in a full queue or is dropped and counted.
//! * In the parent: [`Listener`] runs in a thread, [`serve`] in a process of its own. [`ListenerHandle::set_levels`]
//!   changes what running workers send, [`ListenerHandle::set_handler_levels`] what a handler takes of it, and
//!   [`ListenerHandle::reopen`] opens log files anew, on `SIGHUP` if the program
//!   asks for it with [`reopen_on_hangup`].
//! * At the end: [`Console`], [`RotatingFile`] and [`Memory`], or any [`Handler`], each with its own level, filter and
//!   [`Format`].
//! * All of it as data: [`Config`]. The whole in one line: [`log_to_stderr`].
//!
//! # Order
//!
//! Records of one process come in the order in which it enqueued them. Those of different processes are interleaved
//! about as they happened; their times say how exactly.

mod answer;
mod config;
mod directives;
mod format;
mod handlers;
mod listener;
mod record;
mod ring;
mod rotation;
mod truncate;
mod worker;

pub mod context;

pub use config::{Config, ConfigError, ConsoleConfig, FileConfig, HandlerConfig, ListenerConfig};
pub use directives::{Directives, DirectivesError};
pub use format::{Format, Pattern, PatternError};
pub use handlers::{
    Console, Filtered, Handler, HandlerLevels, Memory, OpenError, RotateOptions, RotatingFile,
    RotatingFileBuilder,
};
pub use listener::remote::{Invitation, RemoteError, RemoteListener, ServeError, serve};
pub use listener::{
    EndpointError, HandlerFailure, HangupGuard, InstallOwnError, LevelsError, Listener, ListenerBuilder,
    ListenerHandle, LogToStderrError, StartError, StopReport, log_to_stderr, reopen_on_hangup,
};
pub use record::Record;
pub use rotation::{Clock, ManualClock, Schedule, ScheduleError, SystemClock, When};
pub use tracing::Level;
pub use tracing_subscriber::filter::LevelFilter;
pub use worker::{
    AttachError, Chain, Endpoint, InstallError, Offer, OfferError, Patience, Producer, chain, install,
    receive,
};
