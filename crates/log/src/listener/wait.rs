//! The listener's wait: for the bell of any process, for the end of one, and for a command.
//!
//! It says what happened; what to do about it is decided in `run`.

use std::io;
use std::thread;
use std::time::Duration;

use ipc_channel::TrySelectError;
use ipc_channel::ipc::{IpcReceiver, IpcReceiverSet, IpcSelectionResult};

/// A wait ends after this long in any case: a process that has spoilt its ring's bell is then looked at all the
/// same.
const LONGEST: Duration = Duration::from_secs(10);
/// The pause between two looks at the rings when the set itself fails.
const FALLBACK: Duration = Duration::from_millis(20);

/// The bells of all processes.
pub(super) struct Waiter {
    set: IpcReceiverSet,
    commands: u64,
}

/// Why a wait has ended.
#[derive(Debug)]
pub(super) enum Wake {
    /// A command waits.
    Command,
    /// The bell of the process with this id has rung.
    Bell(u64),
    /// The process with this id has ended, or has let go of its endpoint.
    Closed(u64),
}

impl Waiter {
    pub(super) fn new(commands: IpcReceiver<()>) -> io::Result<Self> {
        let mut set = IpcReceiverSet::new()?;
        let commands = set.add(commands)?;
        Ok(Self { set, commands })
    }

    pub(super) fn add(&mut self, bell: IpcReceiver<()>) -> io::Result<u64> {
        self.set.add(bell)
    }

    /// Waits until something happens. After an error the caller looks at everything: events may be lost.
    pub(super) fn wait(&mut self) -> io::Result<Vec<Wake>> {
        match self.set.try_select_timeout(LONGEST) {
            Ok(events) => Ok(events.into_iter().map(|event| self.wake(event)).collect()),
            Err(TrySelectError::Empty) => Ok(Vec::new()),
            Err(TrySelectError::IoError(error)) if error.kind() == io::ErrorKind::Interrupted => {
                Ok(Vec::new())
            }
            Err(TrySelectError::IoError(error)) => {
                thread::park_timeout(FALLBACK);
                Err(error)
            }
        }
    }

    /// Messages carry nothing: they are dropped undecoded.
    fn wake(&self, event: IpcSelectionResult) -> Wake {
        match event {
            IpcSelectionResult::MessageReceived(id, _) if id == self.commands => Wake::Command,
            IpcSelectionResult::ChannelClosed(id) if id == self.commands => Wake::Command,
            IpcSelectionResult::MessageReceived(id, _) => Wake::Bell(id),
            IpcSelectionResult::ChannelClosed(id) => Wake::Closed(id),
        }
    }
}
