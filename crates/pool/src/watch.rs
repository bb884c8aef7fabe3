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

use crossbeam_channel::{Receiver, bounded};

use crate::capture::Capture;
use crate::config::Stop;
use crate::death::{Cause, Death};
use crate::link::{self, LinkEnd};
use crate::member::Member;
use crate::os;
use crate::roster::Shared;
use crate::spawn::Launched;

/// How often a quiet worker's memory is looked at.
const SAMPLE: Duration = Duration::from_secs(1);

/// How long a pipe or channel may stay open after its worker is gone: a grandchild in a session of its own can hold it.
const DRAIN_LIMIT: Duration = Duration::from_millis(500);

/// What is left of a worker when its process was collected.
struct Remains {
    pid: Option<u32>,
    cause: Cause,
    peak_rss: Option<u64>,
    stderr_tail: String,
}

/// The whole life of a watcher thread.
pub(crate) fn watch(
    shared: &Arc<Shared>,
    member: &Arc<Member>,
    handed_over: &Receiver<Result<Launched, String>>,
) {
    let launched = handed_over.recv().unwrap_or_else(|_| Err("the spawning thread is gone".into()));
    let remains = match launched {
        Ok(launched) => follow(shared, member, launched),
        Err(why) => unstarted(why),
    };
    report(shared, member, remains);
}

/// Reports a worker that never became a process and has no watcher either.
pub(crate) fn report_unstarted(shared: &Shared, member: &Member, why: String) {
    report(shared, member, unstarted(why));
}

fn unstarted(why: String) -> Remains {
    Remains { pid: None, cause: Cause::CouldNotStart(why), peak_rss: None, stderr_tail: String::new() }
}

fn follow(shared: &Arc<Shared>, member: &Arc<Member>, launched: Launched) -> Remains {
    let aborter = launched.rendezvous.aborter();
    let Launched { pid, end, stdout, stderr, rendezvous, inherited_peak, _lifeline } = launched;
    let link = start_link(shared, member, pid, rendezvous);
    let mut capture = Capture::new(shared, &member.name, pid, stdout, stderr);
    let sampled = capture_until_end(member, pid, &end, &mut capture);
    let reaped = member.reap();
    member.set_gone();
    aborter.abort();
    capture.drain(DRAIN_LIMIT);
    // Bounded by the link itself, now that the worker is gone; an error means that it never started.
    let link_end = link.recv().unwrap_or(LinkEnd::Disconnected);
    let counted = reaped.as_ref().ok().map(|reaped| reaped.peak_rss).filter(|peak| *peak > inherited_peak);
    let status =
        reaped.map_or_else(|error| Cause::Lost(error.to_string()), |reaped| Cause::of(reaped.status));
    let cause = cause(link_end, status, shared.config.start_deadline);
    Remains { pid: Some(pid), cause, peak_rss: counted.or(sampled), stderr_tail: capture.into_tail() }
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

fn start_link(
    shared: &Arc<Shared>,
    member: &Arc<Member>,
    pid: u32,
    rendezvous: gristmill_ipc::Rendezvous<crate::handshake::Hello>,
) -> Receiver<LinkEnd> {
    let (ended, link) = bounded(1);
    let (shared, linked) = (Arc::clone(shared), Arc::clone(member));
    let body = move || {
        // The watcher waits for exactly this.
        ended.send(link::run(&shared, &linked, pid, rendezvous)).unwrap_or_default();
    };
    if let Err(error) = thread::Builder::new().name(format!("link {}", member.name)).spawn(body) {
        member.stop(Stop::Kill, &format!("cannot start a thread: {error}"));
    }
    link
}

/// Passes output on until the process ends; returns the last memory peak seen.
fn capture_until_end(member: &Member, pid: u32, end: &impl AsFd, capture: &mut Capture<'_>) -> Option<u64> {
    let mut peak = os::peak_rss(pid);
    let mut sampled = Instant::now();
    loop {
        match wait(end, capture) {
            Ok(true) => return peak,
            Ok(false) => {}
            Err(error) => member.stop(Stop::Kill, &format!("it cannot be watched: {error}")),
        }
        if sampled.elapsed() >= SAMPLE {
            peak = os::peak_rss(pid).or(peak);
            sampled = Instant::now();
        }
    }
}

/// One wait for output or the end; true when the process has ended.
fn wait(end: &impl AsFd, capture: &mut Capture<'_>) -> io::Result<bool> {
    let mut fds = vec![end.as_fd()];
    fds.extend(capture.open_pipes());
    let ready = os::poll_readable(&fds, SAMPLE)?;
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
        stderr_tail: remains.stderr_tail,
        lifetime: member.born.elapsed(),
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
        tracing::warn!(pid = death.pid, ?lifetime, reason, "{} ended: {}", death.name, death.cause);
    }
}

/// The folder for the long messages of one incarnation, both ways.
pub(crate) fn spool_folder(shared: &Shared, member: &Member) -> PathBuf {
    shared.config.spool_dir.join(format!("{}.{}", member.name, member.incarnation))
}

fn remove_spool(folder: &PathBuf) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!("cannot remove {}: {error}", folder.display());
        }
        _ => {}
    }
}
