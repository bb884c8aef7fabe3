//! A worker's whole life after its handshake: reading orders, running functions, reporting, ending.
//!
//! It decides nothing about failures: it reports them, and the parent judges.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::sync::atomic::Ordering::Release;
use std::thread;
use std::time::{Duration, Instant};

use gristmill_ipc::{decode, encode};

use crate::spawn::text_of;
use crate::toolkit::failure::{ErrorKind, ErrorReport};
use crate::toolkit::line::Line;
use crate::toolkit::parcel;
use crate::toolkit::registry::{Body, Functions};
use crate::toolkit::results::{Results, Success};
use crate::toolkit::wire::{Bytes, Call, Chunk, Done, FromWorker, Role, page};
use crate::worker::WorkerLink;

/// Changes whenever the messages in `wire` or the broker's do.
pub(crate) const PROTOCOL: u32 = 2;

/// The exit status after a returned error.
const FAILED: i32 = 1;

/// The exit status after a panic, which is also that of the language.
const PANICKED: i32 = 101;

thread_local! {
    /// What a panic of this thread said, while it runs a function.
    static PANIC: RefCell<Option<Option<ErrorReport>>> = const { RefCell::new(None) };
}

/// Works until the parent has no more work.
pub(crate) fn run(link: WorkerLink, functions: &Functions) -> ! {
    let role = decode(link.welcome());
    keep_panics();
    let line = Line::open(link);
    match role {
        Ok(Role::Process) => run_process(line, functions),
        Ok(Role::Pool { init, exit }) => run_pool(line, functions, init.as_ref(), exit.as_ref()),
        Err(error) => give_up(&format!("the welcome is not understood: {error}")),
    }
}

fn give_up(why: &str) -> ! {
    eprintln!("{why}");
    process::exit(2)
}

fn run_process(line: &Line, functions: &Functions) -> ! {
    let Some(chunk) = line.orders().next() else { process::exit(0) };
    let mut status = 0;
    for (index, argument) in (chunk.first..).zip(parcel::each(&chunk.arguments)) {
        let (begun, mut out) = (Instant::now(), Vec::new());
        let outcome = functions.body(&chunk.function).and_then(|body| call(body, argument, &mut out));
        status = outcome.as_ref().map_or_else(status_of, |()| 0);
        report(line, chunk.number, index, outcome.map(|()| out), begun.elapsed());
    }
    process::exit(status)
}

fn status_of(report: &ErrorReport) -> i32 {
    if report.kind == ErrorKind::Panicked { PANICKED } else { FAILED }
}

fn run_pool(line: &'static Line, functions: &Functions, init: Option<&Call>, exit: Option<&Call>) -> ! {
    // Both live as long as the process.
    let results: &'static Results<'_> = Box::leak(Box::new(Results::new(line)));
    if let Err(error) = thread::Builder::new().name("results".into()).spawn(|| results.keep_moving()) {
        give_up(&format!("cannot start a thread: {error}"));
    }
    let begun = Instant::now();
    if let Some(Err(report)) = init.map(|hook| run_hook(functions, hook)) {
        line.send(&FromWorker::Unready(report));
        process::exit(FAILED);
    }
    line.send(&FromWorker::Ready(begun.elapsed()));
    for chunk in line.orders() {
        run_chunk(line, results, functions, &chunk);
    }
    match exit.map(|hook| run_hook(functions, hook)) {
        Some(Err(report)) => {
            tracing::error!("the exit hook failed: {report}");
            process::exit(status_of(&report))
        }
        _ => process::exit(0),
    }
}

fn run_hook(functions: &Functions, hook: &Call) -> Result<(), ErrorReport> {
    functions.body(&hook.function).and_then(|body| call(body, &hook.argument, &mut Vec::new()))
}

/// Whatever ends this worker costs the item that runs and no other.
fn run_chunk(line: &Line, results: &Results<'_>, functions: &Functions, chunk: &Chunk) {
    let words = line.page().words();
    words[page::CHUNK].store(chunk.number, Release);
    let body = functions.body(&chunk.function);
    let mut arguments = parcel::each(&chunk.arguments).peekable();
    let (mut position, mut out, mut begun) = (0, Vec::new(), Instant::now());
    while let Some(argument) = arguments.next() {
        let index = chunk.first + position;
        position += 1;
        words[page::RUNNING].store(position, Release);
        out.clear();
        let outcome = body.as_ref().map_err(Clone::clone).and_then(|body| call(body, argument, &mut out));
        line.settle();
        let now = Instant::now();
        let (work, is_last) = (now - begun, arguments.peek().is_none());
        let waited = match outcome {
            Ok(()) if Results::takes(out.len(), work) => {
                results.add(&Success { chunk: chunk.number, index, bytes: &out, work }, now, is_last)
            }
            outcome => {
                results.flush();
                report(line, chunk.number, index, outcome.map(|()| mem::take(&mut out)), work);
                true
            }
        };
        words[page::RUNNING].store(0, Release);
        // The time in which the parent did not take them is nobody's work.
        begun = if waited { Instant::now() } else { now };
    }
    results.flush();
}

fn report(line: &Line, chunk: u64, index: u64, outcome: Result<Vec<u8>, ErrorReport>, work: Duration) {
    line.settle();
    let outcome = outcome.map(Bytes::from);
    let message = FromWorker::Done(Done { chunk, index, outcome, work });
    if let Err(error) = line.try_send(&message) {
        // Too long for the disk, most likely: then at least the reason fits.
        let unsent = ErrorReport::codec(format_args!("its result cannot be sent: {error}"));
        line.send(&FromWorker::Done(Done { chunk, index, outcome: Err(unsent), work }));
    }
}

/// Appends the encoded result to `out`.
fn call(body: &Body, argument: &[u8], out: &mut Vec<u8>) -> Result<(), ErrorReport> {
    PANIC.set(Some(None));
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| body(argument, out)));
    let said = PANIC.take().flatten();
    outcome.unwrap_or_else(|panic| Err(said.unwrap_or_else(|| from_payload(&*panic))))
}

fn from_payload(panic: &(dyn Any + Send)) -> ErrorReport {
    ErrorReport::panicked(text_of(panic).to_owned(), None, &Backtrace::disabled())
}

/// Panics of a function are reported to the parent; others have their usual effect.
fn keep_panics() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let location = info.location().map(ToString::to_string);
        let text = text_of_hook(info.payload());
        let is_kept = PANIC.with_borrow_mut(|place| {
            let Some(report) = place else { return false };
            let is_first = report.is_none();
            *report = Some(ErrorReport::panicked(text, location, &Backtrace::force_capture()));
            // A second one may be in the course of the first, and then this process is about to abort.
            is_first && cfg!(panic = "unwind")
        });
        if !is_kept {
            usual(info);
        }
    }));
}

fn text_of_hook(payload: &dyn Any) -> String {
    let owned = payload.downcast_ref::<String>().cloned();
    owned.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

/// Encodes what is made of our own types, which cannot fail.
pub(crate) fn encoded(message: &impl serde::Serialize) -> Vec<u8> {
    encode(message).expect("messages are plain data that every codec takes")
}
