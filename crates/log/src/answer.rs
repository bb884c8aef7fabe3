//! Waiting for an answer on a channel: for a limited time, and whatever signals come in between.
//!
//! What is asked and answered is not known here.

use std::io;
use std::time::{Duration, Instant};

use ipc_channel::ipc::IpcReceiver;
use ipc_channel::{IpcError, TryRecvError};
use serde::{Deserialize, Serialize};

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Missed {
    /// The time is up.
    Late,
    /// It cannot come any more.
    Gone(IpcError),
}

/// Waits for the next message, for `limit` at most.
pub(crate) fn wait<T>(answer: &IpcReceiver<T>, limit: Duration) -> Result<T, Missed>
where
    T: Serialize + for<'de> Deserialize<'de>,
{
    let until = Instant::now().checked_add(limit);
    loop {
        let left = until.map_or(limit, |until| until.saturating_duration_since(Instant::now()));
        match answer.try_recv_timeout(left) {
            Ok(answer) => return Ok(answer),
            Err(TryRecvError::Empty) => return Err(Missed::Late),
            // Any signal that this process handles ends a wait.
            Err(TryRecvError::IpcError(IpcError::Io(error)))
                if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryRecvError::IpcError(error)) => return Err(Missed::Gone(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipc_channel::ipc;

    #[test]
    fn a_wait_ends_with_its_time_or_its_sender() {
        let (sender, receiver) = ipc::channel::<u32>().expect("channel");
        assert!(matches!(wait(&receiver, Duration::from_millis(1)), Err(Missed::Late)));
        drop(sender);
        assert!(matches!(wait(&receiver, Duration::MAX), Err(Missed::Gone(_))));
    }
}
