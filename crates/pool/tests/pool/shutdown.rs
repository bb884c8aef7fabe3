//! The orderly end of a crew: polite first, bounded always, and nothing left afterwards.
//!
//! What single workers do wrong is the subject of `faults`.

use std::time::{Duration, Instant};

use crate::support::with_crew;
use gristmill_pool::{Cause, Grace, ShutdownReport};

const PATIENT: Grace = Grace { ask: Duration::from_secs(20), terminate: Duration::from_secs(20) };
const BRIEF: Grace = Grace { ask: Duration::from_millis(100), terminate: Duration::from_millis(100) };

#[test]
fn idle_workers_end_when_asked() {
    with_crew(
        "idle",
        |_| {},
        |rig| {
            rig.start(0);
            rig.start(1);
            assert_eq!(rig.crew.shutdown(PATIENT), ShutdownReport::default());
            for _ in 0..2 {
                assert_eq!(rig.death().cause, Cause::Exited(0));
            }
            assert!(rig.is_silent());
        },
    );
}

#[test]
fn a_busy_worker_is_terminated() {
    with_crew(
        "busy",
        |_| {},
        |rig| {
            rig.start(0);
            rig.send(0, "hang");
            let report = rig.crew.shutdown(Grace { ask: BRIEF.ask, ..PATIENT });
            assert_eq!((report.terminated, report.killed), (1, 0));
            let death = rig.death();
            assert_eq!((death.cause.signal(), death.sent_by_us.as_deref()), (Some(15), Some("shutdown")));
        },
    );
}

#[test]
fn a_deaf_worker_is_killed() {
    with_crew(
        "deaf",
        |_| {},
        |rig| {
            rig.start(0);
            assert_eq!(rig.ask(0, "ignore-sigterm"), "ignoring");
            let begun = Instant::now();
            let report = rig.crew.shutdown(BRIEF);
            assert!(begun.elapsed() < Duration::from_secs(5));
            assert_eq!((report.terminated, report.killed, report.abandoned.len()), (1, 1, 0));
            assert_eq!(rig.death().cause.signal(), Some(9));
        },
    );
}

#[test]
fn a_worker_that_hangs_at_its_start_does_not_hold_up_the_end() {
    with_crew(
        "hangs-early",
        |_| {},
        |rig| {
            rig.crew.spawn(0);
            let begun = Instant::now();
            rig.crew.shutdown(BRIEF);
            assert!(begun.elapsed() < Duration::from_secs(5));
            assert!(!rig.death().started);
        },
    );
}

#[test]
fn nothing_starts_after_the_end_and_a_second_end_is_empty() {
    with_crew(
        "after",
        |_| {},
        |rig| {
            rig.crew.shutdown(PATIENT);
            rig.crew.spawn(0);
            assert_eq!(rig.crew.shutdown(PATIENT), ShutdownReport::default());
            assert!(rig.is_silent());
        },
    );
}

#[test]
fn many_workers_start_and_end_together() {
    with_crew(
        "many",
        |_| {},
        |rig| {
            (0..16).for_each(|slot| rig.crew.spawn(slot));
            let report = rig.crew.shutdown(PATIENT);
            assert_eq!(report, ShutdownReport::default());
        },
    );
}

#[test]
fn a_worker_closed_before_its_hello_ends_by_itself() {
    with_crew(
        "closed-early",
        |_| {},
        |rig| {
            rig.crew.spawn(0);
            rig.crew.close(0);
            let death = rig.final_death();
            assert_eq!(death.cause, Cause::Exited(0), "{death}");
        },
    );
}
