//! What the workers under test can do: useful things, and every way to fail.
//!
//! What is expected of them is said in the tests.

use std::ops::Range;
use std::process::Command;
use std::thread;
use std::time::Duration;

use gristmill_log::{Level, Record};
use gristmill_pool::manager::{Dict, List, Namespace};
use gristmill_pool::sync::{Condition, Event, Lock, Semaphore};
use gristmill_pool::{Failure, Function, LogQueue, Queue, Registry, process_name};

pub(crate) const SQUARE: Function<u64, u64> = Function::new("square");
pub(crate) const PARSE: Function<String, u64> = Function::new("parse");
/// Panics at multiples of ten.
pub(crate) const PANIC: Function<u64, u64> = Function::new("panic");
/// Kills its worker at that number.
pub(crate) const KILL_AT: Function<(u64, u64), u64> = Function::new("kill at");
/// The same, after it has counted the call.
pub(crate) const COUNT_AND_KILL_AT: Function<(Dict<u64, u32>, u64, u64), ()> =
    Function::new("count and kill at");
pub(crate) const EXIT: Function<i32, u8> = Function::new("exit");
pub(crate) const HANG: Function<u64, u64> = Function::new("hang");
/// Says that it began, then hangs if it should, otherwise fails once the others have begun.
pub(crate) const FAIL_OR_HANG: Function<(bool, Event, Event), u64> = Function::new("fail or hang");
pub(crate) const PID: Function<u64, u32> = Function::new("pid");
pub(crate) const NAME: Function<(), String> = Function::new("name");
pub(crate) const REMEMBER: Function<(Dict<u32, u32>, String), ()> = Function::new("remember");
pub(crate) const REFUSE: Function<(), ()> = Function::new("refuse");
pub(crate) const FLAKY: Function<(Dict<u8, u32>, u32), u32> = Function::new("flaky");
pub(crate) const FAMILY: Function<(), u32> = Function::new("family");
pub(crate) const BIG: Function<Vec<u8>, Vec<u8>> = Function::new("big");

/// Who had which item.
type Had = (String, u64);

pub(crate) const CONSUME: Function<(Queue<u64>, Queue<Had>), u64> = Function::new("consume");
pub(crate) const PRODUCE: Function<(Queue<u64>, Range<u64>, bool), ()> = Function::new("produce");
/// Takes one item, or borrows it, says so, and hangs.
pub(crate) const CLUTCH: Function<(Queue<u64>, bool, Event), ()> = Function::new("clutch");
pub(crate) const RELAY: Function<(Queue<Queue<u64>>, u64), ()> = Function::new("relay");

pub(crate) const HOLD: Function<(Lock, Event), ()> = Function::new("hold");
pub(crate) const NEXT_HOLDER: Function<Lock, Option<String>> = Function::new("next holder");
pub(crate) const COUNT: Function<(Lock, Namespace, u64), ()> = Function::new("count");
pub(crate) const CROWD: Function<(Semaphore, List<String>), usize> = Function::new("crowd");
pub(crate) const STAGE_2: Function<(Condition, Queue<String>), bool> = Function::new("stage 2");
pub(crate) const WAIT: Function<(Event, u64), bool> = Function::new("wait");
pub(crate) const ADD_ONE: Function<(Dict<String, u64>, u64), ()> = Function::new("add one");
pub(crate) const LOG: Function<(LogQueue, u64), ()> = Function::new("log");

pub(crate) fn hang() -> ! {
    loop {
        thread::park();
    }
}

pub(crate) fn die() -> ! {
    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).expect("SIGKILL");
    hang()
}

pub(crate) fn registry() -> Registry {
    let usual = shared(queues(plain(Registry::new().app("toolkit-test"))));
    crate::apps::register(crate::odd_functions::register(usual))
}

fn plain(registry: Registry) -> Registry {
    registry
        .function(SQUARE, |x| x * x)
        .try_function(PARSE, |text: String| Ok(text.parse()?))
        .function(PANIC, |x| if x % 10 == 0 { panic!("{x} is a round number") } else { x })
        .function(KILL_AT, |(x, at)| if x == at { die() } else { x })
        .try_function(COUNT_AND_KILL_AT, |(counts, x, at)| {
            counts.update(&x, |count| Some(count.unwrap_or(0) + 1))?;
            if x == at { die() } else { Ok(()) }
        })
        .function(EXIT, |status| std::process::exit(status))
        .function(HANG, |x| if x == 0 { hang() } else { x })
        .try_function(FAIL_OR_HANG, |(hangs, began, may_fail)| {
            if hangs {
                began.set()?;
                hang();
            }
            may_fail.wait()?;
            Err(Failure::new("as ordered"))
        })
        .function(PID, |_| std::process::id())
        .function(NAME, |()| process_name().to_owned())
        .try_function(REMEMBER, |(pids, _)| {
            pids.insert(&std::process::id(), &1)?;
            Ok(())
        })
        .try_function(REFUSE, |()| Err(Failure::new("I would rather not")))
        .try_function(FLAKY, |(counts, good_at)| {
            let tries = counts.update(&0, |tries| Some(tries.unwrap_or(0) + 1))?.unwrap_or(0);
            if tries < good_at { Err(Failure::new(format!("try {tries}"))) } else { Ok(tries) }
        })
        .try_function(FAMILY, |()| {
            let child = Command::new("sleep").arg("1000").spawn()?;
            Ok(child.id())
        })
        .function(BIG, |bytes| bytes)
}

fn queues(registry: Registry) -> Registry {
    registry
        .try_function(CONSUME, |(tasks, results)| {
            let mut count = 0;
            for task in tasks.iter() {
                results.put((process_name().into(), task?))?;
                count += 1;
            }
            Ok(count)
        })
        .try_function(PRODUCE, |(queue, mut items, dies): (Queue<u64>, Range<u64>, bool)| {
            items.try_for_each(|n| queue.put(n))?;
            if dies { die() } else { Ok(()) }
        })
        .try_function(CLUTCH, |(queue, borrows, has)| {
            if borrows {
                let _leased = queue.lease()?;
                has.set()?;
                hang();
            }
            queue.get()?;
            has.set()?;
            hang()
        })
        .try_function(RELAY, |(queues, n)| {
            let queue = queues.get()?.ok_or_else(|| Failure::new("no queue"))?;
            Ok(queue.put(n)?)
        })
        .try_function(LOG, |(logs, n)| {
            let producer = logs.attach()?;
            producer.submit(&Record::new(Level::INFO, "test", format!("record {n}")));
            Ok(())
        })
}

fn shared(registry: Registry) -> Registry {
    registry
        .try_function(HOLD, |(lock, has)| {
            let _guard = lock.acquire()?;
            has.set()?;
            hang()
        })
        .try_function(NEXT_HOLDER, |lock| {
            let guard = lock.acquire()?;
            Ok(guard.abandoned().map(|last| format!("{} {}", last.worker, last.cause)))
        })
        .try_function(COUNT, |(lock, names, times)| {
            for _ in 0..times {
                let _guard = lock.acquire()?;
                let count: u64 = names.get("count")?.unwrap_or(0);
                names.set("count", &(count + 1))?;
            }
            Ok(())
        })
        .try_function(CROWD, |(semaphore, active)| {
            let _permit = semaphore.acquire()?;
            let name = process_name().to_owned();
            active.push(&name)?;
            let crowd = active.len()?;
            thread::park_timeout(Duration::from_millis(5));
            active.remove(&name)?;
            Ok(crowd)
        })
        .try_function(STAGE_2, |(condition, log)| {
            let guard = condition.lock()?;
            log.put(format!("{} waits", process_name()))?;
            let (_guard, late) = guard.wait_timeout(Duration::from_secs(30))?;
            log.put(format!("{} runs", process_name()))?;
            Ok(!late)
        })
        .try_function(WAIT, |(event, millis)| Ok(event.wait_timeout(Duration::from_millis(millis))?))
        .try_function(ADD_ONE, |(dict, _)| {
            dict.update(&"sum".to_owned(), |sum| Some(sum.unwrap_or(0) + 1))?;
            Ok(())
        })
}
