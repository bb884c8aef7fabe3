//! How much goes through a pool and a queue per second on this machine.
//!
//! It measures, and it checks nothing but the number of items. Build it with `--release`.

use std::error::Error;
use std::time::Instant;

use gristmill_pool::sync::Lock;
use gristmill_pool::{Function, Queue, Registry, Result};

const SQUARE: Function<u64, u64> = Function::new("square");
const PRODUCE: Function<(Queue<u64>, u64), ()> = Function::new("produce");
const CONSUME: Function<Queue<u64>, u64> = Function::new("consume");
const LOCK: Function<(Lock, u64), ()> = Function::new("lock");

fn timed<T>(what: &str, count: u64, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = work();
    let seconds = begun.elapsed().as_secs_f64();
    println!("{what}: {count} in {seconds:.3} s, {:.0} per second", count as f64 / seconds);
    result
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let toolkit = Registry::new()
        .app("throughput")
        .function(SQUARE, |x| x * x)
        .try_function(PRODUCE, |(queue, count)| Ok((0..count).try_for_each(|n| queue.put(n))?))
        .try_function(CONSUME, |queue| queue.iter().try_fold(0, |sum, item| Ok(sum + item?)))
        .try_function(LOCK, |(lock, times): (Lock, u64)| -> Result<()> {
            (0..times).try_for_each(|_| Ok(lock.acquire().map(drop)?))
        })
        .enter()?;
    let pool = toolkit.pool(2).start()?;
    pool.map(SQUARE, 0..100)?;

    let items = 200_000;
    let squares = timed("map, chunks of its own choice", items, || pool.map(SQUARE, 0..items))?;
    assert_eq!(squares.len() as u64, items);
    let few = 20_000;
    timed("map, one item at a time", few, || pool.calls(SQUARE).chunk_size(1).map(0..few))?;
    timed("apply", 5_000, || (0..5_000).try_for_each(|x| pool.apply(SQUARE, x).map(drop)))?;

    let queue = Queue::unbounded()?;
    let puts = 100_000;
    timed("put, unbounded", puts, || pool.apply(PRODUCE, (queue.clone(), puts)))?;
    queue.close()?;
    timed("get", puts, || pool.apply(CONSUME, queue))?;
    let bounded = Queue::bounded(64)?;
    let consumer = pool.submit(CONSUME, bounded.clone());
    timed("put and get, bounded", few, || pool.apply(PRODUCE, (bounded.clone(), few)))?;
    bounded.close()?;
    consumer.wait()?;
    timed("lock", few, || pool.apply(LOCK, (Lock::new()?, few)).map_err(Box::<dyn Error>::from))?;
    Ok(())
}
