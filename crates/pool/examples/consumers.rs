//! Several consumers share a queue of tasks, put their results on another, and end at an end marker each.
//!
//! It shows queues as arguments of processes; how tasks are divided among the consumers is left to chance.

use std::error::Error;

use gristmill_pool::{Function, Process, Queue, Registry, process_name};

/// Two numbers to multiply.
type Task = (u64, u64);

const CONSUME: Function<(Queue<Task>, Queue<String>), u64> = Function::new("consume");

fn consume((tasks, results): (Queue<Task>, Queue<String>)) -> gristmill_pool::Result<u64> {
    let mut count = 0;
    for task in tasks.iter() {
        let (a, b) = task?;
        results.put(format!("{}: {a} * {b} = {}", process_name(), a * b))?;
        count += 1;
    }
    Ok(count)
}

fn main() -> Result<(), Box<dyn Error>> {
    let toolkit = Registry::new().app("consumers").try_function(CONSUME, consume).enter()?;
    let tasks = Queue::unbounded()?;
    let results = Queue::unbounded()?;

    let number = 2 * std::thread::available_parallelism()?.get();
    println!("starting {number} consumers");
    let consumers: Vec<Process<u64>> =
        (0..number).map(|_| toolkit.process(CONSUME, (tasks.clone(), results.clone()))).collect();
    for consumer in &consumers {
        consumer.start()?;
    }

    for n in 0..10 {
        tasks.put((n, n))?;
    }
    // One marker for each of them, behind all tasks.
    for _ in &consumers {
        tasks.put_end()?;
    }
    for result in results.iter().take(10) {
        println!("{}", result?);
    }
    for consumer in &consumers {
        let count = consumer.join()?;
        println!("{consumer} after {count} tasks");
    }
    Ok(())
}
