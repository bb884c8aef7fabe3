//! What the program and the listener's thread share, and the handle through which the program uses it.
//!
//! The handle never waits for the thread: it leaves a command and wakes it.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use ipc_channel::ipc::{self, IpcReceiver, IpcSender};
use tracing_subscriber::filter::ParseError;

use super::StartError;
use super::wait::Waiter;
use crate::layer::parse_directives;
use crate::ring::Ring;
use crate::{Endpoint, Producer, Record};

/// An endpoint could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The listener has stopped, or is about to.
    #[error("the log listener has stopped")]
    Stopped,
    /// The directives make no sense.
    #[error("log level directives `{directives}` are invalid")]
    Directives {
        /// The directives.
        directives: String,
        /// What is wrong with them.
        source: ParseError,
    },
    /// The memory or the channel for the queue could not be made.
    #[error("cannot make a log queue for {name}")]
    Queue {
        /// The process that it was for.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Command {
    /// Listen to one more process.
    Add { name: String, ring: Ring, bell: IpcReceiver<()> },
    /// Say so when every queue has been found empty.
    Sync(Sender<()>),
    /// Deliver what is queued until then, and end.
    Stop(Instant),
}

/// What the thread alone has: the other ends of what is in [`Shared`].
pub(super) struct Inlet {
    pub(super) waiter: Waiter,
    pub(super) commands: Receiver<Command>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) name: String,
    ring_bytes: usize,
    patience: Duration,
    commands: Sender<Command>,
    bell: Mutex<IpcSender<()>>,
    /// The bell's message is under way. The thread clears it when it has received it.
    pub(super) rung: AtomicBool,
    thread: OnceLock<Thread>,
    /// A stop has been asked for: the command is there, or about to be.
    pub(super) stopped: AtomicBool,
    /// The rings that are listened to, so that they can be counted when the thread hangs.
    pub(super) rings: Mutex<Vec<Ring>>,
    own: OnceLock<Producer>,
}

impl Shared {
    pub(super) fn new(
        name: String,
        ring_bytes: usize,
        patience: Duration,
    ) -> Result<(Arc<Self>, Inlet), StartError> {
        let (bell, wakes) = ipc::channel().map_err(StartError::Channel)?;
        let waiter = Waiter::new(wakes).map_err(StartError::Channel)?;
        let (commands, receiver) = mpsc::channel();
        let shared = Arc::new(Self {
            name,
            ring_bytes,
            patience,
            commands,
            bell: Mutex::new(bell),
            rung: AtomicBool::new(false),
            thread: OnceLock::new(),
            stopped: AtomicBool::new(false),
            rings: Mutex::default(),
            own: OnceLock::new(),
        });
        let own = shared.endpoint(&shared.name, "")?;
        // The endpoint is a moment old: nobody else can have attached to it.
        if let Ok(producer) = own.attach() {
            drop(shared.own.set(producer));
        }
        Ok((shared, Inlet { waiter, commands: receiver }))
    }

    pub(super) fn set_thread(&self, thread: Thread) {
        // Set once, by the builder.
        drop(self.thread.set(thread));
    }

    fn endpoint(&self, name: &str, directives: &str) -> Result<Endpoint, EndpointError> {
        if self.stopped.load(SeqCst) {
            return Err(EndpointError::Stopped);
        }
        let failed = |source| EndpointError::Queue { name: name.to_owned(), source };
        let ring = Ring::new(self.ring_bytes).map_err(failed)?;
        let (bell, rings) = ipc::channel().map_err(failed)?;
        self.command(Command::Add { name: name.to_owned(), ring: ring.clone(), bell: rings });
        Ok(Endpoint {
            name: name.to_owned(),
            directives: directives.to_owned(),
            ring,
            bell,
            patience: self.patience,
        })
    }

    /// Leaves a command for the thread and wakes it. One that comes after its end does nothing.
    pub(super) fn command(&self, command: Command) {
        if matches!(command, Command::Stop(_)) {
            self.stopped.store(true, SeqCst);
        }
        let sent = self.commands.send(command).is_ok();
        if sent && !self.rung.swap(true, SeqCst) {
            let bell = self.bell.lock().unwrap_or_else(PoisonError::into_inner);
            // It fails only when the thread has just ended.
            drop(bell.send(()));
        }
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

/// Speaks to a [`Listener`](crate::Listener) from any thread of its process. It may outlive it.
#[derive(Clone, Debug)]
pub struct ListenerHandle {
    shared: Arc<Shared>,
}

impl ListenerHandle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Makes a place on the queue for a process that is about to start, to be sent to it through an ipc-channel.
    ///
    /// `name` is the process name in its records. `directives` say what it enqueues, for example
    /// `info,mycrate=debug,noisy=off`. A process that is started again needs a fresh endpoint.
    ///
    /// # Errors
    /// When the directives are invalid, the listener has stopped, or the system is out of memory or descriptors.
    pub fn endpoint(&self, name: &str, directives: &str) -> Result<Endpoint, EndpointError> {
        parse_directives(directives)
            .map_err(|source| EndpointError::Directives { directives: directives.to_owned(), source })?;
        self.shared.endpoint(name, directives)
    }

    /// Enqueues a record of the program's own and returns whether it is on the queue. See [`Producer::submit`].
    pub fn submit(&self, record: Record) -> bool {
        self.shared.own.get().is_some_and(|own| own.submit(&record))
    }

    /// Waits until what is on the queues now has been handed to the handlers, `bound` at most.
    ///
    /// Returns whether it has. With processes that never stop logging it may not be, although much was delivered.
    #[must_use]
    pub fn sync(&self, bound: Duration) -> bool {
        let (done, wait) = mpsc::channel();
        self.shared.command(Command::Sync(done));
        wait.recv_timeout(bound).is_ok()
    }
}
