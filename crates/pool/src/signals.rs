//! Cancellation on request: a token with three levels, and the handlers that raise it on SIGINT and SIGTERM.
//!
//! Only an application installs handlers; a library takes a token. Nothing here ends a process.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use crate::lock;

/// How urgently work should stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Not at all.
    None,
    /// No new work; what runs may end within its grace time. Carries the first signal that asked for it.
    Graceful(i32),
    /// At once. Carries the first signal as well.
    Immediate(i32),
}

/// After this many requests there is no more patience.
const IMMEDIATE_AT: u32 = 3;

type Callback = Arc<dyn Fn(Level) + Send + Sync>;

/// A token that says whether and how urgently to stop. Clones are the same token.
#[derive(Clone, Default)]
pub struct Cancel {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    requests: u32,
    first: i32,
    callbacks: Vec<Callback>,
}

impl Cancel {
    /// A token that nobody has raised yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How urgent it is now.
    #[must_use]
    pub fn level(&self) -> Level {
        lock(&self.state).level()
    }

    /// Asks to stop, as if `signal` had come. The first and second request are graceful, the third is not. The callbacks
    /// run before this returns.
    pub fn request(&self, signal: i32) {
        let (level, callbacks) = {
            let mut state = lock(&self.state);
            if state.requests == 0 {
                state.first = signal;
            }
            state.requests = state.requests.saturating_add(1);
            (state.level(), state.callbacks.clone())
        };
        for callback in callbacks {
            callback(level);
        }
    }

    /// Calls `callback` at every request from now on, and now if there has been one already.
    ///
    /// It runs on the thread that requests, so it should do no more than wake somebody.
    pub fn on_change(&self, callback: impl Fn(Level) + Send + Sync + 'static) {
        let callback: Callback = Arc::new(callback);
        let level = {
            let mut state = lock(&self.state);
            state.callbacks.push(Arc::clone(&callback));
            state.level()
        };
        if level != Level::None {
            callback(level);
        }
    }
}

impl State {
    fn level(&self) -> Level {
        match self.requests {
            0 => Level::None,
            n if n < IMMEDIATE_AT => Level::Graceful(self.first),
            _ => Level::Immediate(self.first),
        }
    }
}

/// Whether the signals have their usual effect although handlers were registered once: those cannot be taken back.
static RELEASED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Whether a [`Handlers`] exists.
static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Keeps the signal handlers in place. When it is dropped, the signals have their usual effect again.
pub struct Handlers {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

/// Makes SIGINT and SIGTERM raise `cancel` instead of ending the process.
///
/// # Errors
/// When handlers are installed already, or when they or their thread cannot be set up.
pub fn install_handlers(cancel: &Cancel) -> io::Result<Handlers> {
    if INSTALLED.swap(true, SeqCst) {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "signal handlers are installed already"));
    }
    start_handlers(cancel.clone()).inspect_err(|_| INSTALLED.store(false, SeqCst))
}

fn start_handlers(cancel: Cancel) -> io::Result<Handlers> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let handle = signals.handle();
    let thread = thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            cancel.request(signal);
        }
    })?;
    let handlers = Handlers { handle, thread: Some(thread) };
    match RELEASED.get() {
        Some(released) => released.store(false, SeqCst),
        None => register_usual_effect()?,
    }
    Ok(handlers)
}

fn register_usual_effect() -> io::Result<()> {
    let released = RELEASED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(released))?;
    }
    Ok(())
}

impl Drop for Handlers {
    fn drop(&mut self) {
        if let Some(released) = RELEASED.get() {
            released.store(true, SeqCst);
        }
        self.handle.close();
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a callback for a signal panicked");
        }
        INSTALLED.store(false, SeqCst);
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancel").field(&self.level()).finish()
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handlers").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn the_third_request_is_immediate_and_the_first_signal_is_remembered() {
        let cancel = Cancel::new();
        assert_eq!(cancel.level(), Level::None);
        for (signal, level) in [
            (SIGTERM, Level::Graceful(SIGTERM)),
            (SIGINT, Level::Graceful(SIGTERM)),
            (SIGINT, Level::Immediate(SIGTERM)),
            (SIGINT, Level::Immediate(SIGTERM)),
        ] {
            cancel.clone().request(signal);
            assert_eq!(cancel.level(), level);
        }
    }

    #[test]
    fn a_late_callback_hears_of_an_early_request() {
        let (heard, hear) = mpsc::channel();
        let cancel = Cancel::new();
        cancel.request(SIGINT);
        cancel.on_change(move |level| heard.send(level).expect("the test listens"));
        cancel.request(SIGINT);
        cancel.request(SIGINT);
        let levels: Vec<_> = hear.try_iter().collect();
        assert_eq!(levels, [Level::Graceful(SIGINT), Level::Graceful(SIGINT), Level::Immediate(SIGINT)]);
    }

    #[test]
    fn a_real_signal_raises_the_token_each_time_handlers_are_installed() {
        for _ in 0..2 {
            let cancel = Cancel::new();
            let (heard, hear) = mpsc::channel();
            cancel.on_change(move |level| heard.send(level).expect("the test listens"));
            let handlers = install_handlers(&cancel).expect("handlers");
            install_handlers(&cancel).expect_err("only one at a time");
            signal_hook::low_level::raise(SIGTERM).expect("raise");
            assert_eq!(hear.recv_timeout(Duration::from_secs(10)), Ok(Level::Graceful(SIGTERM)));
            drop(handlers);
        }
    }
}
