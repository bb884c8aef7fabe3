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
    /// It has taken a record since it was flushed, or the flush failed.
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

    /// Lets all handlers write out what they buffer. One that fails is called again the next time.
    pub(super) fn flush(&mut self) {
        let mut failed = Vec::new();
        loop {
            let faults = self.call(|slot| slot.dirty, |handler| handler.flush());
            failed.extend(faults.iter().map(|(place, _)| *place));
            if !self.report(faults) {
                break;
            }
            // What the others were told must not wait for the next record.
        }
        failed.into_iter().for_each(|place| self.slots[place].dirty = true);
    }

    /// Lets all handlers open anew what they write to.
    pub(super) fn reopen(&mut self) {
        let faults = self.call(|_| true, |handler| handler.reopen());
        self.report(faults);
        self.flush();
    }

    /// The last call. What one handler cannot do any more is still told to those that come after it.
    pub(super) fn finish(&mut self) {
        self.flush();
        for place in 0..self.slots.len() {
            let slot = &mut self.slots[place];
            if let Err(error) = guard(|| slot.handler.finish()) {
                self.report(vec![(place, error)]);
                self.flush();
            }
        }
    }

    /// Calls those handlers that are `wanted`.
    fn call(
        &mut self,
        wanted: impl Fn(&Slot) -> bool,
        mut call: impl FnMut(&mut dyn Handler) -> io::Result<()>,
    ) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (place, slot) in self.slots.iter_mut().enumerate().filter(|(_, slot)| wanted(slot)) {
            slot.dirty = false;
            faults.extend(guard(|| call(slot.handler.as_mut())).err().map(|error| (place, error)));
        }
        faults
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
    /// each is told once and their number is limited. Returns whether there was something to tell.
    fn report(&mut self, mut faults: Vec<Fault>) -> bool {
        let mut any = false;
        while let Some((place, error)) = faults.pop() {
            if !self.slots[place].count(&error) {
                continue;
            }
            let message = format!("{} failed: {error}", self.slots[place].name);
            let (told, more) = self.offer(&self.note(Level::ERROR, message.clone()), Some(place));
            faults.extend(more);
            any = true;
            if told == 0 {
                last_resort(&message);
            }
        }
        any
    }
}

impl Slot {
    fn take(&mut self, record: &Record) -> io::Result<bool> {
        if !self.handler.wants(record) {
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
