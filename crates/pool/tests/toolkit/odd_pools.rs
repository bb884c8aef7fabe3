//! Pools in less usual situations: odd iterators, values that do not travel, deaths of every kind.
//!
//! What pools do every day is tested in `pools`, how they and their workers end in `pool_ends`.

use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use gristmill_pool::{CallError, ErrorKind, Function, TaskCause, TaskError, Toolkit};
use serde_bytes::ByteBuf;

use crate::Test;
use crate::functions::{HANG, SQUARE};
use crate::odd_functions::{BYTES, ECHO, END, ENDS, MAKE, NEST, Picky};

const SOON: Duration = Duration::from_secs(20);

pub(crate) const TESTS: &[Test] = &[
    ("pool::odd_iterators", odd_iterators),
    ("pool::a_panic_of_the_iterator_is_the_caller_s", a_panic_of_the_iterator),
    ("pool::results_are_waited_for_with_a_limit", results_are_waited_for_with_a_limit),
    ("pool::workers_start_no_workers", workers_start_no_workers),
    ("pool::each_way_to_die_costs_one_item", each_way_to_die_costs_one_item),
    ("pool::what_does_not_travel_fails_alone", what_does_not_travel_fails_alone),
    ("pool::dying_over_the_codec_costs_one_item", dying_over_the_codec_costs_one_item),
    ("pool::a_hundred_megabytes_travel", a_hundred_megabytes_travel),
];

fn odd_iterators(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    assert!(pool.map_all(SQUARE, []).is_empty());
    assert!(pool.imap(SQUARE, []).next().is_none() && pool.imap_unordered(SQUARE, []).next().is_none());
    for size in [3, 11, usize::MAX] {
        let calls = || pool.calls(SQUARE).chunk_size(size);
        let expected: Vec<_> = (0..10).map(|x| x * x).collect();
        assert_eq!(calls().map(0..10).expect("squares"), expected);
        assert_eq!(calls().imap(0..10).collect::<Result<Vec<_>, _>>().expect("squares"), expected);
        let mut any = calls().imap_unordered(0..10).collect::<Result<Vec<_>, _>>().expect("squares");
        any.sort_unstable();
        assert_eq!(any, expected);
    }
    let taken = std::cell::Cell::new(0);
    let endless = (0..).inspect(|n| taken.set(n + 1));
    assert_eq!(pool.calls(SQUARE).chunk_size(7).imap(endless).take(50).filter(Result::is_ok).count(), 50);
    assert!(taken.get() < 100, "{} items were taken for 50 results", taken.get());
    let unknown = pool.map_all(Function::<u64, u64>::new("nobody"), 0..3);
    assert!(unknown.len() == 3 && unknown.iter().all(Result::is_err));
}

fn a_panic_of_the_iterator(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    let items = || (0..10).inspect(|n| assert_ne!(*n, 6, "as ordered"));
    panic::set_hook(Box::new(|_| {}));
    let all = panic::catch_unwind(AssertUnwindSafe(|| pool.map(SQUARE, items())));
    let some =
        panic::catch_unwind(AssertUnwindSafe(|| pool.imap(SQUARE, items()).filter(Result::is_ok).count()));
    drop(panic::take_hook());
    assert!(all.is_err() && some.is_err());
    assert_eq!(pool.apply(SQUARE, 3).expect("it goes on"), 9);
}

fn results_are_waited_for_with_a_limit(toolkit: &Toolkit) {
    let pool = toolkit.pool(1).start().expect("a pool");
    let mut results = pool.imap(HANG, [5, 0]);
    let first = results.next_timeout(SOON).expect("in time").expect("one").expect("no failure");
    assert_eq!(first, 5);
    let late = results.next_timeout(Duration::from_millis(20));
    assert!(matches!(late, Err(CallError::TimedOut)), "{late:?}");
    results.cancel();
    let last = results.next_timeout(SOON).expect("in time").expect("one");
    assert!(matches!(last, Err(TaskError { cause: TaskCause::Cancelled, .. })), "{last:?}");
    assert!(results.next_timeout(SOON).expect("in time").is_none());
    let mut pending = pool.submit(HANG, 0);
    assert!(!pending.is_ready());
    pending.cancel();
    assert!(pending.wait_timeout(SOON).expect("in time").is_err() && pending.is_ready());
}

fn workers_start_no_workers(toolkit: &Toolkit) {
    let pool = toolkit.pool(1).start().expect("a pool");
    let said = pool.apply(NEST, ()).expect("the worker lives on");
    assert_eq!(said, "a worker process cannot start workers of its own");
}

fn each_way_to_die_costs_one_item(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    for size in [1, 20] {
        let results = pool.calls(END).chunk_size(size).map_all(0..20);
        for (n, result) in (0..).zip(&results) {
            match result {
                Ok(value) => assert!(*value == n && !ENDS.contains(&n)),
                Err(error) => assert!(ENDS.contains(&n) && error.death().is_some(), "{error}"),
            }
        }
        let said = |n: usize| results[n].as_ref().expect_err("it died").to_string();
        assert!(said(2).contains("exited with status 0"), "{}", said(2));
        assert!(said(5).contains("SIGABRT"), "{}", said(5));
        assert!(said(17).contains("SIGKILL"), "{}", said(17));
        let overflow = results[11].as_ref().expect_err("it died").details();
        assert!(overflow.contains("overflowed its stack"), "{overflow}");
    }
}

fn what_does_not_travel_fails_alone(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    let failed = |results: &[Result<Picky, TaskError>]| -> Vec<(u64, String)> {
        assert!((10..).zip(results).all(|(n, result)| result.as_ref().map_or(true, |p| *p == Picky(n))));
        let errors = results.iter().filter_map(|result| result.as_ref().err());
        errors.map(|error| (error.index.expect("an index"), error.to_string())).collect()
    };
    for size in [1, 4, 9] {
        let arguments = || [10, 11, 12, 13, 14, 16, 17].map(Picky).into_iter();
        let calls = || pool.calls(ECHO).chunk_size(size);
        for mut results in [calls().map_all(arguments()), calls().imap(arguments()).collect()] {
            assert_eq!(results.len(), 7);
            results.insert(5, Ok(Picky(15)));
            let failed = failed(&results);
            assert_eq!(failed.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [3, 4]);
            assert!(failed[0].1.contains("13 does not travel"), "{}", failed[0].1);
            assert!(
                failed[1].1.contains("argument of `picky`: ") && failed[1].1.contains("14 does not arrive")
            );
        }
        let failed = failed(&pool.calls(MAKE).chunk_size(size).map_all(10..18));
        assert_eq!(failed.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [3, 4, 5]);
        assert!(failed[0].1.contains("result of `make`: ") && failed[0].1.contains("13 does not travel"));
        assert!(failed[1].1.contains("14 does not arrive") && failed[2].1.contains("nobody encodes me"));
    }
    let error = pool.apply(MAKE, 15).expect_err("it panics");
    assert_eq!(error.report().expect("a report").kind, ErrorKind::Panicked);
    let error = pool.map(ECHO, [Picky(1), Picky(13)]).expect_err("it is not sent");
    assert_eq!(error.index, Some(1));
}

fn dying_over_the_codec_costs_one_item(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    for size in [1, 4, 12] {
        let results = pool.calls(ECHO).chunk_size(size).map_all((16..28).map(Picky));
        for (n, result) in (16..).zip(&results) {
            match (n, result) {
                (20, Err(error)) => assert!(error.to_string().contains("SIGKILL"), "{error}"),
                (21, Err(error)) => assert!(error.to_string().contains("status 3"), "{error}"),
                (22, Err(error)) => assert!(error.to_string().contains("nobody decodes me"), "{error}"),
                (n, result) => assert_eq!(*result.as_ref().expect("the same"), Picky(n)),
            }
        }
    }
}

fn a_hundred_megabytes_travel(toolkit: &Toolkit) {
    let pool = toolkit.pool(2).start().expect("a pool");
    let big = ByteBuf::from(vec![7; 100 << 20]);
    assert!(pool.apply(BYTES, big.clone()).expect("the same") == big);
}
