//! Ten processes want a resource that three may use at once.
//!
//! It shows a semaphore and a list that processes share.

use std::error::Error;
use std::thread;
use std::time::Duration;

use gristmill_pool::manager::List;
use gristmill_pool::sync::Semaphore;
use gristmill_pool::{Function, Process, Queue, Registry, Result, process_name};

type Work = (Semaphore, List<String>, Queue<Vec<String>>);

const USE: Function<Work, ()> = Function::new("use the resource");

fn use_resource((semaphore, active, seen): Work) -> Result<()> {
    let _permit = semaphore.acquire()?;
    let name = process_name().to_owned();
    active.push(&name)?;
    seen.put(active.to_vec()?)?;
    thread::park_timeout(Duration::from_millis(20));
    active.remove(&name)?;
    Ok(())
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let toolkit = Registry::new().app("semaphore").try_function(USE, use_resource).enter()?;
    let (semaphore, active, seen) = (Semaphore::new(3)?, List::new()?, Queue::unbounded()?);
    let job = |n: usize| {
        let work = (semaphore.clone(), active.clone(), seen.clone());
        toolkit.process(USE, work).named(n.to_string())
    };
    let jobs: Vec<Process<()>> = (0..10).map(job).collect();
    for job in &jobs {
        job.start()?;
    }
    for job in &jobs {
        job.join()?;
    }
    for names in seen.drain()? {
        println!("now running: {names:?}");
    }
    println!("now running: {:?}", active.to_vec()?);
    Ok(())
}
