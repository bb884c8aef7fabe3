//! What the listener's own process logs: one queue, in order, with levels of its own. Logging is installed once per
//! process, so this is one test.

mod support;

use std::time::Duration;

use gristmill_log::{InstallOwnError, Level, Listener, Memory, Record};
use support::Watchdog;

#[test]
fn events_and_submitted_records_of_one_process_keep_their_order() {
    let _watchdog = Watchdog::new();
    let memory = Memory::new();
    let builder = Listener::builder().name("Main").levels("info").expect("levels");
    let listener = builder.handler(memory.clone()).start().expect("listener");
    let handle = listener.handle();
    listener.install().expect("the first to install logging");

    for round in 0..100 {
        tracing::info!("event {round}");
        assert!(handle.submit(Record::new(Level::INFO, "t", format!("record {round}"))));
        log::warn!("logged {round}");
        tracing::debug!("below the level");
    }
    assert_eq!(handle.set_levels_of("Main", "debug").expect("levels"), 1, "one queue");
    tracing::debug!("above it");
    assert!(handle.sync(Duration::from_secs(60)));
    let records = memory.records();
    assert!(records.iter().all(|record| record.process == "Main"), "{records:?}");
    let mut expected: Vec<_> =
        (0..100).flat_map(|n| ["event", "record", "logged"].map(|kind| format!("{kind} {n}"))).collect();
    expected.push("above it".to_owned());
    assert_eq!(records.into_iter().map(|record| record.message).collect::<Vec<_>>(), expected);

    let second = Listener::builder().start().expect("listener");
    assert!(matches!(second.install(), Err(InstallOwnError::Install(_))));
    assert!(listener.stop(Duration::from_secs(5)).is_complete());
    assert!(!handle.submit(Record::new(Level::INFO, "t", "late")));
}
