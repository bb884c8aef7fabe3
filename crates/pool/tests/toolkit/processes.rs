//! Processes: names, states, exit statuses, restarts, daemons, families.

use std::path::Path;
use std::time::{Duration, Instant};

use gristmill_pool::manager::Dict;
use gristmill_pool::sync::Event;
use gristmill_pool::{ProcessState, Restart, StartError, Toolkit, join_all};

use crate::Test;
use crate::functions::{EXIT, FAIL_OR_HANG, FAMILY, FLAKY, HANG, NAME, PANIC, PARSE, SQUARE};
use crate::odd_functions::{ECHO, Picky};

const SOON: Duration = Duration::from_secs(20);
const MINUTE: Duration = Duration::from_secs(60);

pub(crate) const TESTS: &[Test] = &[
    ("process::each_end_has_its_status", each_end_has_its_status),
    ("process::names_are_given_or_made", names_are_given_or_made),
    ("process::a_process_starts_once", a_process_starts_once),
    ("process::a_failing_process_is_started_again", a_failing_process_is_started_again),
    ("process::restarts_are_capped", restarts_are_capped),
    ("process::one_that_was_killed_stays_dead", one_that_was_killed_stays_dead),
    ("process::daemons_end_with_the_toolkit", daemons_end_with_the_toolkit),
    ("process::children_of_children_end_too", children_of_children_end_too),
    ("process::joining_without_a_start", joining_without_a_start),
    ("process::what_is_started_again_has_not_failed", what_is_started_again_has_not_failed),
    ("process::the_first_failure_is_raised_at_once", the_first_failure_is_raised_at_once),
];

fn each_end_has_its_status(toolkit: &Toolkit) {
    let ok = toolkit.process(SQUARE, 12);
    let error = toolkit.process(PARSE, "x".into());
    let panics = toolkit.process(PANIC, 10);
    let exits = toolkit.process(EXIT, 3);
    let hangs = toolkit.process(HANG, 0);
    assert_eq!((ok.state(), ok.to_string()), (ProcessState::Initial, "<square, initial>".into()));
    for process in [&*ok, &*error, &*panics, &*exits, &*hangs] {
        assert_eq!(process.exit_code(), None);
    }
    ok.start().expect("start");
    assert_eq!(ok.join().expect("the result"), 144);
    assert_eq!((ok.exit_code(), ok.to_string()), (Some(0), "<Worker-1, stopped>".into()));
    error.start().expect("start");
    panics.start().expect("start");
    exits.start().expect("start");
    hangs.start().expect("start");
    assert!(error.join().expect_err("it fails").to_string().contains("invalid digit"));
    assert_eq!((error.exit_code(), error.to_string()), (Some(1), "<Worker-2, stopped[1]>".into()));
    assert!(panics.join().expect_err("it panics").to_string().contains("10 is a round number"));
    assert_eq!(panics.exit_code(), Some(101));
    assert!(exits.join().expect_err("no result").death().is_some());
    assert_eq!(exits.exit_code(), Some(3));
    assert!(hangs.join_timeout(Duration::from_millis(20)).is_none());
    assert_eq!(hangs.to_string(), "<Worker-5, started>");
    hangs.terminate();
    hangs.join().expect_err("it was terminated");
    assert_eq!((hangs.exit_code(), hangs.to_string()), (Some(-15), "<Worker-5, stopped[SIGTERM]>".into()));
}

fn names_are_given_or_made(toolkit: &Toolkit) {
    let named = toolkit.process(NAME, ()).named("a service/with a name");
    let other = toolkit.process(NAME, ());
    named.start().expect("start");
    other.start().expect("start");
    assert_eq!(named.join().expect("a name"), "a service/with a name");
    assert_eq!(other.join().expect("a name"), "Worker-2");
    let bad = toolkit.process(NAME, ()).named("a\0b").start();
    assert!(matches!(bad, Err(StartError::Name(_))), "{bad:?}");
}

fn a_process_starts_once(toolkit: &Toolkit) {
    let process = toolkit.process(SQUARE, 1);
    process.start().expect("start");
    let again = process.start().expect_err("once only");
    assert_eq!(again.to_string(), "Worker-1 has been started already");
    process.join().expect("the result");
}

fn a_failing_process_is_started_again(toolkit: &Toolkit) {
    let counts = Dict::new().expect("a dictionary");
    let restart = Restart::OnFailure { most: 5, within: MINUTE };
    let process = toolkit.process(FLAKY, (counts, 3)).restart(restart);
    process.start().expect("start");
    assert_eq!(process.join().expect("the third try"), 3);
    assert_eq!((process.starts(), process.exit_code()), (3, Some(0)));
}

fn restarts_are_capped(toolkit: &Toolkit) {
    let restart = Restart::OnFailure { most: 2, within: MINUTE };
    let process = toolkit.process(PARSE, "x".into()).restart(restart);
    process.start().expect("start");
    process.join().expect_err("it never works");
    assert_eq!(process.starts(), 3);
    let always = toolkit.process(SQUARE, 1).restart(Restart::Always { most: 1, within: MINUTE });
    always.start().expect("start");
    assert_eq!(always.join().expect("the second result"), 1);
    assert_eq!(always.starts(), 2);
}

fn one_that_was_killed_stays_dead(toolkit: &Toolkit) {
    let process = toolkit.process(HANG, 0).restart(Restart::Always { most: 9, within: MINUTE });
    process.start().expect("start");
    process.kill();
    assert!(process.wait(Some(MINUTE)));
    assert!(process.starts() <= 1 && !process.is_alive());
    let reason = process.death().expect("a death").sent_by_us;
    assert!(process.exit_code().is_none_or(|code| code == -9), "{reason:?}");
}

fn daemons_end_with_the_toolkit(toolkit: &Toolkit) {
    let begun = Instant::now();
    let own = toolkit.with_start_deadline(MINUTE);
    let daemon = own.process(HANG, 0).named("heartbeat").daemon();
    let worker = own.process(SQUARE, 3);
    daemon.start().expect("start");
    worker.start().expect("start");
    // What is left of both when the toolkit, of which each has a clone, is gone.
    let (ended_daemon, ended_worker) = ((*daemon).clone(), (*worker).clone());
    drop((own, daemon, worker));
    let (daemon, worker) = (ended_daemon, ended_worker);
    assert!(begun.elapsed() < MINUTE);
    // The other one was waited for, the daemon was not left to itself.
    assert_eq!((daemon.is_alive(), worker.is_alive(), worker.exit_code()), (false, false, Some(0)));
    assert!(daemon.death().is_some());
}

fn children_of_children_end_too(toolkit: &Toolkit) {
    let pool = toolkit.pool(1).start().expect("a pool");
    let child = pool.apply(FAMILY, ()).expect("a child");
    assert!(Path::new(&format!("/proc/{child}")).exists());
    pool.finish();
    let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
}

fn the_first_failure_is_raised_at_once(toolkit: &Toolkit) {
    let began = Event::new().expect("an event");
    let hangs = toolkit.process(FAIL_OR_HANG, (true, began.clone(), began.clone())).named("hangs");
    let fails = toolkit.process(FAIL_OR_HANG, (false, began.clone(), began)).named("fails");
    hangs.start().expect("start");
    fails.start().expect("start");
    let error = join_all([&*hangs, &*fails]).expect_err("one fails");
    assert_eq!((error.worker.as_deref(), error.index), (Some("fails"), None));
    assert!(error.details().contains("as ordered"), "{}", error.details());
    assert_eq!((hangs.exit_code(), fails.exit_code()), (Some(-15), Some(1)));
    let late = toolkit.process(PARSE, "x".into());
    late.start().expect("start");
    late.join().expect_err("no number");
    assert_eq!(join_all([&*late]).expect_err("it failed before").function, "parse");
}

fn joining_without_a_start(toolkit: &Toolkit) {
    let process = toolkit.process(SQUARE, 3);
    let early = process.join_timeout(SOON).expect("it is not there at all").expect_err("not started");
    assert!(early.to_string().contains("it was not started"), "{early}");
    process.terminate();
    process.kill();
    process.start().expect("neither has had an effect");
    assert_eq!(process.join().expect("a square"), 9);
    let error = toolkit.process(ECHO, Picky(13)).start().expect_err("it cannot be sent");
    assert_eq!(error.to_string(), "argument of `picky`: cannot encode: 13 does not travel");
}

fn what_is_started_again_has_not_failed(toolkit: &Toolkit) {
    let restart = Restart::OnFailure { most: 5, within: SOON };
    let flaky = toolkit.process(FLAKY, (Dict::new().expect("a dictionary"), 3)).restart(restart);
    let other = toolkit.process(HANG, 1);
    flaky.start().expect("start");
    other.start().expect("start");
    join_all([&*flaky, &*other]).expect("the third try is good");
    assert_eq!(flaky.join().expect("the third try"), 3);
}
