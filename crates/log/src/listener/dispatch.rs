//! Gives each record to the handlers that want it, and tells the others when one of them fails.
//!
//! A handler that fails or panics costs its own record and nothing else. Where records come from is not known here.

use std::any::Any;
use std::collections::HashSet;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::SystemTime;

use tracing::Level;

use super::report::HandlerFailure;
use crate::{Handler, Record};

/// Distinct failures of one handler that are reported; later ones are only counted.
const MOST_REPORTED: usize = 64;

/// The target of records that the listener itself makes.
pub(super) const TARGET: &str = "gristmill_log";

struct Slot {
    handler: Box<dyn Handler>,
    name: String,
    /// It has taken a record since it was flushed.
    dirty: bool,
    failures: u64,
    first: Option<String>,
    reported: HashSet<String>,
}

/// The handlers.
pub(super) struct Dispatch {
    slots: Vec<Slot>,
    process: String,
}

/// A handler, by its place, and what went wrong with it.
type Fault = (usize, String);

impl Dispatch {
    pub(super) fn new(handlers: Vec<Box<dyn Handler>>, process: String, origin: SystemTime) -> Self {
        let slot = |mut handler: Box<dyn Handler>| {
            handler.begin(origin);
            let name = handler.name();
            Slot { handler, name, dirty: false, failures: 0, first: None, reported: HashSet::new() }
        };
        Self { slots: handlers.into_iter().map(slot).collect(), process }
    }

    /// Gives a record to all handlers that accept it.
    pub(super) fn deliver(&mut self, record: &Record) {
        let (_, faults) = self.offer(record, None);
        self.report(faults);
    }

    /// Lets all handlers write out what they buffer.
    pub(super) fn flush(&mut self) {
        let mut faults = Vec::new();
        for (place, slot) in self.slots.iter_mut().enumerate().filter(|(_, slot)| slot.dirty) {
            slot.dirty = false;
            faults.extend(guard(|| slot.handler.flush()).err().map(|error| (place, error)));
        }
        if !faults.is_empty() {
            self.report(faults);
            // What the others were told must not wait for the next record.
            self.flush();
        }
    }

    /// A record of the listener's own about something that is wrong.
    pub(super) fn note(&self, level: Level, message: String) -> Record {
        Record { process: self.process.clone(), ..Record::new(level, TARGET, message) }
    }

    pub(super) fn failures(&self) -> Vec<HandlerFailure> {
        let failed = self.slots.iter().filter_map(|slot| {
            let first = slot.first.clone()?;
            Some(HandlerFailure { handler: slot.name.clone(), count: slot.failures, first })
        });
        failed.collect()
    }

    /// Returns how many handlers took the record, and which failed.
    fn offer(&mut self, record: &Record, except: Option<usize>) -> (usize, Vec<Fault>) {
        let mut taken = 0;
        let mut faults = Vec::new();
        for (place, slot) in self.slots.iter_mut().enumerate().filter(|(place, _)| Some(*place) != except) {
            match guard(|| slot.take(record)) {
                Ok(true) => taken += 1,
                Ok(false) => {}
                Err(error) => faults.push((place, error)),
            }
        }
        (taken, faults)
    }

    /// Tells the other handlers of each failure that is new. Telling them may bring up new ones; it ends because
    /// each is told once and their number is limited.
    fn report(&mut self, mut faults: Vec<Fault>) {
        while let Some((place, error)) = faults.pop() {
            if !self.slots[place].count(&error) {
                continue;
            }
            let message = format!("{} failed: {error}", self.slots[place].name);
            let (told, more) = self.offer(&self.note(Level::ERROR, message.clone()), Some(place));
            faults.extend(more);
            if told == 0 {
                last_resort(&message);
            }
        }
    }
}

impl Slot {
    fn take(&mut self, record: &Record) -> io::Result<bool> {
        if !self.handler.accepts(&record.level, &record.target) {
            return Ok(false);
        }
        self.dirty = true;
        self.handler.handle(record).map(|()| true)
    }

    /// Counts a failure and returns whether it is to be reported.
    fn count(&mut self, error: &str) -> bool {
        self.failures += 1;
        self.first.get_or_insert_with(|| error.to_owned());
        self.reported.len() < MOST_REPORTED && self.reported.insert(error.to_owned())
    }
}

/// Calls into a handler. A panic there is a failure like others.
fn guard<T>(call: impl FnOnce() -> io::Result<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => Err(format!("it panicked: {}", panic_text(panic.as_ref()))),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("with no text")
}

/// Says something when there is no handler to say it: on standard error. If that fails too, nobody listens.
pub(super) fn last_resort(message: &str) {
    drop(io::stderr().write_all(format!("{message}\n").as_bytes()));
}
