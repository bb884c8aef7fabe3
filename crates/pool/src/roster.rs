//! Who is in which slot: the one table that all threads of a crew share.
//!
//! It counts members in and out and keeps their watchers' handles; what members do is up to the other threads.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::config::{CrewConfig, CrewEvent};
use crate::death::Death;
use crate::lock;
use crate::member::Member;
use crate::memory::{Limiter, OomCounter};

type Sink = dyn Fn(CrewEvent) + Send + Sync;

/// What all threads of a crew share.
pub(crate) struct Shared {
    pub(crate) config: CrewConfig,
    pub(crate) limiter: Limiter,
    pub(crate) oom_counter: Option<OomCounter>,
    sink: Box<Sink>,
    table: Mutex<Table>,
    changed: Condvar,
}

#[derive(Default)]
struct Table {
    stopping: bool,
    slots: HashMap<usize, Slot>,
    /// Members whose `Ended` has not been delivered yet.
    living: usize,
    watchers: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Slot {
    incarnations: u32,
    member: Option<Arc<Member>>,
    /// How many of its workers in a row died soon after their start.
    short_lives: u32,
}

impl Shared {
    pub(crate) fn new(
        config: CrewConfig,
        sink: impl Fn(CrewEvent) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        // Asked first: a limiter may move this process to another group.
        let oom_counter = OomCounter::find();
        let limiter = Limiter::new(config.memory_limit)?;
        let (table, changed) = (Mutex::default(), Condvar::new());
        Ok(Self { config, limiter, oom_counter, sink: Box::new(sink), table, changed })
    }

    pub(crate) fn emit(&self, event: CrewEvent) {
        (self.sink)(event);
    }

    /// From now on nobody is enlisted and nothing is started.
    pub(crate) fn stop_enlisting(&self) {
        lock(&self.table).stopping = true;
    }

    pub(crate) fn is_stopping(&self) -> bool {
        lock(&self.table).stopping
    }

    /// Makes the next member of a slot, and says how long its start must wait.
    pub(crate) fn enlist(&self, slot: usize, name: Option<&str>) -> Option<(Arc<Member>, Duration)> {
        let mut table = lock(&self.table);
        if table.stopping {
            return None;
        }
        let entry = table.slots.entry(slot).or_default();
        let name = name.map_or_else(|| self.config.default_name(slot), str::to_owned);
        if entry.member.is_some() {
            tracing::error!("{name} is still there and cannot be started again");
            return None;
        }
        entry.incarnations += 1;
        let member = Arc::new(Member::new(slot, entry.incarnations, name));
        entry.member = Some(Arc::clone(&member));
        let delay = self.config.restart_delay.after(entry.short_lives);
        table.living += 1;
        Some((member, delay))
    }

    /// Forgets the short lives of a slot and takes its present member for a good one.
    pub(crate) fn vouch(&self, slot: usize) {
        if let Some(entry) = lock(&self.table).slots.get_mut(&slot) {
            entry.short_lives = 0;
            if let Some(member) = &entry.member {
                member.vouch();
            }
        }
    }

    pub(crate) fn member(&self, slot: usize) -> Option<Arc<Member>> {
        lock(&self.table).slots.get(&slot)?.member.clone()
    }

    /// Does something to each living member, without holding the lock, and says to how many.
    pub(crate) fn each(&self, action: impl Fn(&Member)) -> usize {
        let members: Vec<_> =
            lock(&self.table).slots.values().filter_map(|slot| slot.member.clone()).collect();
        members.iter().for_each(|member| action(member));
        members.len()
    }

    pub(crate) fn wait_until_empty(&self, limit: Duration) -> bool {
        let table = lock(&self.table);
        let waited = self.changed.wait_timeout_while(table, limit, |table| table.living > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.living == 0
    }

    /// Remembers a thread to be joined, and joins those that are through already.
    pub(crate) fn keep_watcher(&self, watcher: JoinHandle<()>) {
        let mut table = lock(&self.table);
        let (done, running) = table.watchers.drain(..).partition(JoinHandle::is_finished);
        table.watchers = running;
        table.watchers.push(watcher);
        drop(table);
        join_all(done);
    }

    pub(crate) fn join_watchers(&self) -> Vec<String> {
        let mut table = lock(&self.table);
        if table.living > 0 {
            return table
                .slots
                .values()
                .filter_map(|slot| slot.member.as_ref())
                .map(|m| m.name.clone())
                .collect();
        }
        let watchers = std::mem::take(&mut table.watchers);
        drop(table);
        join_all(watchers);
        Vec::new()
    }

    /// The last act for a member: frees its slot, reports the death, and only then counts it as gone.
    pub(crate) fn bury(&self, member: &Member, death: Death) {
        if let Some(entry) = lock(&self.table).slots.get_mut(&member.slot) {
            entry.member = None;
            entry.short_lives = self.short_lives(entry.short_lives, member, &death);
        }
        self.emit(CrewEvent::Ended { slot: member.slot, incarnation: member.incarnation, death });
        lock(&self.table).living -= 1;
        self.changed.notify_all();
    }
}

impl Shared {
    /// The count after one more death.
    fn short_lives(&self, before: u32, member: &Member, death: &Death) -> u32 {
        let finished = death.started && death.cause.is_clean();
        let proven = death.lifetime >= self.config.restart_delay.proven;
        let called_off = death.pid.is_none() && member.called_off().is_some();
        if finished || proven || member.is_vouched_for() {
            0
        } else if called_off {
            before
        } else {
            before.saturating_add(1)
        }
    }
}

fn join_all(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a thread that watched a worker panicked");
        }
    }
}
