//! The scheduler against an executor that does as it is told, without any worker.

mod fake;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gristmill_pool::signals::Cancel;
use indicatif::MultiProgress;

use self::fake::{Fake, Reaction, plan};
use super::{Commits, Finish, Limits, Scheduler};
use crate::collect::Committed;
use crate::counters::Counters;
use crate::error::Error;
use crate::flight::Stage;
use crate::input::{Piece, Plan, Span, Split};
use crate::progress::{Progress, ShowProgress};
use crate::reduce::Reduced;
use crate::result::Result;
use crate::task::{Failure, Order, Spot, TaskId};

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
    let limits = Limits { task_timeout, ..limits(workers, max_attempts) };
    go_on(fake, splits, limits, cancel, &mut Commits::default())
}

/// Limits of a job with two partitions.
fn limits(workers: usize, max_attempts: u32) -> Limits {
    let (task_timeout, max_tasks_per_worker) = (None, None);
    Limits { workers, partitions: 2, max_attempts, task_timeout, max_tasks_per_worker, verify: false }
}

fn go_on(
    fake: &mut Fake,
    splits: usize,
    limits: Limits,
    cancel: &Cancel,
    commits: &mut Commits,
) -> Result<Finish, Error> {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest: PathBuf = folder.path().join("manifest");
    let mut progress = Progress::new(ShowProgress::Never, &MultiProgress::new());
    Scheduler::new("job", plan(splits), limits, fake, &mut progress, commits).run(&manifest, cancel)
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
fn a_partition_waits_behind_another_only_while_plenty_are_left() {
    for (partitions, expected) in [(40, vec![0, 39]), (9, vec![0])] {
        let (seen, orders) = crossbeam_channel::unbounded();
        let mut died = false;
        let mut fake = Fake::new(move |_, order| {
            let Order::Run { task: TaskId::Reduce(task), attempt, .. } = order else { return Reaction::Obey };
            seen.send((task, attempt)).expect("the test holds the other end");
            if std::mem::replace(&mut died, true) { Reaction::Obey } else { Reaction::Die }
        });
        let limits = Limits { partitions, ..limits(2, 2) };
        // As large as each other: the first comes first.
        fake.partitions = (0..partitions).map(|partition| (partition, 5)).collect();
        go_on(&mut fake, 3, limits, &Cancel::new(), &mut Commits::default()).expect("a good end");
        let mut again: Vec<_> =
            orders.try_iter().filter(|&(_, attempt)| attempt == 2).map(|(task, _)| task).collect();
        again.sort_unstable();
        assert_eq!(again, expected, "what ran in the worker that died, and the last one, which waited there");
        fake.reduced.sort_unstable();
        assert_eq!(fake.reduced, (0..partitions).collect::<Vec<_>>());
    }
}

#[test]
fn a_death_charges_the_running_task_alone() {
    let mut deaths = 0;
    let mut fake = Fake::new(move |slot, order| {
        let victim = matches!(order, Order::Run { task: TaskId::Map(9), .. });
        deaths += u32::from(victim);
        if victim && deaths <= 2 && slot < 9 { Reaction::Die } else { Reaction::Obey }
    });
    let finish = run(&mut fake, 20, 2, 3).expect("the third attempt is good");
    assert_eq!(tasks(&fake), (0..20).collect::<Vec<_>>());
    let charged: Vec<_> = finish.lost.iter().map(|failure| (failure.task(), failure.attempt())).collect();
    assert_eq!(charged, [("map-9", 1), ("map-9", 2)]);
    let again = fake.committed.iter().filter(|(_, attempt)| *attempt > 1).count();
    assert!(again > 1, "what was in the dead workers' memory runs again");
}

#[test]
fn what_was_lost_before_its_commit_is_committed_at_once_when_it_runs_again() {
    let (given, orders) = crossbeam_channel::unbounded();
    let mut dead = false;
    let mut fake = Fake::new(move |_, order| {
        given.send(order.clone()).expect("somebody listens");
        let dies = matches!(order, Order::Run { task: TaskId::Map(9), .. });
        if dies && !std::mem::replace(&mut dead, true) { Reaction::Die } else { Reaction::Obey }
    });
    run(&mut fake, 20, 1, 3).expect("a good end");
    let mut again = 0;
    for order in orders.try_iter() {
        if let Order::Run { task: TaskId::Map(task), attempt: 2, care } = order {
            assert_eq!(care.commit, task < 9, "map-{task} was in the dead worker's memory, or it was not");
            again += 1;
        }
    }
    assert!(again >= 10, "only {again} ran again");
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

#[test]
fn a_task_that_ran_out_of_memory_is_run_alone_before_it_is_blamed() {
    let mut died = false;
    let (seen, orders) = crossbeam_channel::unbounded();
    let mut fake = Fake::new(move |_, order| {
        let starves =
            matches!(order, Order::Run { task: TaskId::Map(5), .. }) && !std::mem::replace(&mut died, true);
        seen.send(order).expect("the test holds the other end");
        if starves { Reaction::Die } else { Reaction::Obey }
    });
    fake.starves = true;
    let finish = run(&mut fake, 20, 3, 1).expect("it is not charged");
    assert_eq!(tasks(&fake), (0..20).collect::<Vec<_>>());
    assert_eq!(finish.lost.len(), 1);
    let orders: Vec<_> = orders.try_iter().collect();
    let is_fifth = |order: &Order| matches!(order, Order::Run { task: TaskId::Map(5), .. });
    let alone = orders.iter().rposition(is_fifth).expect("it ran again");
    assert_eq!(orders[alone - 1], Order::Flush, "all others had committed before");
}

#[test]
fn workers_are_replaced_when_they_have_done_their_share() {
    let mut fake = Fake::new(|_, _| Reaction::Obey);
    let limits = Limits { max_tasks_per_worker: Some(3), ..limits(2, 1) };
    go_on(&mut fake, 20, limits, &Cancel::new(), &mut Commits::default()).expect("a good end");
    assert_eq!(tasks(&fake), (0..20).collect::<Vec<_>>());
    assert!(fake.retired.len() >= 6, "{:?}", fake.retired);
    assert_eq!(fake.starts, 2 + fake.retired.len());
}

#[test]
fn what_an_earlier_session_has_committed_is_not_done_again() {
    let committed = Committed {
        run: Some("old".to_owned()),
        tasks: vec![(0, 1), (3, 1)],
        counters: Counters::default(),
        partitions: vec![(0, 9)],
    };
    let part = (Reduced { records: 7, bytes: 8, checksum: 9 }, Counters::default());
    let mut commits = Commits::restored(
        None,
        [("old".to_owned(), committed)].into_iter().collect(),
        Vec::new(),
        [(1, part)].into_iter().collect(),
    );
    let mut fake = Fake::new(|_, _| Reaction::Obey);
    let limits = limits(2, 1);
    let finish = go_on(&mut fake, 5, limits, &Cancel::new(), &mut commits).expect("a good end");
    assert_eq!((tasks(&fake), &fake.reduced[..]), (vec![1, 2, 4], &[0][..]));
    assert_eq!(finish.records, 8, "the old part and the new one");
}

#[test]
fn a_run_that_cannot_be_read_is_made_again() {
    let mut fake = Fake::new(|_, _| Reaction::Obey);
    let mut once = false;
    fake.damage = Some(Box::new(move |order| {
        let finds = matches!(order, Order::Run { task: TaskId::Reduce(1), .. });
        (finds && !std::mem::replace(&mut once, true)).then(|| "run-0".to_owned())
    }));
    let mut commits = Commits::default();
    let limits = limits(1, 2);
    go_on(&mut fake, 3, limits, &Cancel::new(), &mut commits).expect("a good end");
    assert_eq!(tasks(&fake), [0, 0, 1, 1, 2, 2]);
    assert_eq!(commits.map_tasks().count(), 3);
    assert_eq!(fake.reduced, [1, 0]);
}

/// The worker dies at a record of one task, until the record is left out.
fn run_with_poison(most: u64, from_outside: bool) -> (Result<Finish, Error>, Vec<Spot>) {
    let bad = Spot::Record { file: 0, offset: 210, len: 7 };
    let pieces = |task: u32| vec![Piece { file: 0, offset: u64::from(task) * 100, len: 100 }];
    let splits = (0..4).map(|task| Split { pieces: pieces(task), partition: 0 }).collect();
    let plan = Arc::new(Plan { files: Vec::new(), splits, total_bytes: 400 });
    let mut fake = Fake::new(|_, _| Reaction::Obey);
    fake.is_killed = from_outside;
    let flight = fake.flight.clone();
    fake.script = Box::new(move |_, order| match order {
        Order::Run { task: TaskId::Map(2), attempt, care } if !care.skip.contains(&bad) => {
            flight.begin(2, attempt);
            flight.file(0);
            flight.stage(Stage::Map);
            flight.record(Span { offset: 210, len: 7 });
            Reaction::Die
        }
        Order::Run { task, care, .. } => {
            let (skip, own) = (!care.skip.is_empty(), task == TaskId::Map(2));
            assert_eq!((skip, care.closely, care.probe > 0), (own, own, own), "{task}");
            Reaction::Obey
        }
        _ => Reaction::Obey,
    });
    let limits = limits(2, 1);
    let folder = tempfile::tempdir().expect("a folder");
    let mut progress = Progress::new(ShowProgress::Never, &MultiProgress::new());
    let mut commits = Commits::default();
    let scheduler = Scheduler::new("job", plan, limits, &mut fake, &mut progress, &mut commits);
    let done = scheduler.setting_aside(most, false).run(&folder.path().join("manifest"), &Cancel::new());
    let aside = commits.aside().to_vec();
    assert!(done.is_err() || tasks(&fake) == [0, 1, 2, 3]);
    (done, aside)
}

#[test]
fn a_record_is_charged_instead_of_its_task() {
    for (from_outside, strikes) in [(false, 2), (true, 3)] {
        let (done, aside) = run_with_poison(1, from_outside);
        let lost = done.expect("the task itself is good").lost;
        let attempts: Vec<_> = lost.iter().map(Failure::attempt).collect();
        assert_eq!(attempts, (1..=strikes).collect::<Vec<_>>());
        assert_eq!(aside, [Spot::Record { file: 0, offset: 210, len: 7 }]);
    }
    let (failed, aside) = run_with_poison(0, false);
    assert!(failed.expect_err("nothing may be set aside").failure().is_some() && aside.is_empty());
}
