//! Pools: results in order, failures that cost one task, limits, hooks, cancellation.

use std::time::{Duration, Instant};

use gristmill_pool::manager::Dict;
use gristmill_pool::sync::Event;
use gristmill_pool::{Cause, ErrorKind, Function, TaskCause, Toolkit};

use crate::Test;
use crate::functions::{
    BIG, COUNT_AND_KILL_AT, FAIL_OR_HANG, HANG, KILL_AT, NAME, PANIC, PARSE, PID, REFUSE, REMEMBER, SQUARE,
};

const SOON: Duration = Duration::from_secs(20);

pub(crate) const TESTS: &[Test] = &[
    ("pool::map_is_the_same_as_a_loop", map_is_the_same_as_a_loop),
    ("pool::results_one_by_one", results_one_by_one),
    ("pool::an_error_comes_with_chain_place_and_backtrace", an_error_comes_with_chain),
    ("pool::a_panic_is_told", a_panic_is_told),
    ("pool::a_death_fails_one_task", a_death_fails_one_task),
    ("pool::a_death_repeats_nothing_that_was_done", a_death_repeats_nothing),
    ("pool::map_stops_the_siblings_of_a_failure", map_stops_the_siblings),
    ("pool::a_task_has_a_time_limit", a_task_has_a_time_limit),
    ("pool::workers_are_replaced_after_so_many_tasks", workers_are_replaced),
    ("pool::hooks_run_in_each_worker", hooks_run_in_each_worker),
    ("pool::a_pool_that_cannot_start_says_why", a_pool_that_cannot_start_says_why),
    ("pool::work_can_be_called_off", work_can_be_called_off),
    ("pool::large_arguments_and_results_travel", large_arguments_and_results_travel),
    ("pool::time_is_accounted_for", time_is_accounted_for),
    ("pool::wrong_handles_are_refused", wrong_handles_are_refused),
];

fn map_is_the_same_as_a_loop(toolkit: &Toolkit) {
    let pool = toolkit.pool(3).start().expect("a pool");
    let expected: Vec<u64> = (0..500).map(|x| x * x).collect();
    assert_eq!(pool.map(SQUARE, 0..500).expect("squares"), expected);
    for size in [1, 7, 1000] {
        assert_eq!(pool.calls(SQUARE).chunk_size(size).map(0..500).expect("squares"), expected);
    }
    assert!(pool.map(SQUARE, []).expect("nothing").is_empty());
    assert_eq!(pool.apply(SQUARE, 12).expect("one"), 144);
    assert!(pool.apply(NAME, ()).expect("a name").starts_with("PoolWorker-"));
}

fn results_one_by_one(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    let taken = std::cell::Cell::new(0);
    let endless = (0..).inspect(|n| taken.set(n + 1));
    let first: Vec<_> = pool.imap(SQUARE, endless).take(20).map(|result| result.expect("a square")).collect();
    assert_eq!(first, (0..20).map(|x| x * x).collect::<Vec<u64>>());
    assert!(taken.get() < 30, "{} items were taken for 20 results", taken.get());
    let mut all: Vec<_> = pool
        .calls(SQUARE)
        .chunk_size(3)
        .imap_unordered(0..100)
        .map(|result| result.expect("a square"))
        .collect();
    all.sort_unstable();
    assert_eq!(all, (0..100).map(|x| x * x).collect::<Vec<u64>>());
    let kinds: Vec<_> = pool.imap(PANIC, 9..12).map(|result| result.is_ok()).collect();
    assert_eq!(kinds, [true, false, true]);
}

fn an_error_comes_with_chain(toolkit: &Toolkit) {
    let pool = toolkit.pool(1).start().expect("a pool");
    let error = pool.map(PARSE, ["12".into(), "dozen".into()]).expect_err("no number");
    assert_eq!((error.function.as_str(), error.index), ("parse", Some(1)));
    assert_eq!(error.worker.as_deref(), Some("PoolWorker-1"));
    let report = error.report().expect("a report");
    assert_eq!(report.chain, ["invalid digit found in string"]);
    assert!(report.location.as_deref().is_some_and(|at| at.contains("functions.rs:")), "{report}");
    assert!(report.backtrace.contains("toolkit::functions::plain"), "{}", report.backtrace);
    let line = error.to_string();
    assert!(line.starts_with("`parse` of item 1 in PoolWorker-1 failed: invalid digit found"), "{line}");
    // The worker lives on.
    assert_eq!(pool.apply(PARSE, "13".into()).expect("a number"), 13);
}

fn a_panic_is_told(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    let results = pool.map_all(PANIC, 5..25);
    for (x, result) in (5..).zip(&results) {
        match result {
            Ok(value) => assert_eq!(*value, x),
            Err(error) => {
                let report = error.report().expect("a report");
                assert_eq!((report.kind, x % 10), (ErrorKind::Panicked, 0));
                assert_eq!(report.chain, [format!("{x} is a round number")]);
                assert!(report.location.is_some() && !report.backtrace.is_empty());
            }
        }
    }
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 2);
}

fn a_death_fails_one_task(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    for size in [1, 5, 40] {
        let results = pool.calls(KILL_AT).chunk_size(size).map_all((0..40).map(|x| (x, 17)));
        for (x, result) in (0..).zip(results) {
            match result {
                Ok(value) => assert!(value == x && x != 17),
                Err(error) => {
                    assert_eq!(x, 17, "{error}");
                    let death = error.death().expect("a death");
                    assert_eq!(death.cause, Cause::Signalled { signal: 9, core_dumped: false });
                    assert!(death.name.starts_with("PoolWorker-"));
                }
            }
        }
    }
}

fn a_death_repeats_nothing(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    for at in [0, 1, 30, 59] {
        let counts = Dict::new().expect("a dictionary");
        let items = (0..60).map(|x| (counts.clone(), x, at));
        let results = pool.calls(COUNT_AND_KILL_AT).chunk_size(60).map_all(items);
        assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
        let counts = counts.entries().expect("entries");
        assert!(counts.len() == 60 && counts.iter().all(|(_, count)| *count == 1), "{counts:?}");
    }
}

fn map_stops_the_siblings(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    let began = Event::new().expect("an event");
    let begun = Instant::now();
    let items = [true, false].map(|hangs| (hangs, began.clone(), began.clone()));
    let error = pool.map(FAIL_OR_HANG, items).expect_err("one fails");
    assert_eq!(error.index, Some(1));
    assert!(error.to_string().contains("as ordered"), "{error}");
    assert!(begun.elapsed() < SOON);
    // The one that hung was ended, and both slots work again.
    assert_eq!(pool.map(SQUARE, 0..10).expect("squares").len(), 10);
}

fn a_task_has_a_time_limit(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).task_timeout(Duration::from_millis(200)).start().expect("a pool");
    let results = pool.map_all(HANG, [3, 0, 2, 1]);
    assert!(matches!(&results[1], Err(error) if matches!(error.cause, TaskCause::TimedOut(_))));
    let good: Vec<_> = results.into_iter().filter_map(Result::ok).collect();
    assert_eq!(good, [3, 2, 1]);
    let error = pool.calls(HANG).timeout(Duration::from_millis(50)).map([0]).expect_err("it hangs");
    assert!(error.to_string().contains("was ended after its time limit of 50ms"), "{error}");
}

fn workers_are_replaced(toolkit: &Toolkit) {
    let pool = toolkit.pool(1).max_tasks_per_worker(2).start().expect("a pool");
    let pids = pool.calls(PID).chunk_size(5).map(0..6).expect("pids");
    assert!(pids.chunks(2).all(|pair| pair[0] == pair[1]), "{pids:?}");
    let mut different = pids;
    different.dedup();
    assert_eq!(different.len(), 3);
}

fn hooks_run_in_each_worker(toolkit: &Toolkit) {
    let (first, last) = (Dict::new().expect("a dictionary"), Dict::new().expect("a dictionary"));
    let pool = toolkit
        .pool(2)
        .init(REMEMBER, (first.clone(), "init".into()))
        .exit(REMEMBER, (last.clone(), "exit".into()))
        .start()
        .expect("a pool");
    let pids = pool.map(PID, 0..50).expect("pids");
    let stats = pool.finish();
    assert_eq!(stats.tasks(), 50);
    let begun: Vec<_> = first.entries().expect("entries").into_iter().map(|(pid, _)| pid).collect();
    assert!(pids.iter().all(|pid| begun.contains(pid)));
    let mut ended: Vec<_> = last.entries().expect("entries").into_iter().map(|(pid, _)| pid).collect();
    let mut expected = begun;
    expected.sort_unstable();
    ended.sort_unstable();
    assert_eq!(ended, expected);
}

fn a_pool_that_cannot_start_says_why(toolkit: &Toolkit) {
    let pool = toolkit.pool(1).init(REFUSE, ()).start().expect("a pool");
    let error = pool.map(SQUARE, 0..3).expect_err("no worker");
    assert!(matches!(error.cause, TaskCause::NoWorker(_)), "{error:?}");
    assert!(error.to_string().contains("I would rather not"), "{error}");
}

fn work_can_be_called_off(toolkit: &Toolkit) {
    let pool = toolkit.pool(1).start().expect("a pool");
    let mut pending = pool.submit(HANG, 0);
    assert!(pending.wait_timeout(Duration::from_millis(50)).is_none(), "it hangs");
    pending.cancel();
    let error = pending.wait().expect_err("called off");
    assert!(matches!(error.cause, TaskCause::Cancelled), "{error}");
    let canceller = pool.canceller();
    let waiting = pool.submit(HANG, 0);
    canceller.cancel_all();
    assert!(waiting.wait().is_err());
    // An iterator that is dropped calls off what it had under way.
    drop(pool.imap(HANG, [0, 0, 0]));
    assert_eq!(pool.apply(SQUARE, 3).expect("the pool goes on"), 9);
}

fn large_arguments_and_results_travel(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    let items: Vec<_> = [0, 70_000, 3 << 20].map(|len| vec![7; len]).into();
    assert_eq!(pool.map(BIG, items.clone()).expect("the same"), items);
}

fn time_is_accounted_for(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    pool.map(SQUARE, 0..20).expect("squares");
    let now = pool.stats();
    assert_eq!((now.tasks(), now.longest.len(), now.workers.len()), (20, 5, 2));
    let stats = pool.finish();
    let busy = stats.busy().expect("there was time");
    assert!(busy < 0.8, "starting takes longer than squaring: {busy}");
    assert!(stats.warning().expect("a warning").contains("% of their time only"));
    assert!(stats.workers.iter().all(|worker| worker.start > Duration::ZERO && worker.processes == 1));
    assert!(stats.to_string().contains("PoolWorker-2: "), "{stats}");
}

fn wrong_handles_are_refused(toolkit: &Toolkit) {
    let pool = toolkit.pool(1).start().expect("a pool");
    let error = pool.map(Function::<u8, u8>::new("square"), [1]).expect_err("other types");
    assert!(error.to_string().contains("registered with other types"), "{error}");
    let error = pool.apply(Function::<u8, u8>::new("cube"), 1).expect_err("unknown");
    assert!(error.to_string().contains("`cube` is not registered"), "{error}");
}
