//! What the program and the listener's thread share, and the handle through which the program uses it.
//!
//! The handle leaves a command and wakes the thread. It waits for it only where a time is given.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use ipc_channel::ipc::{self, IpcReceiver, IpcSender};

use super::errors::{EndpointError, LevelsError, StartError};
use super::queues::Queues;
use super::wait::Waiter;
use crate::ring::{LONGEST_LEVELS, Ring};
use crate::{Directives, Endpoint, HandlerLevels, Patience, Producer, Record};

/// How the queue of a process is made.
#[derive(Clone, Debug)]
pub(super) struct QueueOptions {
    pub(super) bytes: usize,
    pub(super) records: u64,
    pub(super) patience: Patience,
    /// The levels of processes that are told no others.
    pub(super) levels: String,
}

/// What the thread is asked to do.
#[derive(Debug)]
pub(super) enum Command {
    /// Listen to one more process.
    Add { name: String, ring: Ring, bell: IpcReceiver<()> },
    /// Say so when every queue has been found empty.
    Sync(Sender<()>),
    /// Let the handlers open their files anew, and say so.
    Reopen(Sender<()>),
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
    options: QueueOptions,
    commands: Sender<Command>,
    bell: Mutex<IpcSender<()>>,
    /// The bell's message is under way. The thread clears it when it has received it.
    pub(super) rung: AtomicBool,
    thread: OnceLock<Thread>,
    /// A stop has been asked for: the command is there, or about to be.
    pub(super) stopped: AtomicBool,
    queues: Mutex<Queues>,
    own: OnceLock<Arc<Producer>>,
    /// The levels of handlers that have a name.
    handlers: BTreeMap<String, HandlerLevels>,
}

impl Shared {
    pub(super) fn new(
        name: String,
        options: QueueOptions,
        handlers: BTreeMap<String, HandlerLevels>,
    ) -> Result<(Arc<Self>, Inlet), StartError> {
        gristmill_ipc::first_use().map_err(StartError::Channel)?;
        let (bell, wakes) = ipc::channel().map_err(StartError::Channel)?;
        let waiter = Waiter::new(wakes).map_err(StartError::Channel)?;
        let (commands, receiver) = mpsc::channel();
        let shared = Arc::new(Self {
            name,
            queues: Mutex::new(Queues::new(options.levels.clone())),
            options,
            commands,
            bell: Mutex::new(bell),
            rung: AtomicBool::new(false),
            thread: OnceLock::new(),
            stopped: AtomicBool::new(false),
            own: OnceLock::new(),
            handlers,
        });
        let own = shared.endpoint_on(|bytes| Ok(Ring::unshared(bytes)), &shared.name, "")?;
        // The endpoint is a moment old: nobody else can have attached to it.
        if let Ok(producer) = own.attach() {
            drop(shared.own.set(Arc::new(producer)));
        }
        Ok((shared, Inlet { waiter, commands: receiver }))
    }

    /// The queue of the program's own records, and the levels for what it logs. Nothing when the listener has stopped.
    pub(super) fn own(&self) -> Option<(Arc<Producer>, String)> {
        let own = self.own.get().filter(|_| !self.stopped.load(SeqCst))?;
        let queues = self.queues();
        Some((Arc::clone(own), queues.levels(&queues.default)))
    }

    pub(super) fn set_thread(&self, thread: Thread) {
        // Set once, by the builder.
        drop(self.thread.set(thread));
    }

    fn endpoint(&self, name: &str, directives: &str) -> Result<Endpoint, EndpointError> {
        self.endpoint_on(Ring::new, name, directives)
    }

    fn endpoint_on(
        &self,
        ring: impl FnOnce(usize) -> io::Result<Ring>,
        name: &str,
        directives: &str,
    ) -> Result<Endpoint, EndpointError> {
        if self.stopped.load(SeqCst) {
            return Err(EndpointError::Stopped);
        }
        let failed = |source| EndpointError::Queue { name: name.to_owned(), source };
        let QueueOptions { bytes, records, patience, .. } = self.options;
        let ring = ring(bytes).map_err(failed)?;
        let (bell, rings) = ipc::channel().map_err(failed)?;
        let mut queues = self.queues();
        queues.add(name, ring.clone());
        let directives = queues.levels(directives);
        drop(queues);
        self.command(Command::Add { name: name.to_owned(), ring: ring.clone(), bell: rings });
        Ok(Endpoint { name: name.to_owned(), directives, ring, bell, patience, most: records })
    }

    pub(super) fn queues(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
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
        let parsed = directives.parse::<Directives>();
        parsed.map_err(|source| EndpointError::Directives { directives: directives.to_owned(), source })?;
        self.shared.endpoint(name, directives)
    }

    /// Makes such a place with the levels that were given to the listener.
    ///
    /// # Errors
    /// When the listener has stopped, or the system is out of memory or descriptors.
    pub fn endpoint_for(&self, name: &str) -> Result<Endpoint, EndpointError> {
        let directives = self.shared.queues().default.clone();
        self.shared.endpoint(name, &directives)
    }

    /// Changes what all processes enqueue, those included that are still to come, from their next event on.
    ///
    /// A process without installed logging takes no notice: it filters nothing.
    ///
    /// # Errors
    /// When the directives are invalid or too long. Nothing is changed then.
    pub fn set_levels(&self, directives: &str) -> Result<(), LevelsError> {
        check_levels(directives)?;
        self.shared.queues().tell_everyone(directives);
        Ok(())
    }

    /// Changes what the running processes with this name enqueue, and returns how many there are.
    ///
    /// # Errors
    /// When the directives are invalid or too long. Nothing is changed then.
    pub fn set_levels_of(&self, name: &str, directives: &str) -> Result<usize, LevelsError> {
        check_levels(directives)?;
        Ok(self.shared.queues().tell(name, directives))
    }

    /// Changes what a handler takes of what processes send, from the next record on. The listener was given its name by
    /// [`named_handler`](crate::ListenerBuilder::named_handler), or by a [`Config`](crate::Config).
    ///
    /// # Errors
    /// When the directives are invalid, or there is no handler of this name.
    pub fn set_handler_levels(&self, name: &str, directives: &str) -> Result<(), LevelsError> {
        let invalid = |source| LevelsError::Directives { directives: directives.to_owned(), source };
        let directives = directives.parse().map_err(invalid)?;
        self.handler_levels(name)?.set(directives);
        Ok(())
    }

    pub(crate) fn handler_levels(&self, name: &str) -> Result<&HandlerLevels, LevelsError> {
        self.shared.handlers.get(name).ok_or_else(|| LevelsError::NoHandler { name: name.to_owned() })
    }

    /// Lets the handlers open their files anew, after the records that are on the queues now, as is usual on `SIGHUP`
    /// when somebody else has moved the files away. See [`reopen_on_hangup`](crate::reopen_on_hangup).
    ///
    /// Returns whether that was done within `bound`. What failed is reported through the other handlers.
    pub fn reopen(&self, bound: Duration) -> bool {
        let (done, wait) = mpsc::channel();
        self.shared.command(Command::Reopen(done));
        wait.recv_timeout(bound).is_ok()
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

fn check_levels(directives: &str) -> Result<(), LevelsError> {
    if directives.len() > LONGEST_LEVELS {
        return Err(LevelsError::TooLong { len: directives.len() });
    }
    let parsed = directives.parse::<Directives>();
    parsed.map(drop).map_err(|source| LevelsError::Directives { directives: directives.to_owned(), source })
}
