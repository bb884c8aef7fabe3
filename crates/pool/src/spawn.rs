//! Starting worker processes, all from one thread that lives as long as the crew.
//!
//! The one thread matters: the kernel sends the parent-death signal when the thread that started a child ends. What
//! happens to a process after its start is watched elsewhere.

use std::any::Any;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::panic::{self, AssertUnwindSafe};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use gristmill_ipc::{Listening, Rendezvous};
use rustix::process::Pid;

use crate::config::Stop;
use crate::handshake::Hello;
use crate::member::Member;
use crate::memory::{OomCounter, OomWatch};
use crate::pending::Pending;
use crate::roster::Shared;
use crate::{farewell, lock, os, shortage, watch, worker};

/// How long the start of processes that were ordered before a shutdown may take.
const FENCE_LIMIT: Duration = Duration::from_secs(5);

/// A process that was started, with everything that its watcher needs.
pub(crate) struct Launched {
    pub(crate) pid: u32,
    pub(crate) end: OwnedFd,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
    pub(crate) hello: Listening<Hello>,
    /// What the kernel may count as the worker's peak although it was ours.
    pub(crate) inherited_peak: u64,
    /// What the kernel's count of out-of-memory kills was before the start.
    pub(crate) oom_watch: Option<OomWatch>,
    /// Closes, even if we die, when the worker must end.
    pub(crate) _lifeline: OwnedFd,
}

enum Order {
    /// Not before this time.
    Start(Instant, Arc<Member>),
    /// A start that is not due may have been called off.
    LookAgain,
    Fence(Sender<()>),
}

/// The spawning thread, seen from outside.
pub(crate) struct Spawner {
    running: Mutex<Option<(Sender<Order>, JoinHandle<()>)>>,
}

impl Spawner {
    pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<Self> {
        let (orders, inbox) = unbounded();
        let shared = Arc::clone(shared);
        let thread = thread::Builder::new().name("spawner".into()).spawn(move || serve(&shared, &inbox))?;
        Ok(Self { running: Mutex::new(Some((orders, thread))) })
    }

    pub(crate) fn order(&self, member: Arc<Member>, delay: Duration) {
        self.tell(Order::Start(Instant::now() + delay, member));
    }

    pub(crate) fn look_again(&self) {
        self.tell(Order::LookAgain);
    }

    /// Returns when all earlier orders are carried out, those that are not due included.
    pub(crate) fn fence(&self) {
        let (done, waiting) = bounded(1);
        self.tell(Order::Fence(done));
        // An error means that the spawner is through, and nothing was ordered after that.
        waiting.recv_timeout(FENCE_LIMIT).unwrap_or_default();
    }

    fn tell(&self, order: Order) {
        if let Some((orders, _)) = &*lock(&self.running) {
            // The thread ends only after `finish` took the sender away.
            orders.send(order).unwrap_or_default();
        }
    }

    pub(crate) fn finish(&self) {
        if let Some((orders, thread)) = lock(&self.running).take() {
            drop(orders);
            if thread.join().is_err() {
                tracing::error!("the thread that starts workers panicked");
            }
        }
    }
}

fn serve(shared: &Arc<Shared>, inbox: &Receiver<Order>) {
    let mut pending = Pending::default();
    loop {
        match next_order(inbox, &pending) {
            Ok(Order::Start(due, member)) => pending.push(due, member),
            Ok(Order::LookAgain) | Err(RecvTimeoutError::Timeout) => {}
            Ok(Order::Fence(done)) => {
                start_all(shared, &pending.take_all());
                // Nobody waits any more if this fails.
                done.send(()).unwrap_or_default();
            }
            Err(RecvTimeoutError::Disconnected) => return start_all(shared, &pending.take_all()),
        }
        start_all(shared, &pending.take_due(Instant::now()));
    }
}

fn next_order(inbox: &Receiver<Order>, pending: &Pending) -> Result<Order, RecvTimeoutError> {
    match pending.wait(Instant::now()) {
        Some(wait) => inbox.recv_timeout(wait),
        None => inbox.recv().map_err(RecvTimeoutError::from),
    }
}

fn start_all(shared: &Arc<Shared>, members: &[Arc<Member>]) {
    members.iter().for_each(|member| start(shared, member));
}

/// Starts the watcher first, so that there is never a process without one.
fn start(shared: &Arc<Shared>, member: &Arc<Member>) {
    let (hand_over, handed_over) = bounded(1);
    let watcher = {
        let (shared, watched) = (Arc::clone(shared), Arc::clone(member));
        let body = move || watch::watch(&shared, &watched, &handed_over);
        thread::Builder::new().name(format!("watch {}", member.name)).spawn(body)
    };
    match watcher {
        Err(error) => {
            let why = shortage::explain(format!("cannot start a thread: {error}"));
            watch::report_unstarted(shared, member, why);
        }
        Ok(watcher) => {
            shared.keep_watcher(watcher);
            // This thread must survive whatever happens: with it, all workers would die.
            let launched = panic::catch_unwind(AssertUnwindSafe(|| launch(shared, member)));
            let launched =
                launched.unwrap_or_else(|panic| Err(format!("the start panicked: {}", text_of(&*panic))));
            let launched = launched.map_err(shortage::explain);
            // The watcher waits for exactly this.
            hand_over.send(launched).unwrap_or_default();
        }
    }
}

/// What a panic said, as far as it is text.
pub(crate) fn text_of(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text")
}

fn launch(shared: &Shared, member: &Member) -> Result<Launched, String> {
    if shared.is_stopping() {
        return Err("the crew is shutting down".into());
    }
    if let Some(reason) = member.called_off() {
        return Err(reason);
    }
    member.set_launched();
    prepare_and_start(shared, member).map_err(|error| error.to_string())
}

fn prepare_and_start(shared: &Shared, member: &Member) -> io::Result<Launched> {
    shortage::check_descriptors()?;
    member.set_page(farewell::page(shared.config.page_words)?);
    let rendezvous = Rendezvous::new()?;
    let (lifeline, theirs) = os::lifeline()?;
    let oom_watch = shared.oom_counter.as_ref().and_then(OomCounter::watch);
    let mut child = command(shared, member, rendezvous.name(), theirs).spawn().map_err(|error| {
        let program = shared.config.program.executable().display();
        io::Error::new(error.kind(), format!("cannot execute {program}: {error}"))
    })?;
    let pid = child.id();
    member.attach(raw_pid(pid));
    let inherited_peak = os::peak_rss(std::process::id()).unwrap_or(0);
    // From here on the process exists: an error must not leave it behind.
    let opened = open(&mut child, pid).and_then(|opened| Ok((opened, rendezvous.listen()?)));
    let ((end, stdout, stderr), hello) = opened.inspect_err(|_| abandon(member, &mut child))?;
    Ok(Launched { pid, end, stdout, stderr, hello, inherited_peak, oom_watch, _lifeline: lifeline })
}

fn command(shared: &Shared, member: &Member, rendezvous: &str, lifeline: OwnedFd) -> Command {
    let config = &shared.config;
    let mut title = OsString::from(&config.identity.app);
    title.push(format!(": {}", member.name));
    let mut command = Command::new(config.program.executable());
    command
        .arg0(title)
        .arg(worker::MARKER)
        .arg(rendezvous)
        .arg(std::process::id().to_string())
        .stdin(Stdio::from(lifeline))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own: Ctrl-C reaches the parent alone, and the worker's children can be found.
        .process_group(0);
    command
}

fn open(child: &mut Child, pid: u32) -> io::Result<(OwnedFd, OwnedFd, OwnedFd)> {
    let missing = || io::Error::other("a pipe is missing");
    let stdout = OwnedFd::from(child.stdout.take().ok_or_else(missing)?);
    let stderr = OwnedFd::from(child.stderr.take().ok_or_else(missing)?);
    os::set_nonblocking(&stdout)?;
    os::set_nonblocking(&stderr)?;
    Ok((os::watch_handle(raw_pid(pid))?, stdout, stderr))
}

/// Kills a process that cannot be watched and collects it.
fn abandon(member: &Member, child: &mut Child) {
    member.stop(Stop::Kill, "it cannot be watched");
    if let Err(error) = child.wait() {
        tracing::error!("cannot collect {}: {error}", member.name);
    }
    member.forget_process();
}

fn raw_pid(pid: u32) -> Pid {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.expect("the system numbers processes with positive integers of 31 bits")
}
