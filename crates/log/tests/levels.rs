//! What workers send: levels that are changed while they run, and records that a full queue has no room for.
//!
//! How directives decide is tested in the library.

mod support;

use std::time::{Duration, Instant};

use gristmill_log::{Level, Listener, Memory, Patience, Record};
use support::{Function, Watchdog, Worker, wait_until};

fn messages(memory: &Memory) -> Vec<String> {
    memory.records().into_iter().map(|record| record.message).collect()
}

#[test]
fn levels_are_changed_in_running_workers() {
    let _watchdog = Watchdog::new();
    let memory = Memory::new();
    let listener = Listener::builder().handler(memory.clone()).start().expect("listener");
    let handle = listener.handle();
    let mut workers: Vec<_> =
        ["Worker-1", "Worker-2"].iter().map(|name| Worker::start(&handle, name, "info", &["echo"])).collect();
    let mut say =
        |message: &str| workers.iter_mut().for_each(|worker| assert_eq!(worker.ask(message), "done"));
    for target in ["main", "log"] {
        say(&format!("debug {target} too-early"));
    }
    handle.set_levels("debug,chatty=info").expect("levels");
    say("debug main from-both");
    say("debug log from-both");
    say("debug chatty from-nobody");
    handle.set_levels("info,log_fixture=warn,chatty=debug").expect("levels");
    say("debug main from-nobody");
    say("debug chatty from-both");
    handle.set_levels("debug,chatty=info").expect("levels");
    say("debug chatty from-nobody");
    assert_eq!(handle.set_levels_of("Worker-2", "warn").expect("levels"), 1);
    say("debug main from-one");
    say("info main from-one");
    assert!(handle.sync(Duration::from_secs(60)));
    let mut got = messages(&memory);
    got.sort();
    let expected = [["from-both"; 6].as_slice(), &["from-one"; 2]].concat();
    assert_eq!(got, expected);
    workers.iter_mut().for_each(Worker::join);

    let mut late = Worker::start(&handle, "Worker-3", "error", &["echo"]);
    assert_eq!(late.ask("debug main late"), "done");
    late.join();
    assert!(listener.stop(Duration::from_secs(5)).is_complete());
    assert_eq!(
        messages(&memory).last().map(String::as_str),
        Some("late"),
        "a process that comes later is told, too"
    );
}

#[test]
fn levels_that_make_no_sense_change_nothing() {
    let listener = Listener::builder().start().expect("listener");
    let handle = listener.handle();
    let error = handle.set_levels("a=b=c").expect_err("nonsense").to_string();
    assert_eq!(error, "log level directives `a=b=c` are invalid");
    let error = handle.set_levels(&"long,".repeat(300)).expect_err("too long").to_string();
    assert_eq!(
        error,
        "log level directives are 1500 bytes long, and running processes can be told 1024 at most"
    );
    assert_eq!(handle.endpoint("Worker-1", "warn").expect("endpoint").name(), "Worker-1");
}

#[test]
fn what_a_full_queue_costs_depends_on_the_level() {
    let _watchdog = Watchdog::new();
    let memory = Memory::new();
    let (go, stalled) = std::sync::mpsc::channel::<()>();
    let stall = Function(move |_: &Record| {
        // Ends when the test drops its side.
        let _ended = stalled.recv();
        Ok(())
    });
    let patience = Patience::new(Duration::from_secs(60)).level(Level::DEBUG, Duration::ZERO);
    let listener = Listener::builder()
        .queue_records(10)
        .patience(patience)
        .handler(stall)
        .handler(memory.clone())
        .start()
        .expect("listener");
    let producer =
        listener.handle().endpoint("Worker-1", "trace").expect("endpoint").attach().expect("attach");
    let record = |level| Record::new(level, "t", "m");
    let begin = Instant::now();
    wait_until("a full queue", || !producer.submit(&record(Level::DEBUG)));
    assert!(!producer.submit(&record(Level::DEBUG)));
    assert!(begin.elapsed() < Duration::from_secs(30), "no wait for what is dropped at once");
    std::thread::scope(|scope| {
        let important = scope.spawn(|| producer.submit(&record(Level::ERROR)));
        // It holds the queue while it waits for room; what is not to wait does not wait for it either.
        let begin = Instant::now();
        (0..100).for_each(|_| assert!(!producer.submit(&record(Level::DEBUG))));
        assert!(begin.elapsed() < Duration::from_secs(30));
        drop(go);
        assert!(important.join().expect("no panic"), "it waited for room");
    });
    drop(producer);
    let report = listener.stop(Duration::from_secs(5));
    let gaps: u64 = memory
        .records()
        .iter()
        .filter(|record| record.sequence == 0)
        .map(|gap| {
            gap.message.split(' ').next().and_then(|number| number.parse::<u64>().ok()).expect("a number")
        })
        .sum();
    assert_eq!(gaps, report.dropped, "{report}");
    let records = memory.records().iter().filter(|record| record.sequence > 0).count();
    assert!((10..=12).contains(&records), "{records}");
}
