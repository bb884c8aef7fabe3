//! Events, locks, semaphores, conditions and managed values, shared by processes.

use std::time::Duration;

use gristmill_pool::manager::{Dict, List, Namespace};
use gristmill_pool::sync::{Condition, Event, Lock, Semaphore};
use gristmill_pool::{Queue, Toolkit};

use crate::Test;
use crate::functions::{ADD_ONE, COUNT, CROWD, HOLD, NEXT_HOLDER, STAGE_2, WAIT};

const SOON: Duration = Duration::from_secs(20);

pub(crate) const TESTS: &[Test] = &[
    ("sync::an_event_is_waited_for", an_event_is_waited_for),
    ("sync::a_lock_excludes", a_lock_excludes),
    ("sync::a_dead_holder_s_lock_is_free_and_the_next_is_told", a_dead_holders_lock_is_free),
    ("sync::a_semaphore_caps", a_semaphore_caps),
    ("sync::a_condition_wakes_all", a_condition_wakes_all),
    ("manager::no_update_is_lost", no_update_is_lost),
];

fn an_event_is_waited_for(toolkit: &Toolkit) {
    let event = Event::new().expect("an event");
    let long = toolkit.process(WAIT, (event.clone(), 30_000));
    let short = toolkit.process(WAIT, (event.clone(), 1));
    long.start().expect("start");
    short.start().expect("start");
    assert!(!short.join().expect("it waited"));
    event.set().expect("set");
    assert!(long.join().expect("it waited"));
}

fn a_lock_excludes(toolkit: &Toolkit) {
    let (lock, names) = (Lock::new().expect("a lock"), Namespace::new().expect("a namespace"));
    let pool = toolkit.pool(3).start().expect("a pool");
    pool.map(COUNT, (0..3).map(|_| (lock.clone(), names.clone(), 40))).expect("counted");
    assert_eq!(names.get("count").expect("get"), Some(120u64));
}

fn a_dead_holders_lock_is_free(toolkit: &Toolkit) {
    let (lock, has) = (Lock::new().expect("a lock"), Event::new().expect("an event"));
    let holder = toolkit.process(HOLD, (lock.clone(), has.clone())).named("holder");
    holder.start().expect("start");
    assert!(has.wait_timeout(SOON).expect("a wait"));
    let next = toolkit.process(NEXT_HOLDER, lock.clone());
    next.start().expect("start");
    holder.kill();
    assert_eq!(next.join().expect("it had the lock").as_deref(), Some("holder killed by SIGKILL"));
    assert_eq!(lock.acquire_timeout(SOON).expect("free").abandoned(), None);
}

fn a_semaphore_caps(toolkit: &Toolkit) {
    let (semaphore, active) = (Semaphore::new(2).expect("a semaphore"), List::new().expect("a list"));
    let pool = toolkit.pool(4).start().expect("a pool");
    let crowds = pool.calls(CROWD).chunk_size(1).map((0..20).map(|_| (semaphore.clone(), active.clone())));
    assert!(crowds.expect("crowds").into_iter().all(|crowd| crowd <= 2));
    assert!(active.is_empty().expect("len"));
}

fn a_condition_wakes_all(toolkit: &Toolkit) {
    let (condition, log) = (Condition::new().expect("a condition"), Queue::unbounded().expect("a queue"));
    let waiters: Vec<_> =
        (0..2).map(|_| toolkit.process(STAGE_2, (condition.clone(), log.clone()))).collect();
    waiters.iter().for_each(|waiter| waiter.start().expect("start"));
    for _ in &waiters {
        let line = log.get_timeout(SOON).expect("in time").expect("a line");
        assert!(line.ends_with("waits"), "{line}");
    }
    // Both said so under the lock, so once it is free here both wait.
    let guard = condition.lock_timeout(SOON).expect("lock");
    assert_eq!(guard.notify_all().expect("notify"), 2);
    drop(guard);
    assert!(waiters.iter().all(|waiter| waiter.join().expect("woken")));
}

fn no_update_is_lost(toolkit: &Toolkit) {
    let dict = Dict::new().expect("a dictionary");
    let pool = toolkit.pool(3).start().expect("a pool");
    pool.map(ADD_ONE, (0..60).map(|n| (dict.clone(), n))).expect("added");
    assert_eq!(dict.get(&"sum".to_owned()).expect("get"), Some(60));
}
