//! The worker's side: recognising that this process is one, joining its parent, and the link it then works with.
//!
//! It runs no tasks: what the messages mean is the caller's affair.

use std::env;
use std::ffi::OsString;
use std::io;
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use gristmill_ipc::rendezvous::Visit;
use gristmill_ipc::{Receiver, RecvError, SendError, Sender, SharedMemory, rendezvous};

use crate::handshake::{Hello, Identity, REPLY_LIMIT, Reply, Welcome};
use crate::{farewell, lock, os, shortage};

/// The first argument of every worker process.
pub const MARKER: &str = "--gristmill-worker";

/// The exit status of a worker that may not work.
const REFUSED: i32 = 2;

static ENTERED: AtomicBool = AtomicBool::new(false);
static IS_WORKER: AtomicBool = AtomicBool::new(false);

/// Joins the parent if this process is a worker; call it first thing in `main`.
///
/// In any other process it looks at one argument and returns `None`. In a worker it ties the process's life to the
/// parent's, empties standard input, completes the handshake, sends `tracing` events to the parent's listener and
/// returns the link. A worker is recognised by its first argument and by the lifeline it inherits as standard input,
/// never by the environment, which its own children inherit too.
///
/// When the parent refuses or is gone, or somebody typed the argument, it says why on standard error and exits with
/// status 2.
#[must_use]
pub fn enter(identity: &Identity) -> Option<WorkerLink> {
    ENTERED.store(true, Relaxed);
    let mut arguments = env::args_os().skip(1);
    if arguments.next()? != MARKER {
        return None;
    }
    match join(identity, arguments) {
        Ok(link) => Some(link),
        Err(why) => {
            let why = shortage::explain(why);
            eprintln!("{MARKER} is how this program starts its own workers, and it cannot be one: {why}");
            process::exit(REFUSED);
        }
    }
}

/// Whether this process is a worker. Whoever would start workers of its own can refuse.
#[must_use]
pub fn is_worker() -> bool {
    IS_WORKER.load(Relaxed)
}

/// Whether [`enter`] was called in this process.
#[must_use]
pub fn entered() -> bool {
    ENTERED.load(Relaxed)
}

fn join(identity: &Identity, mut arguments: impl Iterator<Item = OsString>) -> Result<WorkerLink, String> {
    let (place, parent) = arguments.next().zip(arguments.next()).ok_or("arguments are missing")?;
    let place = place.into_string().map_err(|place| format!("{} is no rendezvous", place.display()))?;
    let parent =
        parent.to_str().and_then(|pid| pid.parse().ok()).ok_or("the parent's process id is no number")?;
    let lifeline = os::adopt_lifeline(parent)?;
    // Before the parent's death can be its own: then nobody would remove the place.
    let visit = rendezvous::visit(&place).map_err(|error| format!("nobody answers at {place}: {error}"))?;
    os::die_with_parent(parent, lifeline)?;
    IS_WORKER.store(true, Relaxed);
    let welcome = introduce(identity, visit, &place)?;
    WorkerLink::new(welcome)
}

fn introduce(identity: &Identity, visit: Visit<Hello>, place: &str) -> Result<Welcome, String> {
    let (reply, answer) = rendezvous::reply_channel().map_err(|error| error.to_string())?;
    visit.say(Hello::new(identity, reply)).map_err(|error| format!("nobody answers at {place}: {error}"))?;
    match answer.recv_timeout(REPLY_LIMIT) {
        Ok(Reply::Welcome(welcome)) => Ok(*welcome),
        Ok(Reply::Refused(why)) => Err(why),
        Err(error) => Err(format!("no answer from the parent: {error}")),
    }
}

/// The parent-death signal and the lifeline may come a moment later than the end of a channel. A worker that ended by
/// itself in that moment would leave its children behind.
fn end_with_parent() -> ! {
    os::kill_own_group();
    process::exit(REFUSED)
}

/// What a worker hears from its parent.
#[derive(Debug)]
pub(crate) enum Word {
    Message(Vec<u8>),
    /// Nothing more will come.
    Farewell,
    /// Nothing came before the deadline.
    Late,
}

/// A worker's connection to its parent.
#[derive(Debug)]
pub struct WorkerLink {
    name: String,
    slot: usize,
    incarnation: u32,
    welcome: Vec<u8>,
    page: SharedMemory,
    control: Mutex<Receiver>,
    events: Sender,
}

impl WorkerLink {
    fn new(parts: Welcome) -> Result<Self, String> {
        let Welcome { name, slot, incarnation, page, control, events, log } = parts;
        os::set_process_name(&name).map_err(|error| error.to_string())?;
        if let Some(endpoint) = log {
            gristmill_log::install(endpoint).map_err(|error| format!("cannot log to the parent: {error}"))?;
        }
        let welcome = control.recv().map_err(|error| format!("no welcome from the parent: {error}"))?;
        Ok(Self { name, slot, incarnation, welcome, page, control: Mutex::new(control), events })
    }

    /// The worker's name, such as `Worker-1`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The worker's slot, counted from 0.
    #[must_use]
    pub fn slot(&self) -> usize {
        self.slot
    }

    /// How many workers its slot has had, this one included.
    #[must_use]
    pub fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// What the crew's configuration has for every worker.
    #[must_use]
    pub fn welcome(&self) -> &[u8] {
        &self.welcome
    }

    /// The page that the parent shares with this worker and reads after its death.
    #[must_use]
    pub fn page(&self) -> &SharedMemory {
        &self.page
    }

    /// Waits for the next message; `None` when the parent closed the channel and the worker should end.
    ///
    /// When the parent is dead this does not return: it ends the process and the children in its group.
    ///
    /// A message that cannot be read leaves no way to go on: it is reported on standard error, and the process exits
    /// with status 2.
    pub fn recv(&self) -> Option<Vec<u8>> {
        match self.recv_until(None) {
            Word::Message(message) => Some(message),
            Word::Farewell | Word::Late => None,
        }
    }

    /// The same, until `deadline` if there is one.
    pub(crate) fn recv_until(&self, deadline: Option<Instant>) -> Word {
        let control = lock(&self.control);
        let received = match deadline {
            Some(deadline) => control.recv_timeout(deadline.saturating_duration_since(Instant::now())),
            None => control.recv(),
        };
        match received {
            Ok(message) => Word::Message(message),
            Err(RecvError::Timeout) => Word::Late,
            Err(RecvError::Disconnected) if farewell::was_announced(&self.page) => Word::Farewell,
            Err(RecvError::Disconnected) => end_with_parent(),
            Err(error) => {
                eprintln!("a message from the parent cannot be read: {error}");
                process::exit(REFUSED);
            }
        }
    }

    /// Sends a message to the parent. Above 60 KiB it goes through a file. It waits while the parent does not keep up.
    ///
    /// When the parent is dead, or has given this worker up, this does not return: it ends the process and the
    /// children in its group.
    ///
    /// # Errors
    /// When the spooled file cannot be written.
    pub fn send(&self, message: &[u8]) -> io::Result<()> {
        match self.events.send(message) {
            Ok(()) => Ok(()),
            Err(SendError::Disconnected) => end_with_parent(),
            Err(SendError::Io(error)) => Err(error),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// Ends the process with `code`. All messages sent before arrive.
    pub fn exit(self, code: i32) -> ! {
        drop(self);
        process::exit(code)
    }
}
