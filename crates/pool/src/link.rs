//! The parent's end of the line to one worker: the handshake, then its messages until the channel ends.
//!
//! One thread per worker, so that no worker's flood delays another's word. It does not judge how the process ended.

use std::any::Any;
use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver as Handover;
use gristmill_ipc::{Listening, Receiver, RecvError, RendezvousError, Sender};
use gristmill_log::Endpoint;

use crate::config::{CrewEvent, Stop};
use crate::handshake::{Hello, Reply, Welcome};
use crate::member::Member;
use crate::roster::Shared;
use crate::shortage;
use crate::spawn::text_of;
use crate::watch;

/// How long a wait for a message goes on before it looks whether the worker is still there. Normally the channel itself
/// tells; only a forked child that kept the descriptor makes this necessary.
const TICK: Duration = Duration::from_millis(250);

/// How long a channel may go on after its worker's end, should somebody else have got hold of it and send.
const GONE_LIMIT: Duration = Duration::from_secs(10);

/// How the line ended.
#[derive(Debug)]
pub(crate) enum LinkEnd {
    /// The worker let go of it, or was never there.
    Disconnected,
    /// No hello came.
    TimedOut,
    /// The hello was the wrong one, or we cannot welcome the worker.
    Refused(String),
    /// Something came that is not a message, or the caller cannot take it.
    Broken(String),
}

/// A worker that was started: its process id, and where it is waited for.
pub(crate) type Newcomer = (u32, Listening<Hello>);

/// Serves the line to its end. A worker that misbehaves on it is killed.
pub(crate) fn run(shared: &Shared, member: &Member, newcomer: &Handover<Newcomer>) -> LinkEnd {
    let serving = AssertUnwindSafe(|| serve(shared, member, newcomer));
    let outcome = panic::catch_unwind(serving);
    let panicked = |panic: Box<dyn Any + Send>| {
        Err(LinkEnd::Broken(shortage::explain(format!("its link panicked: {}", text_of(&*panic)))))
    };
    let end = match outcome.unwrap_or_else(panicked) {
        Ok(()) => LinkEnd::Disconnected,
        Err(end) => end,
    };
    match &end {
        LinkEnd::Disconnected => {}
        LinkEnd::TimedOut => member.stop(Stop::Kill, "no hello before the deadline"),
        LinkEnd::Refused(why) => member.stop(Stop::Kill, &format!("refused: {why}")),
        LinkEnd::Broken(why) => member.stop(Stop::Kill, why),
    }
    end
}

fn serve(shared: &Shared, member: &Member, newcomer: &Handover<Newcomer>) -> Result<(), LinkEnd> {
    // While the process comes up, which takes longer than that.
    let line = Line::prepare(shared, member);
    let Ok((pid, hello)) = newcomer.recv() else { return Ok(()) };
    let Some(hello) = await_hello(shared, member, hello)? else { return Ok(()) };
    let Some(events) = answer(shared, member, pid, hello, line)? else { return Ok(()) };
    tracing::info!(pid, "{} started", member.name);
    shared.emit(CrewEvent::Started { slot: member.slot, incarnation: member.incarnation, pid });
    read_events(shared, member, &events)
}

fn await_hello(shared: &Shared, member: &Member, hello: Listening<Hello>) -> Result<Option<Hello>, LinkEnd> {
    let (begun, limit) = (Instant::now(), shared.config.start_deadline);
    match hello.accept(limit) {
        Ok(hello) => Ok(Some(hello)),
        Err(RendezvousError::Aborted) => Ok(None),
        Err(RendezvousError::BrokenOff) => {
            // Nearly always it is dead already, and its exit status tells more.
            member.stop(Stop::Kill, "it broke off the handshake");
            Ok(None)
        }
        // The waiting thread is gone: a panic, which is how ipc-channel reacts to a descriptor that did not arrive.
        Err(RendezvousError::Timeout) if begun.elapsed() < limit => Err(LinkEnd::Refused(
            "its hello could not be received; if this process lacks descriptors, raise RLIMIT_NOFILE".into(),
        )),
        Err(RendezvousError::Timeout) => Err(LinkEnd::TimedOut),
        Err(error) => Err(LinkEnd::Refused(shortage::explain(error.to_string()))),
    }
}

/// Both ends of what is between the worker and us.
struct Line {
    control: Sender,
    events: Receiver,
    their_control: Receiver,
    their_events: Sender,
    log: Option<Endpoint>,
}

impl Line {
    fn prepare(shared: &Shared, member: &Member) -> Result<Self, String> {
        let spool = watch::spool_folder(shared, member);
        let channel = || gristmill_ipc::channel(&spool).map_err(|error| error.to_string());
        let (control, their_control) = channel()?;
        let (their_events, events) = channel()?;
        Ok(Self { control, events, their_control, their_events, log: endpoint(shared, member)? })
    }
}

/// Welcomes the worker or refuses it; `None` when it died before it could read the answer.
fn answer(
    shared: &Shared,
    member: &Member,
    pid: u32,
    hello: Hello,
    line: Result<Line, String>,
) -> Result<Option<Receiver>, LinkEnd> {
    if let Some(why) = hello.objection(&shared.config.identity, pid) {
        // It exits by itself with this message; if it is gone already, so much the better.
        hello.reply.send(Reply::Refused(why.clone())).unwrap_or_default();
        return Err(LinkEnd::Refused(why));
    }
    if let Err(why) = shared.limiter.apply(member) {
        hello.reply.send(Reply::Refused(why.clone())).unwrap_or_default();
        return Err(LinkEnd::Refused(why));
    }
    let unable = |error: String| LinkEnd::Refused(shortage::explain(format!("cannot welcome it: {error}")));
    let Line { control, events, their_control, their_events, log } = line.map_err(unable)?;
    let welcome = Welcome {
        name: member.name.clone(),
        slot: member.slot,
        incarnation: member.incarnation,
        page: member.page().ok_or_else(|| unable("it has no page".into()))?,
        control: their_control,
        events: their_events,
        log,
    };
    if hello.reply.send(Reply::Welcome(Box::new(welcome))).is_err() {
        return Ok(None);
    }
    if let Err(gristmill_ipc::SendError::Io(error)) = control.send(&shared.config.welcome) {
        return Err(unable(error.to_string()));
    }
    member.open_control(control);
    Ok(Some(events))
}

fn endpoint(shared: &Shared, member: &Member) -> Result<Option<Endpoint>, String> {
    let Some((listener, filter)) = &shared.config.log else { return Ok(None) };
    listener.endpoint(&member.name, filter).map(Some).map_err(|error| error.to_string())
}

fn read_events(shared: &Shared, member: &Member, events: &Receiver) -> Result<(), LinkEnd> {
    loop {
        // Looked at before the wait: what the worker sent before its end is in the channel by then.
        let gone = member.gone_for();
        match receive(events) {
            Ok(bytes) => {
                let (slot, incarnation) = (member.slot, member.incarnation);
                shared.emit(CrewEvent::Message { slot, incarnation, bytes });
            }
            Err(RecvError::Timeout) if gone.is_none() => {}
            Err(RecvError::Timeout | RecvError::Disconnected) => return Ok(()),
            Err(error) => return Err(LinkEnd::Broken(error.to_string())),
        }
        if gone.is_some_and(|time| time > GONE_LIMIT) {
            return Ok(());
        }
    }
}

/// One wait for a message. Bytes that are no frame can make the channel panic, and then it is they that are to blame.
fn receive(events: &Receiver) -> Result<Vec<u8>, RecvError> {
    let received = panic::catch_unwind(AssertUnwindSafe(|| events.recv_timeout(TICK)));
    received.unwrap_or_else(|panic| Err(RecvError::Garbage(format!("no frame ({})", text_of(&*panic)))))
}
