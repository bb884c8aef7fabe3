//! One incarnation of one worker, as the parent's threads share it.
//!
//! It holds the process, the control channel and the page; starting and watching are done by others.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use gristmill_ipc::{Sender, SharedMemory};
use rustix::process::{Pid, Signal};

use crate::config::Stop;
use crate::death::Cause;
use crate::farewell;
use crate::lock;
use crate::memory::WorkerGroup;
use crate::os::{self, Reaped};

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) slot: usize,
    pub(crate) incarnation: u32,
    pub(crate) name: String,
    process: Mutex<Process>,
    control: Mutex<Control>,
    page: OnceLock<SharedMemory>,
    started: AtomicBool,
    vouched: AtomicBool,
    launched: OnceLock<Instant>,
    gone: OnceLock<Instant>,
}

#[derive(Debug, Default)]
struct Process {
    /// Present from the start of the process until it is reaped, so that no signal ever reaches a stranger.
    pid: Option<Pid>,
    stops: Vec<(Stop, String)>,
    /// The largest resident size that was seen.
    peak: Option<u64>,
    /// The control group that it is alone in, with its children.
    group: Option<WorkerGroup>,
}

impl Process {
    fn sample_peak(&mut self) {
        let pid = self.pid.map(|pid| pid.as_raw_pid().cast_unsigned());
        self.peak = self.peak.max(pid.and_then(os::peak_rss));
    }
}

#[derive(Debug)]
enum Control {
    Pending,
    Open(Arc<Sender>),
    Closed,
}

impl Member {
    pub(crate) fn new(slot: usize, incarnation: u32, name: String) -> Self {
        Self {
            slot,
            incarnation,
            name,
            process: Mutex::default(),
            control: Mutex::new(Control::Pending),
            page: OnceLock::new(),
            started: AtomicBool::new(false),
            vouched: AtomicBool::new(false),
            launched: OnceLock::new(),
            gone: OnceLock::new(),
        }
    }

    pub(crate) fn page(&self) -> Option<SharedMemory> {
        self.page.get().cloned()
    }

    pub(crate) fn set_page(&self, page: SharedMemory) {
        self.page.get_or_init(|| page);
    }

    /// The handshake is complete: messages can be sent, unless the channel was closed meanwhile.
    pub(crate) fn open_control(&self, sender: Sender) {
        self.started.store(true, Relaxed);
        let mut control = lock(&self.control);
        match *control {
            Control::Pending => *control = Control::Open(Arc::new(sender)),
            Control::Open(_) | Control::Closed => self.announce_farewell(),
        }
    }

    pub(crate) fn control(&self) -> Option<Arc<Sender>> {
        match &*lock(&self.control) {
            Control::Open(sender) => Some(Arc::clone(sender)),
            Control::Pending | Control::Closed => None,
        }
    }

    pub(crate) fn close(&self) {
        let mut control = lock(&self.control);
        self.announce_farewell();
        *control = Control::Closed;
    }

    fn announce_farewell(&self) {
        if let Some(page) = self.page.get() {
            farewell::announce(page);
        }
    }

    pub(crate) fn started(&self) -> bool {
        self.started.load(Relaxed)
    }

    /// Somebody says that it is a good worker, however long it lives.
    pub(crate) fn vouch(&self) {
        self.vouched.store(true, Relaxed);
    }

    pub(crate) fn is_vouched_for(&self) -> bool {
        self.vouched.load(Relaxed)
    }

    /// Its start is not just ordered any more.
    pub(crate) fn set_launched(&self) {
        self.launched.get_or_init(Instant::now);
    }

    /// The time since its start, which is nothing before.
    pub(crate) fn lifetime(&self) -> Duration {
        self.launched.get().map_or(Duration::ZERO, Instant::elapsed)
    }

    /// The process has ended: what is in its channel now is all there will be.
    pub(crate) fn set_gone(&self) {
        self.gone.get_or_init(Instant::now);
    }

    /// For how long the process has been gone.
    pub(crate) fn gone_for(&self) -> Option<Duration> {
        self.gone.get().map(Instant::elapsed)
    }

    /// Why the worker should not even be started.
    pub(crate) fn called_off(&self) -> Option<String> {
        lock(&self.process).stops.first().map(|(_, reason)| reason.clone())
    }

    /// The process exists from now on. Signals sent before reach it here.
    pub(crate) fn attach(&self, pid: Pid) {
        let mut process = lock(&self.process);
        process.pid = Some(pid);
        for (stop, _) in &process.stops {
            self.deliver(pid, *stop);
        }
    }

    /// Sends the signal to the whole process group and remembers why.
    pub(crate) fn stop(&self, stop: Stop, reason: &str) {
        let mut process = lock(&self.process);
        process.stops.push((stop, reason.to_owned()));
        if let Some(pid) = process.pid {
            // The last chance to see what it used.
            process.sample_peak();
            self.deliver(pid, stop);
        }
    }

    /// Does something to the process, unless it was reaped: its number can belong to a stranger then.
    pub(crate) fn while_unreaped(&self, action: impl FnOnce(Pid) -> io::Result<()>) -> io::Result<()> {
        lock(&self.process).pid.map_or(Ok(()), action)
    }

    /// Puts the process into a group, which stays with it to the end.
    pub(crate) fn join_group(&self, group: WorkerGroup) -> io::Result<()> {
        let mut process = lock(&self.process);
        if let Some(pid) = process.pid {
            group.admit(pid)?;
            process.group = Some(group);
        }
        Ok(())
    }

    /// Its group, once the process was reaped.
    pub(crate) fn take_group(&self) -> Option<WorkerGroup> {
        lock(&self.process).group.take()
    }

    /// Looks how large the process has been so far.
    pub(crate) fn sample_peak(&self) {
        lock(&self.process).sample_peak();
    }

    /// The largest resident size that a sample has shown.
    pub(crate) fn sampled_peak(&self) -> Option<u64> {
        lock(&self.process).peak
    }

    fn deliver(&self, pid: Pid, stop: Stop) {
        let signals: &[Signal] = match stop {
            Stop::Terminate => &[Signal::TERM, Signal::CONT],
            Stop::Kill => &[Signal::KILL],
        };
        for signal in signals {
            if let Err(error) = os::signal_group(pid, *signal) {
                tracing::warn!("cannot signal {}: {error}", self.name);
            }
        }
    }

    /// Collects the ended process. Its group is killed first: as long as the dead leader is not reaped, nobody else can
    /// have its number.
    pub(crate) fn reap(&self) -> io::Result<Reaped> {
        let mut process = lock(&self.process);
        let pid = process.pid.take().ok_or_else(|| io::Error::other("there is no process"))?;
        self.deliver(pid, Stop::Kill);
        os::reap(pid)
    }

    /// The process was collected by other means.
    pub(crate) fn forget_process(&self) {
        lock(&self.process).pid = None;
    }

    /// The reason of our own signal, if that is what ended the process.
    pub(crate) fn our_reason(&self, cause: &Cause) -> Option<String> {
        let matching = |stop: Stop| match (cause, cause.signal()) {
            (_, Some(libc::SIGKILL)) => stop == Stop::Kill,
            // A handler of the worker's own may turn SIGTERM into an exit.
            (Cause::Exited(_), _) | (_, Some(libc::SIGTERM)) => stop == Stop::Terminate,
            (_, Some(_)) => false,
            (_, None) => true,
        };
        let process = lock(&self.process);
        process.stops.iter().rev().find(|(stop, _)| matching(*stop)).map(|(_, reason)| reason.clone())
    }
}
