//! An executor without workers, which does as it is told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use gristmill_pool::Grace;

use crate::collect::Committed;
use crate::counters::Counters;
use crate::exec::{Event, Executor, Loss};
use crate::flight::{Flight, new_page};
use crate::input::{Plan, Split};
use crate::reduce::Reduced;
use crate::result::Result;
use crate::runner::Note;
use crate::task::{DeathFacts, Failure, FailureKind, Order, TaskId};

/// What a worker does with an order, given how many of its kind were carried out before.
pub(super) type Script = Box<dyn FnMut(usize, Order) -> Reaction>;

/// Which run an order finds damaged.
pub(super) type Damage = Box<dyn FnMut(&Order) -> Option<String>>;

pub(super) enum Reaction {
    Obey,
    Die,
    Hang,
}

/// Carries out orders in memory: a map task is resident until its worker flushes or dies.
pub(super) struct Fake {
    pub(super) script: Script,
    events: VecDeque<Event>,
    resident: BTreeMap<usize, Vec<(u32, u32)>>,
    /// What every map task was committed as, in order.
    pub(super) committed: Vec<(u32, u32)>,
    pub(super) reduced: Vec<u32>,
    pub(super) starts: usize,
    pub(super) killed: Vec<usize>,
    pub(super) retired: Vec<usize>,
    /// Whether those who die do so for want of memory.
    pub(super) starves: bool,
    /// Whether somebody else kills those who die.
    pub(super) is_killed: bool,
    /// Which run an order finds damaged.
    pub(super) damage: Option<Damage>,
    /// Bytes of partitions in each run.
    pub(super) partitions: Vec<(u32, u64)>,
    /// Run files so far.
    runs: usize,
    /// Workers that do nothing with what they are sent: dead ones and hung ones.
    deaf: BTreeSet<usize>,
    pub(super) flight: Flight,
}

impl Fake {
    pub(super) fn new(script: impl FnMut(usize, Order) -> Reaction + 'static) -> Self {
        Self {
            script: Box::new(script),
            events: VecDeque::new(),
            resident: BTreeMap::new(),
            committed: Vec::new(),
            reduced: Vec::new(),
            starts: 0,
            killed: Vec::new(),
            retired: Vec::new(),
            starves: false,
            is_killed: true,
            damage: None,
            partitions: vec![(1, 5)],
            runs: 0,
            deaf: BTreeSet::new(),
            flight: new_page().expect("a page"),
        }
    }

    fn obey(&mut self, slot: usize, order: Order) -> Vec<Note> {
        if let Some(run) = self.damage.as_mut().and_then(|damage| damage(&order))
            && let Order::Run { task, attempt, .. } = order
        {
            let kind = FailureKind::Returned { message: "damaged".to_owned() };
            let mut failure = Failure::new("job", &plan(3), task, attempt, kind, None);
            failure.damaged_run = Some(run);
            return vec![Note::Failed { task, attempt, failure: Box::new(failure) }];
        }
        match order {
            Order::Run { task: TaskId::Map(task), attempt, .. } => {
                self.resident.entry(slot).or_default().push((task, attempt));
                vec![Note::Mapped { task, attempt }]
            }
            Order::Run { task: TaskId::Reduce(task), attempt, .. } => {
                self.reduced.push(task);
                let part = Reduced { records: 1, bytes: 10, checksum: 0 };
                vec![Note::Reduced { task, attempt, part, counters: Counters::default() }]
            }
            Order::Reopen => vec![Note::Reopened],
            Order::Verify { task, .. } => vec![Note::Verified { task, digest: 0 }],
            Order::Flush => {
                let tasks = self.resident.remove(&slot).unwrap_or_default();
                self.committed.extend(&tasks);
                let mut counters = Counters::default();
                counters.add("tasks", tasks.len() as u64);
                let partitions = self.partitions.clone();
                let run = Some(format!("run-{}", self.runs));
                self.runs += 1;
                vec![Note::Committed(Committed { run, tasks, counters, partitions }), Note::Flushed]
            }
        }
    }

    fn lose(&mut self, slot: usize) {
        self.resident.remove(&slot);
        self.deaf.insert(slot);
        let loss = Loss {
            worker: format!("Worker-{}", slot + 1),
            pid: Some(4711),
            cause: "was killed by SIGKILL".to_owned(),
            was_ready: true,
            is_clean: false,
            from_outside: self.is_killed,
            out_of_memory: self.starves,
            death: DeathFacts::default(),
            flight: None,
            log_tail: Vec::new(),
            stderr_tail: String::new(),
        };
        self.events.push_back(Event::Lost { slot, loss: Box::new(loss) });
    }
}

impl Executor for Fake {
    fn start(&mut self, slot: usize) {
        self.starts += 1;
        self.deaf.remove(&slot);
        self.events.push_back(Event::Ready { slot });
    }

    fn send(&mut self, slot: usize, order: Order) -> Result {
        let reaction =
            if self.deaf.contains(&slot) { Reaction::Hang } else { (self.script)(slot, order.clone()) };
        match reaction {
            Reaction::Obey => {
                let notes = self.obey(slot, order);
                self.events.push_back(Event::Done { slot, notes });
            }
            Reaction::Die => self.lose(slot),
            Reaction::Hang => {
                self.deaf.insert(slot);
            }
        }
        Ok(())
    }

    fn next(&mut self, wait: Duration) -> Option<Event> {
        self.events.pop_front().or_else(|| {
            crossbeam_channel::after(wait.min(Duration::from_millis(5))).recv().ok();
            None
        })
    }

    fn flight(&self, _slot: usize) -> Option<Flight> {
        Some(self.flight.clone())
    }

    fn retire(&mut self, slot: usize) {
        self.retired.push(slot);
        self.lose(slot);
    }

    fn kill(&mut self, slot: usize, _why: &str) {
        self.killed.push(slot);
        self.lose(slot);
    }

    fn stop(&mut self, _grace: Grace) {}
}

/// A plan of so many splits with nothing in them.
pub(super) fn plan(splits: usize) -> Arc<Plan> {
    let split = Split { pieces: Vec::new(), partition: 0 };
    Arc::new(Plan { files: Vec::new(), splits: vec![split; splits], total_bytes: 0 })
}
