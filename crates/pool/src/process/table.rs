//! All processes of one toolkit: their slots in the crew, and what happens when one starts, speaks or ends.
//!
//! It alone decides on restarts.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::handle::{ProcessState, Record};
use crate::config::{Grace, Stop};
use crate::death::Death;
use crate::lock;
use crate::toolkit::Inner;
use crate::toolkit::error::StartError;
use crate::toolkit::fleet::{Fleet, FleetEvent};
use crate::toolkit::parcel::single;
use crate::toolkit::wire::{Chunk, Done, FromWorker, Role};

/// How often a wait for any of several processes looks again, should it ever miss a change.
const TICK: Duration = Duration::from_secs(1);

/// How long daemons may take to end.
const GRACE: Grace = Grace { ask: Duration::ZERO, terminate: Duration::from_secs(1) };

/// The processes of one toolkit.
#[derive(Default)]
pub(crate) struct Processes {
    fleet: OnceLock<Fleet>,
    inside: Mutex<Inside>,
    changed: Condvar,
}

#[derive(Default)]
struct Inside {
    slots: HashMap<usize, Arc<Record>>,
    started: usize,
    finishing: bool,
}

impl Processes {
    pub(crate) fn start(toolkit: &Inner) -> Result<Arc<Self>, StartError> {
        let table = Arc::new(Self::default());
        let weak = Arc::downgrade(&table);
        let sink = move |event| {
            if let Some(table) = weak.upgrade() {
                table.hear(event);
            }
        };
        let fleet = Fleet::start(&toolkit.settings, &toolkit.identity, "Worker", &Role::Process, sink)?;
        table.fleet.get_or_init(|| fleet);
        Ok(table)
    }

    fn fleet(&self) -> &Fleet {
        self.fleet.get().expect("the fleet is there before the table is handed out")
    }

    /// Gives the process a slot and a name, and starts it.
    pub(super) fn launch(self: &Arc<Self>, record: &Arc<Record>) -> Result<(), StartError> {
        let mut inside = lock(&self.inside);
        let slot = inside.started;
        let name = {
            let mut state = lock(&record.state);
            let name = state.name.clone().unwrap_or_else(|| format!("Worker-{}", slot + 1));
            if name.is_empty() || name.chars().any(char::is_control) {
                return Err(StartError::Name(name));
            }
            if state.phase != ProcessState::Initial || inside.finishing {
                return Err(StartError::StartedTwice(name));
            }
            state.name = Some(name.clone());
            (state.phase, state.slot, state.table) = (ProcessState::Started, slot, Arc::downgrade(self));
            name
        };
        inside.started += 1;
        inside.slots.insert(slot, Arc::clone(record));
        drop(inside);
        self.fleet().spawn(slot, Some(&name));
        Ok(())
    }

    pub(super) fn signal(&self, slot: usize, stop: Stop, reason: &str) {
        self.fleet().crew().signal(slot, stop, reason);
    }

    fn hear(&self, event: FleetEvent) {
        match event {
            FleetEvent::Started { slot, pid } => self.started(slot, pid),
            FleetEvent::Message { slot, message: FromWorker::Done(Done { outcome, .. }) } => {
                if let Some(record) = self.record(slot) {
                    lock(&record.state).outcome = Some(outcome);
                    self.announce(&record);
                }
            }
            FleetEvent::Message { .. } => {}
            FleetEvent::Ended { slot, death } => self.ended(slot, death),
        }
    }

    fn record(&self, slot: usize) -> Option<Arc<Record>> {
        lock(&self.inside).slots.get(&slot).cloned()
    }

    fn started(&self, slot: usize, pid: u32) {
        let Some(record) = self.record(slot) else { return };
        {
            let mut state = lock(&record.state);
            state.pid = Some(pid);
            state.starts += 1;
        }
        let arguments = single(&record.parcel.bytes);
        self.fleet().run(slot, Chunk { number: 0, function: record.function.into(), first: 0, arguments });
    }

    fn ended(&self, slot: usize, death: Death) {
        let Some(record) = self.record(slot) else { return };
        let finishing = lock(&self.inside).finishing;
        let again = {
            let mut state = lock(&record.state);
            let succeeded = matches!(state.outcome, Some(Ok(_))) && death.cause.is_clean();
            let again = !state.unwanted && !finishing && state.restarts.again(succeeded, Instant::now());
            if again { state.name.clone() } else { None }
        };
        match again {
            Some(name) => {
                lock(&record.state).outcome = None;
                tracing::info!("{name} is started again: {}", death.cause);
                self.fleet().spawn(slot, Some(&name));
            }
            None => self.stopped(slot, &record, death),
        }
    }

    fn stopped(&self, slot: usize, record: &Record, death: Death) {
        {
            let mut state = lock(&record.state);
            (state.phase, state.death) = (ProcessState::Stopped, Some(death));
        }
        lock(&self.inside).slots.remove(&slot);
        self.announce(record);
    }

    fn announce(&self, record: &Record) {
        record.changed.notify_all();
        // The lock makes sure that nobody is between his look and his wait.
        drop(lock(&self.inside));
        self.changed.notify_all();
    }

    /// Waits until `look` finds something; it is asked after each change.
    pub(super) fn wait_for<T>(&self, mut look: impl FnMut() -> Option<T>) -> T {
        let mut inside = lock(&self.inside);
        loop {
            if let Some(found) = look() {
                return found;
            }
            inside = self.changed.wait_timeout(inside, TICK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The toolkit ends: daemons are ended, the others are waited for.
    pub(crate) fn finish(&self) {
        let records: Vec<_> = {
            let mut inside = lock(&self.inside);
            inside.finishing = true;
            inside.slots.iter().map(|(slot, record)| (*slot, Arc::clone(record))).collect()
        };
        for (slot, record) in &records {
            if lock(&record.state).daemon {
                self.signal(*slot, Stop::Terminate, "its parent ends");
            }
        }
        for (_, record) in records.iter().filter(|(_, record)| !lock(&record.state).daemon) {
            record.wait_until(None);
        }
        self.fleet().shutdown(GRACE);
    }
}
