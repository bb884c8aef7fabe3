//! The crew: numbered slots, each with at most one living worker, and the calls that a scheduler makes on them.
//!
//! It decides neither what the messages mean nor whether a dead worker is replaced: it reports, the caller decides.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use gristmill_ipc::{SendError, SharedMemory};

use crate::config::{CrewConfig, CrewEvent, Grace, ShutdownReport, Stop};
use crate::memory::MemoryLimitKind;
use crate::roster::Shared;
use crate::shortage;
use crate::spawn::Spawner;
use crate::worker;

/// How long SIGKILL may take to have its effect.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// What a shutdown without a caller, in `Drop`, allows.
const SHORT_GRACE: Grace = Grace { ask: Duration::from_millis(200), terminate: Duration::from_millis(200) };

/// A set of worker processes, each in a numbered slot.
///
/// All calls may come from any thread. None waits for a worker, except [`Crew::shutdown`] and, in the case that it
/// describes, [`Crew::send`].
pub struct Crew {
    shared: Arc<Shared>,
    spawner: Spawner,
}

impl Crew {
    /// Makes a crew without workers.
    ///
    /// `sink` is called from several threads; it must not block for long and must not drop the crew.
    ///
    /// # Errors
    /// When [`worker::enter`] was not called in this process, because the workers would then run the whole
    /// program again, when the folder for temporary files cannot hold the sockets of handshakes, when a thread
    /// cannot be started, or when nothing here can hold the limit on memory.
    pub fn new(config: CrewConfig, sink: impl Fn(CrewEvent) + Send + Sync + 'static) -> io::Result<Self> {
        if !worker::entered() {
            return Err(io::Error::other(
                "worker::enter was not called at the start of main: each worker would run the whole program again",
            ));
        }
        gristmill_ipc::rendezvous::check_temporary_folder().map_err(|error| shortage::explained(&error))?;
        let shared = Arc::new(Shared::new(config, sink)?);
        let spawner = Spawner::start(&shared).map_err(|error| shortage::explained(&error))?;
        Ok(Self { spawner, shared })
    }

    /// What holds the limit on each worker's memory.
    #[must_use]
    pub fn memory_limit_kind(&self) -> MemoryLimitKind {
        self.shared.limiter.kind()
    }

    /// Starts a worker in `slot` and returns at once: `Started` or `Ended` will tell.
    ///
    /// When the slot's workers keep dying young, the start is [delayed](CrewConfig::restart_delay), which holds up
    /// neither the caller nor other slots.
    ///
    /// Nothing happens when the slot still has a worker, which is a mistake of the caller and logged as such, or when
    /// a shutdown has begun.
    pub fn spawn(&self, slot: usize) {
        self.start(slot, None);
    }

    /// Does what [`Crew::spawn`] does, and gives the worker a name of its own instead of that of its slot.
    ///
    /// A name with a zero byte cannot be given to a process: such a worker ends in its handshake.
    pub fn spawn_named(&self, slot: usize, name: &str) {
        self.start(slot, Some(name));
    }

    fn start(&self, slot: usize, name: Option<&str>) {
        if let Some((member, delay)) = self.shared.enlist(slot, name) {
            if !delay.is_zero() {
                tracing::info!("{} starts in {delay:?}, as those before it died soon", member.name);
            }
            self.spawner.order(member, delay);
        }
    }

    /// Says that the worker in `slot` is of use, for instance because it has completed something: however soon it
    /// dies, the next start is not delayed.
    pub fn vouch(&self, slot: usize) {
        self.shared.vouch(slot);
    }

    /// Sends a message to the worker in `slot`. Above 60 KiB it goes through a file.
    ///
    /// The channel holds about 200 KiB or 278 tiny messages. A caller that keeps only a few outstanding never waits
    /// here; otherwise this blocks until the worker reads or is gone.
    ///
    /// # Errors
    /// When there is no worker that has completed its handshake, when it is gone or was closed, or when the spooled
    /// file cannot be written.
    pub fn send(&self, slot: usize, message: &[u8]) -> Result<(), SendError> {
        let sender = self.shared.member(slot).and_then(|member| member.control());
        sender.ok_or(SendError::Disconnected)?.send(message)
    }

    /// The page shared with the worker in `slot`, while there is one.
    #[must_use]
    pub fn page(&self, slot: usize) -> Option<SharedMemory> {
        self.shared.member(slot)?.page()
    }

    /// Sends SIGTERM or SIGKILL to the process group of the worker in `slot`. Its [`Death`](crate::Death) will say that we did and
    /// why.
    pub fn signal(&self, slot: usize, stop: Stop, reason: &str) {
        if let Some(member) = self.shared.member(slot) {
            member.stop(stop, reason);
            // Its start may not be due yet, and is called off now.
            self.spawner.look_again();
        }
    }

    /// Closes the control channel of the worker in `slot`: it finishes what it has and then exits by itself.
    pub fn close(&self, slot: usize) {
        if let Some(member) = self.shared.member(slot) {
            member.close();
        }
    }

    /// Ends all workers and all threads of the crew: asks, waits, terminates, waits, kills, and collects them.
    ///
    /// No worker is started once this was called. Every `Ended` has been delivered when it returns, except those of
    /// workers reported as abandoned. A second call finds nothing to do.
    pub fn shutdown(&self, grace: Grace) -> ShutdownReport {
        self.shared.stop_enlisting();
        self.spawner.fence();
        let mut report = ShutdownReport::default();
        self.shared.each(|member| member.close());
        if !self.shared.wait_until_empty(grace.ask) {
            report.terminated = self.shared.each(|member| member.stop(Stop::Terminate, "shutdown"));
            if !self.shared.wait_until_empty(grace.terminate) {
                report.killed = self.shared.each(|member| member.stop(Stop::Kill, "shutdown"));
                self.shared.wait_until_empty(KILL_LIMIT);
            }
        }
        report.abandoned = self.shared.join_watchers();
        // Only now: the kernel takes the end of the spawning thread for the end of the parent.
        self.spawner.finish();
        report
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.shutdown(SHORT_GRACE);
    }
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew").field("config", &self.shared.config).finish_non_exhaustive()
    }
}
