//! Opens log files anew on `SIGHUP`, for programs that ask for it.
//!
//! A library does not take signals over by itself: nothing here happens unless the program calls it.

use std::fs::{self, File};
use std::io;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use signal_hook::consts::SIGHUP;
use signal_hook::iterator::{Handle, Signals};
use signal_hook::low_level::emulate_default_handler;

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
/// The signal also says that a program's terminal is gone. Then it ends the program as it would have done before;
/// a program that was started without a terminal, or with the signal ignored as `nohup` does, goes on.
///
/// When the guard is dropped the signal is ignored; what it did before does not come back.
///
/// # Errors
/// When the signal cannot be taken over, or there are no more threads.
pub fn reopen_on_hangup(handle: ListenerHandle) -> io::Result<HangupGuard> {
    let ends_with_terminal = has_terminal() && !is_ignored();
    let mut signals = Signals::new([SIGHUP])?;
    let closer = signals.handle();
    let thread = thread::Builder::new().name("log-hangup".to_owned()).spawn(move || {
        for signal in signals.forever() {
            // What fails is reported through the handlers.
            let _in_time = handle.reopen(BOUND);
            if ends_with_terminal && !has_terminal() {
                // It does not return: the signal's usual effect is the end of the process.
                drop(emulate_default_handler(signal));
            }
        }
    })?;
    Ok(HangupGuard { signals: closer, thread: Some(thread) })
}

/// Whether the process has a terminal that is still there.
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Whether the process was started with the signal ignored.
fn is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 << (SIGHUP - 1) != 0)
}

impl Drop for HangupGuard {
    fn drop(&mut self) {
        self.signals.close();
        // The thread has nothing to say, and ends now.
        drop(self.thread.take().map(JoinHandle::join));
    }
}
