//! Queues between processes whose producers and consumers die.

use std::collections::HashSet;
use std::time::Duration;

use gristmill_log::{Listener, Memory};
use gristmill_pool::sync::Event;
use gristmill_pool::{LogQueue, Queue, Toolkit};
use gristmill_testkit::text::SplitMix64;

use crate::Test;
use crate::functions::{CLUTCH, CONSUME, LOG, PRODUCE, RELAY};

const SOON: Duration = Duration::from_secs(20);

pub(crate) const TESTS: &[Test] = &[
    ("queue::consumers_share_and_end", consumers_share_and_end),
    ("queue::a_bounded_queue_holds_producers_up", a_bounded_queue_holds_producers_up),
    ("queue::killed_producers_take_nothing_along", killed_producers_take_nothing_along),
    ("queue::a_killed_consumer_loses_one_item_at_most", a_killed_consumer_loses_one_item_at_most),
    ("queue::what_was_leased_comes_back", what_was_leased_comes_back),
    ("queue::deaths_at_any_moment_lose_nothing_else", deaths_at_any_moment),
    ("queue::a_queue_of_queues", a_queue_of_queues),
    ("queue::a_queue_outlives_its_first_handle", a_queue_outlives_its_first_handle),
    ("queue::a_log_queue_is_an_argument", a_log_queue_is_an_argument),
];

fn consumers_share_and_end(toolkit: &Toolkit) {
    let (tasks, results) = (Queue::unbounded().expect("a queue"), Queue::unbounded().expect("a queue"));
    let consumers: Vec<_> =
        (0..3).map(|_| toolkit.process(CONSUME, (tasks.clone(), results.clone()))).collect();
    consumers.iter().for_each(|consumer| consumer.start().expect("start"));
    (0..100).for_each(|n| tasks.put(n).expect("put"));
    (0..3).for_each(|_| tasks.put_end().expect("put"));
    let counted: u64 = consumers.iter().map(|consumer| consumer.join().expect("a count")).sum();
    assert_eq!(counted, 100);
    let mut items: Vec<_> = results.drain().expect("results").into_iter().map(|(_, n)| n).collect();
    items.sort_unstable();
    assert_eq!(items, (0..100).collect::<Vec<u64>>());
    assert!(tasks.is_empty().expect("empty"));
}

fn a_bounded_queue_holds_producers_up(toolkit: &Toolkit) {
    let queue = Queue::bounded(2).expect("a queue");
    let producer = toolkit.process(PRODUCE, (queue.clone(), 0..50, false));
    producer.start().expect("start");
    for n in 0..50 {
        assert_eq!(queue.get_timeout(SOON).expect("an item"), Some(n));
        assert!(queue.len().expect("len") <= 2);
    }
    producer.join().expect("it is through");
}

fn killed_producers_take_nothing_along(toolkit: &Toolkit) {
    let queue = Queue::unbounded().expect("a queue");
    let producers: Vec<_> =
        [true, false, true].map(|dies| toolkit.process(PRODUCE, (queue.clone(), 0..1000, dies))).into();
    producers.iter().for_each(|producer| producer.start().expect("start"));
    producers.iter().for_each(|producer| drop(producer.join()));
    let items = queue.drain().expect("items");
    assert_eq!(items.len(), 3000, "a dead producer's items are there, and the others'");
    assert_eq!(producers[0].exit_code(), Some(-9));
}

fn a_killed_consumer_loses_one_item_at_most(toolkit: &Toolkit) {
    let queue = Queue::unbounded().expect("a queue");
    (1..=3).for_each(|n| queue.put(n).expect("put"));
    let has = Event::new().expect("an event");
    let consumer = toolkit.process(CLUTCH, (queue.clone(), false, has.clone())).named("clutcher");
    consumer.start().expect("start");
    assert!(has.wait_timeout(SOON).expect("a wait"));
    consumer.kill();
    consumer.join().expect_err("it was killed");
    let losses = queue.losses().expect("losses");
    assert_eq!(losses.len(), 1);
    assert_eq!((losses[0].item, losses[0].worker.as_str()), (1, "clutcher"));
    assert_eq!(losses[0].cause, "killed by SIGKILL");
    assert_eq!(queue.drain().expect("the rest"), [2, 3]);
}

fn what_was_leased_comes_back(toolkit: &Toolkit) {
    let queue = Queue::unbounded().expect("a queue");
    (1..=3).for_each(|n| queue.put(n).expect("put"));
    let has = Event::new().expect("an event");
    let consumer = toolkit.process(CLUTCH, (queue.clone(), true, has.clone()));
    consumer.start().expect("start");
    assert!(has.wait_timeout(SOON).expect("a wait"));
    assert_eq!(queue.len().expect("len"), 2);
    consumer.kill();
    consumer.join().expect_err("it was killed");
    let first = queue.lease().expect("lease").expect("an item");
    assert_eq!((*first, first.earlier()), (1, 1));
    assert_eq!(first.done(), 1);
    assert_eq!(queue.losses().expect("losses"), []);
}

/// Producers and consumers are killed wherever they happen to be.
fn deaths_at_any_moment(toolkit: &Toolkit) {
    const ITEMS: u64 = 3000;
    let (tasks, results) = (Queue::bounded(16).expect("a queue"), Queue::unbounded().expect("a queue"));
    let consume = || {
        let consumer = toolkit.process(CONSUME, (tasks.clone(), results.clone()));
        consumer.start().expect("start");
        consumer
    };
    let mut consumers = vec![consume(), consume()];
    let steady = toolkit.process(PRODUCE, (tasks.clone(), 0..ITEMS, false));
    steady.start().expect("start");
    let mut random = SplitMix64::new(7);
    let mut killed = 0;
    while steady.is_alive() {
        let doomed = toolkit.process(PRODUCE, (tasks.clone(), ITEMS..u64::MAX, false));
        doomed.start().expect("start");
        steady.wait(Some(Duration::from_micros(10_000 + random.below(40_000))));
        doomed.kill();
        doomed.join().expect_err("it was killed");
        let victim = consumers.swap_remove(0);
        victim.kill();
        killed += usize::from(victim.join().is_err());
        consumers.push(consume());
    }
    steady.join().expect("it has put all of its items");
    tasks.close().expect("close");
    for consumer in &consumers {
        consumer.join().expect("a count");
    }
    let losses = tasks.losses().expect("losses");
    assert!(losses.len() <= killed, "{} items lost with {killed} consumers", losses.len());
    let had: Vec<u64> = results.drain().expect("results").into_iter().map(|(_, item)| item).collect();
    let steady: Vec<u64> = had.into_iter().filter(|item| *item < ITEMS).collect();
    let mut found: HashSet<u64> = steady.iter().copied().collect();
    assert_eq!(found.len(), steady.len(), "an item was handed out twice");
    found.extend(losses.into_iter().map(|loss| loss.item));
    assert!((0..ITEMS).all(|item| found.contains(&item)), "an item is neither there nor lost");
}

fn a_queue_of_queues(toolkit: &Toolkit) {
    let (queues, inner) = (Queue::unbounded().expect("a queue"), Queue::unbounded().expect("a queue"));
    let pool = toolkit.pool(2).start().expect("a pool");
    (0..4).for_each(|_| queues.put(inner.clone()).expect("put"));
    pool.map(RELAY, (0..4).map(|n| (queues.clone(), n))).expect("relayed");
    let relayed: HashSet<u64> = inner.drain().expect("items").into_iter().collect();
    assert_eq!(relayed, HashSet::from([0, 1, 2, 3]));
}

fn a_queue_outlives_its_first_handle(toolkit: &Toolkit) {
    let results = Queue::unbounded().expect("a queue");
    let tasks = Queue::unbounded().expect("a queue");
    (0..10).for_each(|n| tasks.put(n).expect("put"));
    tasks.close().expect("close");
    let consumer = toolkit.process(CONSUME, (tasks, results.clone()));
    consumer.start().expect("start");
    assert_eq!(consumer.join().expect("a count"), 10);
}

fn a_log_queue_is_an_argument(toolkit: &Toolkit) {
    let memory = Memory::new();
    let listener = Listener::builder().handler(memory.clone()).start().expect("a listener");
    let logs = LogQueue::new(listener.handle(), "info").expect("a log queue");
    let pool = toolkit.pool(3).start().expect("a pool");
    pool.map(LOG, (0..10).map(|n| (logs.clone(), n))).expect("logged");
    pool.finish();
    let report = listener.stop(SOON);
    assert!(report.is_complete(), "{report}");
    let records = memory.records();
    let messages: HashSet<_> = records.iter().map(|record| record.message.clone()).collect();
    assert_eq!(messages.len(), 10);
    assert!(records.iter().all(|record| record.process.starts_with("PoolWorker-")));
}
