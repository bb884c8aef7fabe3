//! Queues and locks in less usual situations: limits of zero, full and closed queues, deaths of those who wait.
//!
//! Their everyday use is tested in `queues` and `shared`.

use std::time::Duration;

use gristmill_pool::manager::{Dict, Namespace};
use gristmill_pool::sync::{Condition, Event, Lock, Semaphore};
use gristmill_pool::{CallError, Queue, Toolkit};
use gristmill_testkit::process_tree::{Process, ProcessTree};
use rustix::process::{Pid, Signal, kill_process};

use crate::Test;
use crate::functions::{CONSUME, HOLD, SQUARE, WAIT};
use crate::odd_functions::{
    CROWD_OF_THREADS, FETCH, HOLD_PERMIT, PUT_BYTES, SET_AND_DIE, STAGE, STUFF, TELL,
};

const SOON: Duration = Duration::from_secs(20);

pub(crate) const TESTS: &[Test] = &[
    ("queue::limits_hold_in_workers", limits_hold_in_workers),
    ("queue::items_may_be_longer_than_a_pipe", items_may_be_longer_than_a_pipe),
    ("queue::one_killed_in_mid_get_takes_nothing", one_killed_in_mid_get_takes_nothing),
    ("queue::what_is_on_its_way_to_the_dead_is_not_lost", what_is_on_its_way_is_not_lost),
    ("queue::threads_of_a_worker_wait_side_by_side", threads_wait_side_by_side),
    ("queue::closing_wakes_all_who_wait", closing_wakes_all_who_wait),
    ("sync::a_death_lets_one_of_many_in", a_death_lets_one_of_many_in),
    ("sync::a_dead_holder_s_permit_is_free", a_dead_holders_permit_is_free),
    ("sync::a_condition_wakes_as_many_as_it_is_told", a_condition_wakes_as_many),
    ("sync::a_dead_sleeper_is_no_hindrance", a_dead_sleeper_is_no_hindrance),
    ("sync::an_event_that_is_cleared_at_once_has_woken_all", an_event_cleared_at_once),
    ("manager::what_the_dead_have_set_stays", what_the_dead_have_set_stays),
];

fn limits_hold_in_workers(toolkit: &Toolkit) {
    let pool = toolkit.pool(1).start().expect("a pool");
    let queue = Queue::bounded(1).expect("a queue");
    assert_eq!(pool.apply(FETCH, (queue.clone(), 0)).expect("a look"), None);
    assert_eq!(pool.apply(FETCH, (queue.clone(), 10)).expect("a wait"), None);
    assert!(pool.apply(STUFF, (queue.clone(), 8)).expect("there is room"));
    assert!(!pool.apply(STUFF, (queue.clone(), 9)).expect("there is none"));
    assert_eq!(pool.apply(FETCH, (queue.clone(), 0)).expect("a look"), Some(8));
    assert_eq!(
        queue.get_timeout(Duration::ZERO).map_err(|error| error.to_string()),
        Err("nothing happened in time".into())
    );
    queue.put(1).expect("there is room again");
    assert_eq!(queue.get_timeout(Duration::MAX).expect("it is there"), Some(1));
    assert!(
        Event::new()
            .and_then(|event| event.set().and_then(|()| event.wait_timeout(Duration::MAX)))
            .expect("set")
    );
}

fn items_may_be_longer_than_a_pipe(toolkit: &Toolkit) {
    let queue = Queue::unbounded().expect("a queue");
    let pool = toolkit.pool(2).start().expect("a pool");
    let lengths = [100, 70_000, 3 << 20];
    pool.map(PUT_BYTES, lengths.map(|len| (queue.clone(), len))).expect("put");
    let mut found: Vec<_> = queue.drain().expect("items").into_iter().map(|item| item.len() as u64).collect();
    found.sort_unstable();
    assert_eq!(found, lengths);
}

fn one_killed_in_mid_get_takes_nothing(toolkit: &Toolkit) {
    let (queue, results) = (Queue::unbounded().expect("a queue"), Queue::unbounded().expect("a queue"));
    let consumer = || {
        let consumer = toolkit.process(CONSUME, (queue.clone(), results.clone()));
        consumer.start().expect("start");
        consumer
    };
    let victim = consumer();
    queue.put(1).expect("put");
    assert_eq!(results.get_timeout(SOON).expect("in time").expect("a result").1, 1);
    // Now it waits for the next.
    victim.kill();
    victim.join().expect_err("it was killed");
    queue.put(2).expect("put");
    let next = consumer();
    assert_eq!(results.get_timeout(SOON).expect("in time").expect("a result").1, 2);
    queue.close().expect("close");
    assert_eq!(next.join().expect("a count"), 1);
}

/// Stops the process; the watchdog bounds the wait until it stands still.
fn stopped(number: u32) -> Pid {
    let pid = Pid::from_raw(number as i32).expect("a pid");
    kill_process(pid, Signal::STOP).expect("SIGSTOP");
    let stands_still = |child: &Process| child.pid == number && child.state == 'T';
    while !ProcessTree::children_of(std::process::id()).processes().iter().any(stands_still) {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    pid
}

fn what_is_on_its_way_is_not_lost(toolkit: &Toolkit) {
    let (queue, results) = (Queue::unbounded().expect("a queue"), Queue::unbounded().expect("a queue"));
    let victim = toolkit.process(CONSUME, (queue.clone(), results.clone()));
    victim.start().expect("start");
    queue.put(1).expect("put");
    assert_eq!(results.get_timeout(SOON).expect("in time").expect("a result").1, 1);
    // Until it has asked for the next.
    while queue.len().expect("len") == 0 && victim.is_alive() {
        let pid = stopped(victim.pid().expect("a pid"));
        queue.put(2).expect("put");
        if queue.len().expect("len") == 0 {
            // It is in the channel of a process that reads nothing any more.
            kill_process(pid, Signal::KILL).expect("SIGKILL");
            victim.join().expect_err("it was killed");
            break;
        }
        queue.drain().expect("it had not asked yet");
        kill_process(pid, Signal::CONT).expect("SIGCONT");
    }
    assert_eq!(queue.losses().expect("losses"), []);
    assert_eq!(queue.get_timeout(SOON).expect("in time"), Some(2));
}

fn threads_wait_side_by_side(toolkit: &Toolkit) {
    let (queue, results) = (Queue::unbounded().expect("a queue"), Queue::unbounded().expect("a queue"));
    let pool = toolkit.pool(1).start().expect("a pool");
    let crowd = pool.submit(CROWD_OF_THREADS, (queue.clone(), results.clone(), Lock::new().expect("a lock")));
    (0..400).for_each(|n| queue.put(n).expect("put"));
    (0..4).for_each(|_| queue.put_end().expect("put"));
    assert_eq!(crowd.wait().expect("a count"), 400);
    let mut found = results.drain().expect("results");
    found.sort_unstable();
    assert_eq!(found, (0..400).collect::<Vec<u64>>());
    // A thread was left behind that still waits, and must not keep orders and answers from the others.
    assert_eq!(pool.map(SQUARE, 0..50).expect("squares").len(), 50);
    queue.put(1000).expect("put");
    assert_eq!(results.get_timeout(SOON).expect("in time"), Some(1000));
    assert_eq!(pool.apply(FETCH, (queue, 5)).expect("a wait"), None);
    pool.finish();
}

fn closing_wakes_all_who_wait(toolkit: &Toolkit) {
    let queue = Queue::bounded(1).expect("a queue");
    let getters: Vec<_> = (0..2).map(|_| toolkit.process(FETCH, (queue.clone(), 60_000))).collect();
    getters.iter().for_each(|getter| getter.start().expect("start"));
    queue.close().expect("close");
    for getter in &getters {
        assert_eq!(getter.join().expect("the end"), None);
    }
    assert!(matches!(queue.put(1), Err(CallError::Closed)));
}

fn a_death_lets_one_of_many_in(toolkit: &Toolkit) {
    let (lock, has) = (Lock::new().expect("a lock"), Event::new().expect("an event"));
    let holder = toolkit.process(HOLD, (lock.clone(), has.clone()));
    holder.start().expect("start");
    assert!(has.wait_timeout(SOON).expect("a wait"));
    let waiters: Vec<_> = (0..3).map(|_| (Event::new().expect("an event"), lock.clone())).collect();
    let waiters: Vec<_> = waiters
        .into_iter()
        .map(|(begun, lock)| {
            let waiter = toolkit.process(TELL, (lock, begun.clone()));
            waiter.start().expect("start");
            assert!(begun.wait_timeout(SOON).expect("a wait"));
            waiter
        })
        .collect();
    holder.kill();
    let told = waiters.iter().filter(|waiter| waiter.join().expect("it had the lock")).count();
    assert_eq!(told, 1, "the next holder is told, and no other");
}

fn a_dead_holders_permit_is_free(toolkit: &Toolkit) {
    let (semaphore, has) = (Semaphore::new(1).expect("a semaphore"), Event::new().expect("an event"));
    let holder = toolkit.process(HOLD_PERMIT, (semaphore.clone(), has.clone())).named("holder");
    holder.start().expect("start");
    assert!(has.wait_timeout(SOON).expect("a wait"));
    assert!(matches!(semaphore.acquire_timeout(Duration::from_millis(5)), Err(CallError::TimedOut)));
    holder.kill();
    let permit = semaphore.acquire_timeout(SOON).expect("it is free");
    assert_eq!(permit.abandoned().expect("it was told").worker, "holder");
    drop(permit);
    assert_eq!(semaphore.available().expect("a look"), 1, "dropping it twice is not possible");
}

fn a_condition_wakes_as_many(toolkit: &Toolkit) {
    let (condition, names) = (Condition::new().expect("a condition"), Namespace::new().expect("a namespace"));
    let waiters: Vec<_> = (0..3)
        .map(|_| {
            let waits = Event::new().expect("an event");
            let waiter = toolkit.process(STAGE, (condition.clone(), names.clone(), 2, waits.clone()));
            waiter.start().expect("start");
            assert!(waits.wait_timeout(SOON).expect("a wait"));
            waiter
        })
        .collect();
    let guard = condition.lock_timeout(SOON).expect("lock");
    names.set("stage", &1u64).expect("set");
    assert_eq!(guard.notify(2).expect("notify"), 2);
    // Those two look, find the wrong stage, and sleep again.
    drop(guard);
    let guard = condition.lock_timeout(SOON).expect("lock");
    names.set("stage", &2u64).expect("set");
    drop(guard);
    while waiters.iter().any(|waiter| waiter.is_alive()) {
        condition.lock_timeout(SOON).expect("lock").notify_all().expect("notify");
        waiters.iter().all(|waiter| waiter.wait(Some(Duration::from_millis(5))));
    }
    assert!(waiters.iter().all(|waiter| waiter.join().expect("woken")));
    let guard = condition.lock().expect("lock");
    let (_guard, held) = guard.wait_until(Duration::from_millis(5), || false).expect("a wait");
    assert!(!held);
}

fn a_dead_sleeper_is_no_hindrance(toolkit: &Toolkit) {
    let (condition, names) = (Condition::new().expect("a condition"), Namespace::new().expect("a namespace"));
    let waits = Event::new().expect("an event");
    let sleeper = toolkit.process(STAGE, (condition.clone(), names, 1, waits.clone()));
    sleeper.start().expect("start");
    assert!(waits.wait_timeout(SOON).expect("a wait"));
    drop(condition.lock_timeout(SOON).expect("it sleeps"));
    sleeper.kill();
    sleeper.join().expect_err("it was killed");
    let guard = condition.lock_timeout(SOON).expect("lock");
    assert_eq!(guard.notify_all().expect("notify"), 0);
}

fn an_event_cleared_at_once(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    for _ in 0..5 {
        let event = Event::new().expect("an event");
        let waiters: Vec<_> = (0..2).map(|_| pool.submit(WAIT, (event.clone(), 60_000))).collect();
        // They may come later than this one, but not before it is set for good.
        event.set().expect("set");
        event.clear().expect("clear");
        event.set().expect("set");
        for waiter in waiters {
            assert!(waiter.wait().expect("a wait"));
        }
    }
}

fn what_the_dead_have_set_stays(toolkit: &Toolkit) {
    let dict = Dict::new().expect("a dictionary");
    let writer = toolkit.process(SET_AND_DIE, dict.clone());
    writer.start().expect("start");
    writer.join().expect_err("it died");
    assert_eq!(dict.get(&"left".to_owned()).expect("get"), Some(7));
}
