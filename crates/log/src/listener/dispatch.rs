//! Gives each record to the handlers that want it, and tells the others when one of them fails.
//!
//! A handler that fails or panics costs its own record and nothing else. Where records come from is not known here.

use std::any::Any;
use std::collections::HashMap;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant, SystemTime};

use tracing::Level;

use super::report::HandlerFailure;
use crate::{Handler, Record};

/// A failure of a handler that goes on is reported again after this time; in between it is only counted.
const AGAIN: Duration = Duration::from_secs(60);
/// Distinct failures of one handler that are reported within that time.
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
    /// When each was reported.
    reported: HashMap<String, Instant>,
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
            Slot { handler, name, dirty: false, failures: 0, first: None, reported: HashMap::new() }
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
    /// each is told once in a while and their number is limited. Returns whether there was something to tell.
    fn report(&mut self, mut faults: Vec<Fault>) -> bool {
        let mut any = false;
        while let Some((place, error)) = faults.pop() {
            if !self.slots[place].count(&error, Instant::now()) {
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
    fn count(&mut self, error: &str, now: Instant) -> bool {
        self.failures += 1;
        self.first.get_or_insert_with(|| error.to_owned());
        self.reported.retain(|_, told| now.saturating_duration_since(*told) < AGAIN);
        let is_new = self.reported.len() < MOST_REPORTED && !self.reported.contains_key(error);
        if is_new {
            self.reported.insert(error.to_owned(), now);
        }
        is_new
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Memory;

    #[test]
    fn a_failure_that_goes_on_is_told_again_after_a_while() {
        let mut dispatch = Dispatch::new(vec![Box::new(Memory::new())], "main".into(), SystemTime::now());
        let slot = &mut dispatch.slots[0];
        let begin = Instant::now();
        assert!(slot.count("full", begin) && !slot.count("full", begin));
        assert!(slot.count("gone", begin + AGAIN / 2) && !slot.count("full", begin + AGAIN / 2));
        assert!(slot.count("full", begin + AGAIN) && !slot.count("gone", begin + AGAIN));
        let told = (0..1000).filter(|n| slot.count(&n.to_string(), begin + AGAIN)).count();
        assert_eq!(told, MOST_REPORTED - 2, "however many there are");
        assert_eq!(slot.failures, 1006);
    }
}
