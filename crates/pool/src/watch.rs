//! Watching one worker from its start to its end: output, exit, and what to make of it.
//!
//! It classifies a death only after the worker's channel and pipes are read to their ends, so that one that finished
//! and then exited is never taken for a crash. It does not read the messages: the link thread does.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::capture::Capture;
use crate::config::Stop;
use crate::death::{Cause, Death};
use crate::link::{self, LinkEnd, Newcomer};
use crate::member::Member;
use crate::memory::{OomSource, OomWatch};
use crate::os;
use crate::roster::Shared;
use crate::shortage;
use crate::spawn::Launched;

/// When a worker's memory is looked at first. Many die young.
const FIRST_SAMPLE: Duration = Duration::from_millis(4);

/// How often it is looked at when the worker has been there for a while.
const SAMPLE: Duration = Duration::from_secs(1);

/// How long an abort may take that a worker has announced for want of memory. Rust waits for itself for ever if memory
/// runs out while it prints the backtrace of a panic.
const ABORT_LIMIT: Duration = Duration::from_secs(5);

/// How long a pipe or channel may stay open after its worker is gone: a grandchild in a session of its own can hold it.
const DRAIN_LIMIT: Duration = Duration::from_millis(500);

/// What is left of a worker when its process was collected.
struct Remains {
    pid: Option<u32>,
    cause: Cause,
    peak_rss: Option<u64>,
    oom: Option<(u64, OomSource)>,
    stderr_tail: String,
}

/// The whole life of a watcher thread.
pub(crate) fn watch(
    shared: &Arc<Shared>,
    member: &Arc<Member>,
    handed_over: &Receiver<Result<Launched, String>>,
) {
    // Before there is a process: with its first word it waits for the link.
    let link = Link::start(shared, member);
    let launched = handed_over.recv().unwrap_or_else(|_| Err("the spawning thread is gone".into()));
    let remains = match launched {
        Ok(launched) => follow(shared, member, launched, link),
        Err(why) => {
            link.end();
            unstarted(why)
        }
    };
    report(shared, member, remains);
}

/// Reports a worker that never became a process and has no watcher either.
pub(crate) fn report_unstarted(shared: &Shared, member: &Member, why: String) {
    report(shared, member, unstarted(why));
}

fn unstarted(why: String) -> Remains {
    let cause = Cause::CouldNotStart(why);
    Remains { pid: None, cause, peak_rss: None, oom: None, stderr_tail: String::new() }
}

fn follow(shared: &Shared, member: &Member, launched: Launched, link: Link) -> Remains {
    let aborter = launched.hello.aborter();
    let Launched { pid, end, stdout, stderr, hello, inherited_peak, oom_watch, _lifeline } = launched;
    // It may have ended already, with a reason that is read below.
    link.worker.send((pid, hello)).unwrap_or_default();
    let mut capture = Capture::new(shared, &member.name, pid, stdout, stderr);
    capture_until_end(member, &end, &mut capture);
    let reaped = member.reap();
    member.set_gone();
    aborter.abort();
    let oom = oom_kills(member, oom_watch);
    capture.drain(DRAIN_LIMIT);
    // Bounded by the link itself, now that the worker is gone.
    let link_end = link.end();
    let counted = reaped.as_ref().ok().map(|reaped| reaped.peak_rss).filter(|peak| *peak > inherited_peak);
    let status =
        reaped.map_or_else(|error| Cause::Lost(error.to_string()), |reaped| Cause::of(reaped.status));
    let cause = cause(link_end, status, shared.config.start_deadline);
    let peak_rss = counted.or(member.sampled_peak());
    Remains { pid: Some(pid), cause, peak_rss, oom, stderr_tail: capture.into_tail() }
}

/// What the kernel killed meanwhile. The group of the worker ends here, with every process that is left in it.
fn oom_kills(member: &Member, watch: Option<OomWatch>) -> Option<(u64, OomSource)> {
    let own = member.take_group().and_then(|group| group.oom_kills());
    own.map(|kills| (kills, OomSource::WorkerGroup)).or_else(|| watch?.growth())
}

/// What the link says about a misbehaving worker explains more than the signal that we sent it for that.
fn cause(link_end: LinkEnd, status: Cause, deadline: Duration) -> Cause {
    match link_end {
        LinkEnd::Disconnected => status,
        LinkEnd::TimedOut => Cause::HandshakeTimeout(deadline),
        LinkEnd::Refused(why) => Cause::HandshakeRefused(why),
        LinkEnd::Broken(why) => Cause::Protocol(why),
    }
}

/// The thread that speaks with the worker.
struct Link {
    /// Where it hears who the worker is.
    worker: Sender<Newcomer>,
    ended: Receiver<LinkEnd>,
}

impl Link {
    fn start(shared: &Arc<Shared>, member: &Arc<Member>) -> Self {
        let (ended, end) = bounded(1);
        let (worker, newcomer) = bounded(1);
        let unable = ended.clone();
        let (shared, linked) = (Arc::clone(shared), Arc::clone(member));
        let body = move || {
            // The watcher waits for exactly this.
            ended.send(link::run(&shared, &linked, &newcomer)).unwrap_or_default();
        };
        if let Err(error) = thread::Builder::new().name(format!("link {}", member.name)).spawn(body) {
            let why = shortage::explain(format!("cannot start a thread: {error}"));
            member.stop(Stop::Kill, &why);
            // There is room for one, and no other comes.
            unable.send(LinkEnd::Refused(why)).unwrap_or_default();
        }
        Self { worker, ended: end }
    }

    /// Waits for its end, at once if it heard of no worker.
    fn end(self) -> LinkEnd {
        drop(self.worker);
        self.ended.recv().unwrap_or(LinkEnd::Disconnected)
    }
}

/// Passes output on until the process ends, and looks at its memory now and then.
fn capture_until_end(member: &Member, end: &impl AsFd, capture: &mut Capture<'_>) {
    let mut interval = FIRST_SAMPLE;
    let mut due = Instant::now() + interval;
    loop {
        match wait(end, capture, due.saturating_duration_since(Instant::now())) {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => member.stop(Stop::Kill, &format!("it cannot be watched: {error}")),
        }
        if Instant::now() >= due {
            if capture.aborting_for().is_some_and(|time| time > ABORT_LIMIT) {
                member.stop(Stop::Kill, "it ran out of memory and did not end by itself");
            }
            member.sample_peak();
            interval = SAMPLE.min(interval * 2);
            due = Instant::now() + interval;
        }
    }
}

/// One wait for output or the end, for `limit` at most; true when the process has ended.
fn wait(end: &impl AsFd, capture: &mut Capture<'_>, limit: Duration) -> io::Result<bool> {
    let mut fds = vec![end.as_fd()];
    fds.extend(capture.open_pipes());
    let ready = os::poll_readable(&fds, limit)?;
    if ready.iter().skip(1).any(|pipe| *pipe) {
        capture.read_once();
    }
    Ok(ready[0])
}

fn report(shared: &Shared, member: &Member, remains: Remains) {
    member.close();
    remove_spool(&spool_folder(shared, member));
    let death = Death {
        name: member.name.clone(),
        pid: remains.pid,
        incarnation: member.incarnation,
        started: member.started(),
        sent_by_us: member.our_reason(&remains.cause),
        cause: remains.cause,
        peak_rss: remains.peak_rss,
        oom_kills: remains.oom.map(|(kills, _)| kills),
        oom_source: remains.oom.map(|(_, source)| source),
        stderr_tail: remains.stderr_tail,
        lifetime: member.lifetime(),
        page: member.page(),
    };
    log_end(shared, &death);
    shared.bury(member, death);
}

fn log_end(shared: &Shared, death: &Death) {
    let lifetime = death.lifetime;
    // A worker that is not needed any more before it was there is nothing to worry about.
    let not_needed = shared.is_stopping() && !death.started;
    if death.cause.is_clean() || not_needed {
        tracing::info!(pid = death.pid, ?lifetime, "{} ended: {}", death.name, death.cause);
    } else {
        let reason = death.sent_by_us.as_deref();
        let memory = if death.ran_out_of_memory() { ", out of memory" } else { "" };
        tracing::warn!(pid = death.pid, ?lifetime, reason, "{} ended: {}{memory}", death.name, death.cause);
    }
}

/// The folder for the long messages of one incarnation, both ways.
pub(crate) fn spool_folder(shared: &Shared, member: &Member) -> PathBuf {
    // After the slot, since a name of the caller's may have slashes in it.
    let slot = shared.config.default_name(member.slot);
    shared.config.spool_dir.join(format!("{slot}.{}", member.incarnation))
}

fn remove_spool(folder: &PathBuf) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!("cannot remove {}: {error}", folder.display());
        }
        _ => {}
    }
}
