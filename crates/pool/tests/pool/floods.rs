//! Much of everything: output, messages and log records that come faster or larger than anybody should send them.
//!
//! Nothing may hang, and the parent's memory stays bounded.

use crate::support::{own_peak, reset_own_peak, with_crew, with_listener};
use gristmill_log::Memory;
use gristmill_pool::Cause;

/// What a worker prints on standard error. A thousand takes a while without optimisation.
const STDERR_MIB: u64 = 64;

/// A very long message.
const LONG: usize = 100 << 20;

/// More log records than a worker could write to a disk in the time that it makes them in.
const BURST: u64 = 10_000;

#[test]
fn a_flood_on_stderr_is_bounded_and_its_end_is_kept() {
    let before = reset_own_peak();
    with_crew(
        "stderr",
        |_| {},
        |rig| {
            rig.start(0);
            rig.send(0, &format!("flood-stderr {STDERR_MIB}"));
            rig.send(0, "panic");
            let death = rig.death();
            assert_eq!(death.cause, Cause::Exited(101));
            assert!(death.stderr_tail.len() <= 8192 && death.stderr_tail.contains("told to panic"));
        },
    );
    let growth = own_peak() - before;
    assert!(growth < 16 << 20, "{growth} bytes");
}

#[test]
fn long_messages_go_both_ways_and_leave_no_file() {
    with_crew(
        "big",
        |_| {},
        |rig| {
            rig.start(0);
            for len in [1 << 20, LONG] {
                assert_eq!(rig.ask(0, &format!("big {len}")).len(), len);
                assert_eq!(rig.ask(0, &format!("len {}", "y".repeat(len))), (len + 4).to_string());
            }
        },
    );
}

#[test]
fn a_burst_of_log_records_is_delivered_or_counted() {
    let memory = Memory::new();
    let report = with_listener(memory.clone(), |rig| {
        rig.start(0);
        assert_eq!(rig.ask(0, &format!("log-burst {BURST}")), "logged");
        rig.send(0, "exit 0");
        assert_eq!(rig.death().cause, Cause::Exited(0));
    });
    let records = memory.records();
    let bursts = records.iter().filter_map(|record| record.message.strip_prefix("burst "));
    let numbers: Vec<u64> = bursts.map(|number| number.parse().expect("a number")).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "in order and each once");
    assert_eq!(numbers.len() as u64 + report.dropped, BURST, "{report}");
}
