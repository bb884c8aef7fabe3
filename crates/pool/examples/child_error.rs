//! Two tasks run beside each other. One fails: its error is raised in the parent at once, and the other is stopped.
//!
//! It shows the same for a pool's `map` and for processes of their own.

use std::error::Error;
use std::fs;
use std::thread;

use gristmill_pool::sync::Event;
use gristmill_pool::{Function, Registry, Result, join_all};
use thiserror::Error;

/// Whether to fail, and what says that the other one is at work.
type Task = (bool, Event);

const TASK: Function<Task, u64> = Function::new("export users");

#[derive(Debug, Error)]
#[error("cannot export user 2")]
struct Export(#[source] std::io::Error);

fn task((fails, at_work): Task) -> Result<u64> {
    if fails {
        at_work.wait()?;
        fs::read("/nonexistent/users.json").map_err(Export)?;
    }
    at_work.set()?;
    loop {
        thread::park();
    }
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let toolkit = Registry::new().app("child_error").try_function(TASK, task).enter()?;

    let pool = toolkit.pool(2).start()?;
    let at_work = Event::new()?;
    if let Err(error) = pool.map(TASK, [false, true].map(|fails| (fails, at_work.clone()))) {
        println!("raised by the pool: {error}");
        if let Some(report) = error.report() {
            println!("    the chain has {} parts: {}", report.chain.len(), report.chain.join(" <- "));
            println!("    the place is known: {}", report.location.is_some());
            println!("    the backtrace names the function: {}", report.backtrace.contains("task"));
        }
    }

    let at_work = Event::new()?;
    let good = toolkit.process(TASK, (false, at_work.clone())).named("good");
    let bad = toolkit.process(TASK, (true, at_work)).named("bad");
    good.start()?;
    bad.start()?;
    if let Err(error) = join_all([&*good, &*bad]) {
        println!("raised by a process: {error}");
    }
    println!("{good} {bad}");
    Ok(())
}
