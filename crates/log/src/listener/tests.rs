//! Tests of the listener that need to look behind the endpoint: damaged queues.
//!
//! What can be tested from outside is in the crate's `tests` folder.

use std::thread;
use std::time::Duration;

use super::*;
use crate::{Level, Memory, Record};

fn listener(memory: &Memory) -> Listener {
    Listener::builder().handler(memory.clone()).start().expect("listener")
}

#[test]
fn a_ring_full_of_garbage_is_dropped_and_the_others_go_on() {
    let memory = Memory::new();
    let listener = listener(&memory);
    let handle = listener.handle();
    for garbage in [1, 2, 77, u64::MAX / 2, u64::MAX] {
        let endpoint = handle.endpoint("Broken", "info").expect("endpoint");
        endpoint.ring.scribble(|_| garbage);
    }
    let endpoint = handle.endpoint("Broken", "info").expect("endpoint");
    endpoint.ring.scribble(|at| (at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    assert!(handle.submit(Record::new(Level::INFO, "t", "still here")));
    drop(endpoint);
    let report = listener.stop(Duration::from_secs(10));
    assert!(report.finished && report.damaged >= 4, "{report}");
    let records = memory.records();
    assert!(records.iter().any(|record| record.message == "still here"));
    let told =
        records.iter().find(|record| record.message.contains("damaged and dropped")).expect("a report");
    assert_eq!((told.process.as_str(), told.level), ("Broken", Level::ERROR));
}

#[test]
fn an_endpoint_that_is_never_used_is_forgotten() {
    let memory = Memory::new();
    let listener = listener(&memory);
    let count = || listener.shared.queues().len();
    let endpoint = listener.handle().endpoint("Worker-1", "info").expect("endpoint");
    let until = Instant::now() + Duration::from_secs(10);
    let wait_for = |rings| {
        while count() != rings {
            assert!(Instant::now() < until, "{} rings", count());
            thread::park_timeout(Duration::from_millis(1));
        }
    };
    wait_for(2);
    drop(endpoint);
    wait_for(1);
    assert!(listener.stop(Duration::from_secs(2)).is_complete());
}

#[test]
fn a_second_process_cannot_use_an_endpoint() {
    let memory = Memory::new();
    let listener = listener(&memory);
    let first = listener.handle().endpoint("Worker-1", "info").expect("endpoint");
    let second = crate::Endpoint {
        name: first.name.clone(),
        directives: String::new(),
        ring: first.ring.clone(),
        bell: first.bell.clone(),
        patience: Duration::ZERO.into(),
        most: u64::MAX,
    };
    let producer = first.attach().expect("attach");
    let error = second.attach().expect_err("in use").to_string();
    assert_eq!(error, format!("the log endpoint of Worker-1 is in use by process {}", std::process::id()));
    drop(producer);
}

#[test]
fn what_the_program_holds_can_go_to_any_thread() {
    fn shared<T: Send + Sync + Clone>() {}
    fn sent<T: Send>() {}
    shared::<ListenerHandle>();
    sent::<crate::Endpoint>();
    sent::<Listener>();
    sent::<crate::Producer>();
}

#[test]
fn directives_are_checked_where_they_are_given() {
    let memory = Memory::new();
    let listener = listener(&memory);
    let handle = listener.handle();
    for good in ["info", "off", "", "warn,mycrate=debug,noisy=off", "mycrate::part=trace"] {
        assert!(handle.endpoint("Worker-1", good).is_ok(), "{good:?}");
    }
    for bad in ["mycrate=loud", "a=b=c"] {
        assert!(handle.endpoint("Worker-1", bad).is_err(), "{bad:?}");
    }
}
