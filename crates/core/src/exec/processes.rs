//! The processes executor: workers are processes of a crew.
//!
//! It translates between the crew's bytes and the scheduler's orders and notes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use gristmill_ipc::codec;
use gristmill_log::{Handler, Level, ListenerHandle, Record};
use gristmill_pool::signals::{Cancel, Level as Urgency};
use gristmill_pool::{Cause, Crew, CrewConfig, CrewEvent, Death, Grace, Stop};
use rustix::process::Signal;

use super::{Event, Executor, Loss};
use crate::flight::Flight;
use crate::result::Result;
use crate::runner::Note;
use crate::task::{DeathFacts, Order};

/// How long the records of a dead worker are waited for.
const LOG_WAIT: Duration = Duration::from_millis(200);

/// A process for each worker.
pub(crate) struct Processes {
    crew: Arc<Crew>,
    slots: usize,
    events: Receiver<Event>,
}

impl Processes {
    pub(crate) fn new(
        config: CrewConfig,
        workers: usize,
        tail: LogTail,
        cancel: &Cancel,
    ) -> io::Result<Self> {
        let (sender, events) = unbounded();
        let ready = Mutex::default();
        let log = config.log.as_ref().map(|(handle, _)| handle.clone());
        let crew =
            Arc::new(Crew::new(config, move |event| report(&sender, event, &ready, &tail, log.as_ref()))?);
        let weak = Arc::downgrade(&crew);
        cancel.on_change(move |level| {
            // Whatever grace a shutdown in progress still allows is over.
            if let (Urgency::Immediate(_), Some(crew)) = (level, weak.upgrade()) {
                (0..workers).for_each(|slot| crew.signal(slot, Stop::Kill, "stopped at once on request"));
            }
        });
        Ok(Self { crew, slots: 0, events })
    }
}

/// Turns what the crew reports into an event. Nobody listens any more once the scheduler has gone.
fn report(
    events: &Sender<Event>,
    event: CrewEvent,
    ready: &Mutex<HashSet<usize>>,
    tail: &LogTail,
    log: Option<&ListenerHandle>,
) {
    let event = match event {
        // Not ready yet: it still has to build its job.
        CrewEvent::Started { .. } => return,
        CrewEvent::Message { slot, bytes, .. } => match codec::decode::<Vec<Note>>(&bytes) {
            Ok(notes) if matches!(notes[..], [Note::Ready]) => {
                ready.lock().unwrap_or_else(PoisonError::into_inner).insert(slot);
                Event::Ready { slot }
            }
            Ok(notes) if notes.is_empty() => Event::Garbled { slot, error: "it holds no note".to_owned() },
            Ok(notes) => Event::Done { slot, notes },
            Err(error) => Event::Garbled { slot, error: error.to_string() },
        },
        CrewEvent::Ended { slot, death, .. } => {
            if let Some(log) = log {
                // Without the last records the report is shorter, not wrong.
                let _complete = log.sync(LOG_WAIT);
            }
            let was_ready = ready.lock().unwrap_or_else(PoisonError::into_inner).remove(&slot);
            Event::Lost { slot, loss: Box::new(loss(death, was_ready, tail)) }
        }
    };
    drop(events.send(event));
}

fn loss(death: Death, was_ready: bool, tail: &LogTail) -> Loss {
    let by_signal = [Signal::KILL, Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT]
        .iter()
        .any(|signal| death.cause.signal() == Some(signal.as_raw()));
    let out_of_memory = death.ran_out_of_memory();
    Loss {
        cause: ending(&death),
        pid: death.pid,
        was_ready,
        is_clean: death.cause.is_clean(),
        from_outside: by_signal && death.sent_by_us.is_none() && !out_of_memory,
        out_of_memory,
        death: DeathFacts {
            signal: death.cause.signal(),
            status: match death.cause {
                Cause::Exited(status) => Some(status),
                _ => None,
            },
            sent_by_us: death.sent_by_us.clone(),
            peak_rss: death.peak_rss,
            oom_kills: death.oom_kills,
        },
        flight: death.page.map(Flight::new),
        log_tail: tail.take(&death.name),
        stderr_tail: death.stderr_tail,
        worker: death.name,
    }
}

/// How a worker ended, in words that go on after "the worker".
fn ending(death: &Death) -> String {
    let passive = matches!(death.cause, Cause::Signalled { .. } | Cause::HandshakeRefused(_));
    let told = format!("{}{}", if passive { "was " } else { "" }, death.cause);
    let told = if death.ran_out_of_memory() { format!("{told}, out of memory") } else { told };
    let killed = death.cause.signal() == Some(Signal::KILL.as_raw());
    match &death.sent_by_us {
        Some(why) => format!("{told} (sent by the coordinator: {why})"),
        None if killed => format!("{told}, which the coordinator did not send"),
        None => told,
    }
}

impl Executor for Processes {
    fn start(&mut self, slot: usize) {
        self.slots = self.slots.max(slot + 1);
        self.crew.spawn(slot);
    }

    fn send(&mut self, slot: usize, order: Order) -> Result {
        let sent = self.crew.send(slot, &codec::encode(&order)?);
        if let Err(error) = sent {
            // The worker has just died: its loss is on the way, and what it was to do is given to another.
            tracing::debug!(target: "gristmill", "an order was not delivered: {error}");
        }
        Ok(())
    }

    fn next(&mut self, wait: Duration) -> Option<Event> {
        self.events.recv_timeout(wait).ok()
    }

    fn flight(&self, slot: usize) -> Option<Flight> {
        self.crew.page(slot).map(Flight::new)
    }

    fn vouch(&mut self, slot: usize) {
        self.crew.vouch(slot);
    }

    fn retire(&mut self, slot: usize) {
        self.crew.close(slot);
    }

    fn kill(&mut self, slot: usize, why: &str) {
        self.crew.signal(slot, Stop::Kill, why);
    }

    fn dismiss(&mut self) {
        (0..self.slots).for_each(|slot| self.retire(slot));
    }

    fn stop(&mut self, grace: Grace) {
        (0..self.slots).filter_map(|slot| self.flight(slot)).for_each(|flight| flight.request_stop());
        let report = self.crew.shutdown(grace);
        for name in report.abandoned {
            tracing::warn!(target: "gristmill", "{name} could not be ended");
        }
    }
}

/// Remembers the last log records of each process, for the report of its failure.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogTail {
    lines: Arc<Mutex<HashMap<String, VecDeque<String>>>>,
}

const TAIL: usize = 8;

impl LogTail {
    /// The records of a process that has ended; whoever takes its name starts afresh.
    fn take(&self, process: &str) -> Vec<String> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.remove(process).map(Vec::from).unwrap_or_default()
    }
}

impl Handler for LogTail {
    fn accepts(&self, _level: &Level, target: &str) -> bool {
        // Standard error has a tail of its own.
        target != "stderr"
    }

    fn handle(&mut self, record: &Record) -> io::Result<()> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let tail = lines.entry(record.process.clone()).or_default();
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(format!("{} {}: {}", record.level, record.target, record.message));
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
