//! Opens log files anew on `SIGHUP`, for programs that ask for it.
//!
//! A library does not take signals over by itself: nothing here happens unless the program calls it.

use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use signal_hook::consts::SIGHUP;
use signal_hook::iterator::{Handle, Signals};

use super::ListenerHandle;

/// How long a handler may take over it before the next signal is looked at.
const BOUND: Duration = Duration::from_secs(10);

/// While it lives, each `SIGHUP` lets the listener's handlers open their files anew.
#[derive(Debug)]
#[must_use = "the signal has no effect any more when the guard is dropped"]
pub struct HangupGuard {
    signals: Handle,
    thread: Option<JoinHandle<()>>,
}

/// Takes over `SIGHUP`, as programs do whose log files are moved away by another.
///
/// When the guard is dropped the signal is ignored; what it did before does not come back.
///
/// # Errors
/// When the signal cannot be taken over, or there are no more threads.
pub fn reopen_on_hangup(handle: ListenerHandle) -> io::Result<HangupGuard> {
    let mut signals = Signals::new([SIGHUP])?;
    let closer = signals.handle();
    let thread = thread::Builder::new().name("log-hangup".to_owned()).spawn(move || {
        for _ in signals.forever() {
            // What fails is reported through the handlers.
            let _in_time = handle.reopen(BOUND);
        }
    })?;
    Ok(HangupGuard { signals: closer, thread: Some(thread) })
}

impl Drop for HangupGuard {
    fn drop(&mut self) {
        self.signals.close();
        // The thread has nothing to say, and ends now.
        drop(self.thread.take().map(JoinHandle::join));
    }
}
