//! How pools end and workers are replaced: in mid-work, for ever failing, under limits, killed at any moment.
//!
//! What they do meanwhile is tested in `pools` and `odd_pools`.

use std::time::{Duration, Instant};

use gristmill_pool::manager::Dict;
use gristmill_pool::{TaskCause, TaskError, Toolkit};
use rustix::process::{Pid, Signal, kill_process};
use serde_bytes::ByteBuf;

use crate::Test;
use crate::functions::{HANG, PID, SQUARE};
use crate::odd_functions::{BYTES, COUNT_AND_REFUSE};

const SOON: Duration = Duration::from_secs(20);

pub(crate) const TESTS: &[Test] = &[
    ("pool::blocked_tasks_do_not_hold_up_the_end", blocked_tasks_do_not_hold_up_the_end),
    ("pool::its_end_ends_endless_iterators", its_end_ends_endless_iterators),
    ("pool::finish_does_what_was_submitted", finish_does_what_was_submitted),
    ("pool::one_that_dies_idle_is_replaced", one_that_dies_idle_is_replaced),
    ("pool::a_failing_hook_is_not_tried_for_ever", a_failing_hook_is_not_tried_for_ever),
    ("pool::limits_may_be_forever", limits_may_be_forever),
    ("pool::quick_tasks_are_within_a_short_limit", quick_tasks_are_within_a_short_limit),
    ("pool::many_generations_of_workers", many_generations_of_workers),
    ("pool::several_threads_share_it", several_threads_share_it),
    ("pool::pools_leave_no_threads", pools_leave_no_threads),
    ("pool::deaths_at_any_moment_cost_one_item_each", deaths_at_any_moment),
];

fn blocked_tasks_do_not_hold_up_the_end(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    let tasks: Vec<_> = (0..5).map(|_| pool.submit(HANG, 0)).collect();
    let begun = Instant::now();
    drop(pool);
    assert!(begun.elapsed() < SOON);
    for task in tasks {
        let error = task.wait().expect_err("called off");
        assert!(matches!(error.cause, TaskCause::Cancelled), "{error}");
    }
}

fn its_end_ends_endless_iterators(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    let mut results = pool.imap(SQUARE, 0..);
    assert_eq!(results.next().expect("one").expect("a square"), 0);
    drop(pool);
    let rest: Vec<_> = results.take(1000).collect();
    assert!(rest.len() < 100, "an ended pool goes on failing for ever");
}

fn finish_does_what_was_submitted(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    let tasks: Vec<_> = (0..50).map(|x| pool.submit(SQUARE, x)).collect();
    pool.submit(SQUARE, 50).detach();
    assert_eq!(pool.finish().tasks(), 51);
    for (x, task) in (0..).zip(tasks) {
        assert_eq!(task.wait().expect("a square"), x * x);
    }
}

fn one_that_dies_idle_is_replaced(toolkit: &Toolkit) {
    let pool = toolkit.pool(1).start().expect("a pool");
    for _ in 0..3 {
        let pid = pool.apply(PID, 0).expect("a pid");
        let process = Pid::from_raw(pid as i32).expect("a pid");
        kill_process(process, Signal::KILL).expect("SIGKILL");
        assert_ne!(pool.apply(PID, 0).expect("another one's"), pid);
    }
}

fn a_failing_hook_is_not_tried_for_ever(toolkit: &Toolkit) {
    let starts = Dict::new().expect("a dictionary");
    let pool = toolkit.pool(1).init(COUNT_AND_REFUSE, starts.clone()).start().expect("a pool");
    for _ in 0..3 {
        let results = pool.map_all(SQUARE, 0..4);
        assert!(results.iter().all(|result| {
            matches!(result, Err(TaskError { cause: TaskCause::NoWorker(why), .. }) if why.contains("never"))
        }));
    }
    pool.finish();
    assert_eq!(starts.len().expect("len"), 3);
}

fn limits_may_be_forever(toolkit: &Toolkit) {
    let toolkit = toolkit.with_start_deadline(Duration::MAX);
    let pool = toolkit.pool(1).task_timeout(Duration::MAX).exit_limit(Duration::MAX).start().expect("a pool");
    assert_eq!(pool.calls(SQUARE).timeout(Duration::MAX).map(0..3).expect("squares"), [0, 1, 4]);
    let mut pending = pool.submit(SQUARE, 3);
    assert_eq!(pending.wait_timeout(Duration::MAX).expect("in time").expect("a square"), 9);
    let mut results = pool.imap(SQUARE, [4]);
    assert_eq!(results.next_timeout(Duration::MAX).expect("in time").expect("one").expect("a square"), 16);
    pool.finish();
    let process = toolkit.process(SQUARE, 5);
    process.start().expect("start");
    assert_eq!(process.join_timeout(Duration::MAX).expect("in time").expect("a square"), 25);
}

fn quick_tasks_are_within_a_short_limit(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).task_timeout(Duration::from_millis(500)).start().expect("a pool");
    let squares = pool.calls(SQUARE).chunk_size(100_000).map(0..200_000).expect("squares");
    assert!((0..).zip(squares).all(|(x, square)| square == x * x));
}

fn many_generations_of_workers(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).max_tasks_per_worker(7).start().expect("a pool");
    let expected: Vec<_> = (0..100).map(|x| x * x).collect();
    assert_eq!(pool.map(SQUARE, 0..100).expect("squares"), expected);
    let stats = pool.finish();
    assert_eq!(stats.tasks(), 100);
    assert!(stats.workers.iter().map(|worker| worker.processes).sum::<u32>() >= 15, "{stats}");
}

fn several_threads_share_it(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    std::thread::scope(|scope| {
        let sum = |from: u64| pool.map(SQUARE, from..from + 100).expect("squares").iter().sum::<u64>();
        let sums: Vec<_> = (0..4).map(|n| scope.spawn(move || sum(n * 100))).collect();
        let total: u64 = sums.into_iter().map(|sum| sum.join().expect("no panic")).sum();
        assert_eq!(total, (0..400).map(|x| x * x).sum::<u64>());
    });
}

/// Descriptors, children and files are looked at after every test; this one looks at threads.
fn pools_leave_no_threads(toolkit: &Toolkit) {
    let threads = || std::fs::read_dir("/proc/self/task").expect("/proc").count();
    let before = threads();
    for n in 0..10 {
        let pool = toolkit.pool(2).start().expect("a pool");
        pool.map(SQUARE, 0..10).expect("squares");
        if n % 2 == 0 {
            pool.finish();
        }
    }
    for _ in 0..1000 {
        if threads() <= before {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    panic!("{} threads, and {before} before", threads());
}

/// Workers are killed wherever they happen to be, with arguments and results under way that need several steps.
fn deaths_at_any_moment(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    let mut killed = 0;
    let mut failed = 0;
    for round in 0..6u64 {
        let victim = Pid::from_raw(pool.apply(PID, 0).expect("a pid") as i32).expect("a pid");
        let items: Vec<_> =
            (0..24).map(|n| ByteBuf::from(vec![n; 40_000 * usize::from(n % 3 + 1)])).collect();
        let results = std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::park_timeout(Duration::from_millis(round * 3));
                // It may be gone by itself.
                kill_process(victim, Signal::KILL).unwrap_or_default();
            });
            pool.calls(BYTES).chunk_size(5).map_all(items.clone())
        });
        killed += 1;
        for (item, result) in items.iter().zip(&results) {
            match result {
                Ok(bytes) => assert!(bytes == item),
                Err(error) => assert!(error.death().is_some(), "{error}"),
            }
        }
        failed += results.iter().filter(|result| result.is_err()).count();
    }
    assert!(failed <= killed, "{failed} items failed with {killed} deaths");
}
