//! What the workers under test can do when things go wrong in less usual ways.
//!
//! What is expected of them is said in the tests.

use std::thread;
use std::time::Duration;

use gristmill_pool::manager::{Dict, Namespace};
use gristmill_pool::sync::{Condition, Event, Lock, Semaphore};
use gristmill_pool::worker::is_worker;
use gristmill_pool::{CallError, Failure, Function, Queue, Registry};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteBuf;

use crate::functions::{die, hang};

/// Cannot be encoded at 13, cannot be decoded at 14, and panics when it is encoded at 15. In a worker, 20 to 22 end the
/// process or panic: when they are encoded, when they are decoded, when they are decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picky(pub(crate) u64);

impl Serialize for Picky {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert_ne!(self.0, 15, "nobody encodes me");
        if self.0 == 20 && is_worker() {
            die();
        }
        if self.0 == 13 {
            return Err(S::Error::custom("13 does not travel"));
        }
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Picky {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            14 => Err(D::Error::custom("14 does not arrive")),
            21 if is_worker() => std::process::exit(3),
            22 if is_worker() => panic!("nobody decodes me"),
            n => Ok(Self(n)),
        }
    }
}

pub(crate) const ECHO: Function<Picky, Picky> = Function::new("picky");
pub(crate) const MAKE: Function<u64, Picky> = Function::new("make");
/// Dies in the way of that number, or gives it back.
pub(crate) const END: Function<u64, u64> = Function::new("end");
pub(crate) const NEST: Function<(), String> = Function::new("nest");
pub(crate) const BYTES: Function<ByteBuf, ByteBuf> = Function::new("bytes");
pub(crate) const COUNT_AND_REFUSE: Function<Dict<u32, u32>, ()> = Function::new("count and refuse");
pub(crate) const FETCH: Function<(Queue<u64>, u64), Option<u64>> = Function::new("fetch");
pub(crate) const STUFF: Function<(Queue<u64>, u64), bool> = Function::new("stuff");
pub(crate) const PUT_BYTES: Function<(Queue<ByteBuf>, u64), ()> = Function::new("put bytes");
/// Four threads pass the items on, and one that is left behind does so with the next.
pub(crate) const CROWD_OF_THREADS: Function<(Queue<u64>, Queue<u64>, Lock), u64> =
    Function::new("crowd of threads");
/// Takes the lock once it can, says whether somebody had died with it, and lets go.
pub(crate) const TELL: Function<(Lock, Event), bool> = Function::new("tell");
pub(crate) const HOLD_PERMIT: Function<(Semaphore, Event), ()> = Function::new("hold permit");
/// Waits until the number under `stage` is this one; whether it was in time.
pub(crate) const STAGE: Function<(Condition, Namespace, u64, Event), bool> = Function::new("stage");
pub(crate) const SET_AND_DIE: Function<Dict<String, u64>, ()> = Function::new("set and die");

/// Ways to end for [`END`].
pub(crate) const ENDS: [u64; 4] = [2, 5, 11, 17];

fn overflow(depth: u64) -> u64 {
    let here = std::hint::black_box([depth; 512]);
    if depth == u64::MAX { here[0] } else { overflow(depth + 1).wrapping_add(here[511]) }
}

pub(crate) fn register(registry: Registry) -> Registry {
    shared(queues(registry))
        .function(ECHO, |picky| picky)
        .function(MAKE, Picky)
        .function(END, |way| match way {
            2 => std::process::exit(0),
            5 => std::process::abort(),
            11 => overflow(0),
            17 => die(),
            n => n,
        })
        .function(NEST, |()| match Registry::new().function(NEST, |()| String::new()).enter() {
            Ok(_) => "a toolkit in a worker".into(),
            Err(error) => error.to_string(),
        })
        .function(BYTES, |bytes| bytes)
        .try_function(COUNT_AND_REFUSE, |starts| {
            starts.insert(&std::process::id(), &1)?;
            Err(Failure::new("never"))
        })
}

fn queues(registry: Registry) -> Registry {
    registry
        .try_function(FETCH, |(queue, millis)| match queue.get_timeout(Duration::from_millis(millis)) {
            Err(CallError::TimedOut) => Ok(None),
            other => Ok(other?),
        })
        .try_function(STUFF, |(queue, n)| match queue.put_timeout(n, Duration::from_millis(20)) {
            Err(CallError::TimedOut) => Ok(false),
            other => Ok(other.map(|()| true)?),
        })
        .try_function(CROWD_OF_THREADS, |(queue, results, lock)| {
            let pass_on = || -> Result<u64, CallError> {
                let mut count = 0;
                while let Some(item) = queue.get()? {
                    drop(lock.acquire()?);
                    results.put(item)?;
                    count +=
                        u64::from(queue.get_timeout(Duration::ZERO).map_or(Ok(0), |more| match more {
                            Some(more) => results.put(more).map(|()| 1u8),
                            None => queue.put_end().map(|()| 0),
                        })?) + 1;
                }
                Ok(count)
            };
            let counts = thread::scope(|scope| {
                let threads: Vec<_> = (0..4).map(|_| scope.spawn(pass_on)).collect();
                threads
                    .into_iter()
                    .map(|thread| thread.join().expect("no panic"))
                    .collect::<Result<Vec<_>, _>>()
            })?;
            thread::spawn(move || queue.get().and_then(|item| item.map_or(Ok(()), |item| results.put(item))));
            Ok(counts.iter().sum())
        })
        .try_function(PUT_BYTES, |(queue, len)| Ok(queue.put(ByteBuf::from(vec![7; len as usize]))?))
}

fn shared(registry: Registry) -> Registry {
    registry
        .try_function(TELL, |(lock, begun)| {
            begun.set()?;
            Ok(lock.acquire()?.abandoned().is_some())
        })
        .try_function(HOLD_PERMIT, |(semaphore, has)| {
            let _permit = semaphore.acquire()?;
            has.set()?;
            hang()
        })
        .try_function(STAGE, |(condition, names, stage, waits)| {
            let guard = condition.lock()?;
            waits.set()?;
            let is_there = || matches!(names.get::<u64>("stage"), Ok(Some(now)) if now == stage);
            Ok(guard.wait_until(Duration::from_secs(30), is_there)?.1)
        })
        .try_function(SET_AND_DIE, |dict| {
            dict.insert(&"left".to_owned(), &7)?;
            die()
        })
}
