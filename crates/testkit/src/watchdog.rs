//! Aborts a test process that hangs, after it has said where.
//!
//! It does not look for the cause; it shows what every thread and every descendant waits for.

mod dump;

use std::io::Write;
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::command::kill_descendants;

/// Strikes when a time limit passes; dropping it disarms it.
///
/// A hanging test cannot be ended alone, so the whole process is aborted: with a nonzero status for the test runner, and
/// without a single process left that it started.
///
/// ```
/// use std::time::Duration;
/// use gristmill_testkit::watchdog::Watchdog;
///
/// let _watchdog = Watchdog::new(Duration::from_secs(60));
/// // … the test …
/// ```
#[derive(Debug)]
pub struct Watchdog {
    /// Never sends anything: its end is the message.
    armed: Option<Sender<()>>,
    watcher: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Starts to watch; the thread's name tells in the dump which test it was.
    pub fn new(limit: Duration) -> Self {
        let (armed, disarmed) = mpsc::channel();
        let test = thread::current().name().unwrap_or("a thread without a name").to_owned();
        let watcher = thread::spawn(move || {
            if disarmed.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                strike(&test, limit);
            }
        });
        Self { armed: Some(armed), watcher: Some(watcher) }
    }
}

impl Drop for Watchdog {
    /// Disarms it, and waits for its thread so that nothing of it is left.
    fn drop(&mut self) {
        self.armed = None;
        if let Some(watcher) = self.watcher.take() {
            watcher.join().expect("the watcher ends or aborts; it does not panic");
        }
    }
}

fn strike(test: &str, limit: Duration) -> ! {
    let report = format!("\nwatchdog: {test} has not ended within {limit:?}\n{}", dump::state());
    // Not `eprint!`: the test runner would capture it and lose it in the abort.
    let printed = std::io::stderr().write_all(report.as_bytes());
    kill_descendants(process::id());
    // A report that cannot be printed must not keep the process alive; the abort is loud enough.
    drop(printed);
    process::abort();
}
