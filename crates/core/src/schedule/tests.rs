//! The scheduler against an executor that does as it is told, without any worker.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gristmill_pool::Grace;
use gristmill_pool::signals::Cancel;
use indicatif::MultiProgress;

use super::{Finish, Limits, Scheduler};
use crate::collect::Committed;
use crate::counters::Counters;
use crate::error::Error;
use crate::exec::{Event, Executor, Loss};
use crate::flight::{Flight, new_page};
use crate::input::{Plan, Split};
use crate::progress::{Progress, ShowProgress};
use crate::reduce::Reduced;
use crate::result::Result;
use crate::runner::Note;
use crate::task::{Order, TaskId};

/// What a worker does with an order, given how many of its kind were carried out before.
type Script = Box<dyn FnMut(usize, Order) -> Reaction>;

enum Reaction {
    Obey,
    Die,
    Hang,
}

/// Carries out orders in memory: a map task is resident until its worker flushes or dies.
struct Fake {
    script: Script,
    events: VecDeque<Event>,
    resident: BTreeMap<usize, Vec<(u32, u32)>>,
    /// What every map task was committed as, in order.
    committed: Vec<(u32, u32)>,
    reduced: Vec<u32>,
    starts: usize,
    killed: Vec<usize>,
    /// Workers that do nothing with what they are sent: dead ones and hung ones.
    deaf: BTreeSet<usize>,
    flight: Flight,
}

impl Fake {
    fn new(script: impl FnMut(usize, Order) -> Reaction + 'static) -> Self {
        Self {
            script: Box::new(script),
            events: VecDeque::new(),
            resident: BTreeMap::new(),
            committed: Vec::new(),
            reduced: Vec::new(),
            starts: 0,
            killed: Vec::new(),
            deaf: BTreeSet::new(),
            flight: new_page().expect("a page"),
        }
    }

    fn obey(&mut self, slot: usize, order: Order) -> Vec<Note> {
        match order {
            Order::Run { task: TaskId::Map(task), attempt } => {
                self.resident.entry(slot).or_default().push((task, attempt));
                vec![Note::Mapped { task, attempt }]
            }
            Order::Run { task: TaskId::Reduce(task), attempt } => {
                self.reduced.push(task);
                let part = Reduced { records: 1, bytes: 10 };
                vec![Note::Reduced { task, attempt, part, counters: Counters::default() }]
            }
            Order::Flush => {
                let tasks = self.resident.remove(&slot).unwrap_or_default();
                self.committed.extend(&tasks);
                let mut counters = Counters::default();
                counters.add("tasks", tasks.len() as u64);
                let partitions = vec![(1, 5)];
                vec![Note::Committed(Committed { run: None, tasks, counters, partitions }), Note::Flushed]
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
        let reaction = if self.deaf.contains(&slot) { Reaction::Hang } else { (self.script)(slot, order) };
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

    fn kill(&mut self, slot: usize, _why: &str) {
        self.killed.push(slot);
        self.lose(slot);
    }

    fn stop(&mut self, _grace: Grace) {}
}

fn plan(splits: usize) -> Arc<Plan> {
    let split = Split { pieces: Vec::new(), partition: 0 };
    Arc::new(Plan { files: Vec::new(), splits: vec![split; splits], total_bytes: 0 })
}

fn run(fake: &mut Fake, splits: usize, workers: usize, max_attempts: u32) -> Result<Finish, Error> {
    run_until(fake, splits, workers, max_attempts, None, &Cancel::new())
}

fn run_until(
    fake: &mut Fake,
    splits: usize,
    workers: usize,
    max_attempts: u32,
    task_timeout: Option<Duration>,
    cancel: &Cancel,
) -> Result<Finish, Error> {
    let limits = Limits { workers, partitions: 2, max_attempts, task_timeout };
    let folder = tempfile::tempdir().expect("a folder");
    let manifest: PathBuf = folder.path().join("manifest");
    let mut progress = Progress::new(ShowProgress::Never, &MultiProgress::new());
    Scheduler::new("job", plan(splits), limits, fake, &mut progress).run(&manifest, cancel)
}

fn tasks(fake: &Fake) -> Vec<u32> {
    let mut tasks: Vec<u32> = fake.committed.iter().map(|&(task, _)| task).collect();
    tasks.sort_unstable();
    tasks
}

#[test]
fn every_task_is_committed_once_and_the_largest_partition_reduced_first() {
    let mut fake = Fake::new(|_, _| Reaction::Obey);
    let finish = run(&mut fake, 20, 3, 1).expect("a good end");
    assert_eq!(tasks(&fake), (0..20).collect::<Vec<_>>());
    assert_eq!(fake.reduced, [1, 0]);
    assert_eq!((finish.records, finish.bytes, finish.counters.get("tasks")), (2, 20, 20));
    assert_eq!(fake.starts, 3);
}

#[test]
fn no_more_workers_start_than_there_is_work() {
    let mut fake = Fake::new(|_, _| Reaction::Obey);
    run(&mut fake, 1, 8, 1).expect("a good end");
    assert_eq!(fake.starts, 2, "one for the map task, one more for the second partition");
}

#[test]
fn no_task_waits_behind_another_while_a_worker_is_getting_ready() {
    let (seen, orders) = crossbeam_channel::unbounded();
    let mut fake = Fake::new(move |slot, order| {
        if let Order::Run { task: TaskId::Map(task), .. } = order {
            seen.send((task, slot)).expect("the test holds the other end");
        }
        Reaction::Obey
    });
    run(&mut fake, 3, 2, 1).expect("nothing fails");
    assert_eq!(orders.try_iter().take(2).collect::<Vec<_>>(), [(0, 0), (1, 1)]);
}

#[test]
fn a_death_charges_the_running_task_alone() {
    let mut deaths = 0;
    let mut fake = Fake::new(move |slot, order| {
        let victim = matches!(order, Order::Run { task: TaskId::Map(9), .. });
        deaths += u32::from(victim);
        if victim && deaths <= 2 && slot < 9 { Reaction::Die } else { Reaction::Obey }
    });
    run(&mut fake, 20, 2, 3).expect("the third attempt is good");
    assert_eq!(tasks(&fake), (0..20).collect::<Vec<_>>());
    let attempts: Vec<_> = fake.committed.iter().filter(|(_, attempt)| *attempt > 1).collect();
    assert_eq!(attempts, [&(9, 3)], "what was in the dead workers' memory runs again uncharged");
}

#[test]
fn the_last_attempt_ends_the_job_with_its_story() {
    let mut fake = Fake::new(|_, order| match order {
        Order::Run { task: TaskId::Reduce(0), .. } => Reaction::Die,
        _ => Reaction::Obey,
    });
    let error = run(&mut fake, 3, 2, 2).expect_err("reduce-0 always dies");
    let failure = error.failure().expect("a task's failure");
    assert_eq!((failure.task(), failure.attempt(), failure.worker()), ("reduce-0", 2, failure.worker()));
    assert!(error.to_string().contains("SIGKILL"), "{error}");
    assert_eq!(error.exit_status(), 1);
}

#[test]
fn a_worker_that_dies_in_its_flush_is_not_tried_for_ever() {
    let mut fake = Fake::new(|_, order| if order == Order::Flush { Reaction::Die } else { Reaction::Obey });
    let error = run(&mut fake, 3, 1, 2).expect_err("nothing can be committed");
    assert!(error.failure().is_some(), "{error}");
}

#[test]
fn a_worker_without_a_heartbeat_is_killed() {
    let mut hung = false;
    let mut fake = Fake::new(move |_, order| {
        let hangs =
            matches!(order, Order::Run { task: TaskId::Map(1), .. }) && !std::mem::replace(&mut hung, true);
        if hangs { Reaction::Hang } else { Reaction::Obey }
    });
    let limit = Some(Duration::from_millis(50));
    run_until(&mut fake, 3, 1, 2, limit, &Cancel::new()).expect("the second attempt is good");
    assert_eq!(fake.killed, [0]);
}

#[test]
fn a_cancelled_job_gives_out_no_more_orders() {
    let cancel = Cancel::new();
    let signal = cancel.clone();
    let mut given = 0;
    let mut fake = Fake::new(move |_, _| {
        given += 1;
        if given == 5 {
            signal.request(15);
        }
        assert!(given <= 6, "an order after the signal");
        Reaction::Obey
    });
    let error = run_until(&mut fake, 100, 1, 1, None, &cancel).expect_err("cancelled");
    assert_eq!((error.signal(), error.exit_status()), (Some(15), 143));
}
