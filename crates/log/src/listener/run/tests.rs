//! Tests that take the thread's steps one by one, in the orders that a running thread meets once in a million.

use std::time::SystemTime;

use super::super::handle::QueueOptions;
use super::*;
use crate::{Endpoint, ListenerHandle, Memory};

fn run(memory: &Memory) -> (Run, ListenerHandle) {
    let options = QueueOptions {
        bytes: 4096,
        records: u64::MAX,
        patience: Duration::ZERO.into(),
        levels: "info".into(),
    };
    let (shared, inlet) =
        Shared::new("main".into(), options, std::collections::BTreeMap::new()).expect("channels");
    let handlers: Vec<Box<dyn crate::Handler>> = vec![Box::new(memory.clone())];
    let dispatch = Dispatch::new(handlers, "main".into(), SystemTime::now());
    (Run::new(Arc::clone(&shared), inlet, dispatch), ListenerHandle::new(shared))
}

fn endpoint(run: &mut Run, handle: &ListenerHandle) -> Endpoint {
    let endpoint = handle.endpoint("Worker-1", "info").expect("endpoint");
    run.obey();
    endpoint
}

fn record() -> Record {
    Record::new(Level::INFO, "t", "m")
}

/// Sleeps, and fails if that takes about as long as a sleep that nothing ends.
fn short_sleep(run: &mut Run) {
    let begin = Instant::now();
    run.sleep();
    assert!(begin.elapsed() < Duration::from_secs(5), "nothing woke the listener");
}

#[test]
fn a_record_that_comes_while_the_listener_falls_asleep_keeps_it_awake() {
    let memory = Memory::new();
    let (mut run, handle) = run(&memory);
    let producer = endpoint(&mut run, &handle).attach().expect("attach");
    short_sleep(&mut run); // the command's bell
    assert!(!run.pass());
    assert!(producer.submit(&record()), "no bell: the listener has not announced its sleep");
    short_sleep(&mut run);
    assert!(run.pass());
    assert_eq!(memory.records().len(), 1);
}

#[test]
fn a_process_that_ends_at_once_loses_nothing() {
    let memory = Memory::new();
    let (mut run, handle) = run(&memory);
    let producer = endpoint(&mut run, &handle).attach().expect("attach");
    short_sleep(&mut run); // the command's bell
    run.sources.iter().for_each(|source| source.ring().fall_asleep());
    assert!(producer.submit(&record()));
    drop(producer);
    // The bell and the end of the process come together, before its record is taken.
    run.wait();
    assert!(run.sources.iter().any(|source| source.closed));
    while run.pass() {}
    assert_eq!(memory.records().len(), 1);
    assert_eq!(run.sources.len(), 1, "the process is forgotten, the program's own queue is not");
}

#[test]
fn bells_do_not_pile_up_while_the_listener_is_busy() {
    let memory = Memory::new();
    let (mut run, handle) = run(&memory);
    let producer = endpoint(&mut run, &handle).attach().expect("attach");
    // Many more rounds than messages fit into a channel that nobody reads.
    for n in 1..=1000 {
        run.sources.iter().for_each(|source| source.ring().fall_asleep());
        assert!(producer.submit(&record()), "record {n}");
        run.sources.iter().for_each(|source| source.ring().wake_up());
        assert!(run.pass());
    }
    assert_eq!(memory.records().len(), 1000);
}
