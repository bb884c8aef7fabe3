//! The second stage of some work waits for the first, in processes that run beside each other.
//!
//! It shows a condition between processes.

use std::error::Error;

use gristmill_pool::sync::Condition;
use gristmill_pool::{Function, Queue, Registry, Result, join_all, process_name};

type Stage = (Condition, Queue<String>);

const STAGE_1: Function<Stage, ()> = Function::new("stage 1");
const STAGE_2: Function<Stage, ()> = Function::new("stage 2");

fn stage_1((condition, log): Stage) -> Result<()> {
    let guard = condition.lock()?;
    log.put(format!("{} is done", process_name()))?;
    guard.notify_all()?;
    Ok(())
}

fn stage_2((condition, log): Stage) -> Result<()> {
    let guard = condition.lock()?;
    log.put(format!("{} waits", process_name()))?;
    let _guard = guard.wait()?;
    Ok(log.put(format!("{} runs", process_name()))?)
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let toolkit = Registry::new()
        .app("condition")
        .try_function(STAGE_1, stage_1)
        .try_function(STAGE_2, stage_2)
        .enter()?;
    let (condition, log) = (Condition::new()?, Queue::unbounded()?);
    let second = [1, 2]
        .map(|n| toolkit.process(STAGE_2, (condition.clone(), log.clone())).named(format!("stage_2[{n}]")));
    let first = toolkit.process(STAGE_1, (condition.clone(), log.clone())).named("stage_1");
    for process in &second {
        process.start()?;
    }
    // Both say so with the lock in their hands, so the first stage can have it only when they wait.
    for line in log.iter().take(2) {
        println!("{}", line?);
    }
    first.start()?;
    join_all([&*first, &*second[0], &*second[1]])?;
    for line in log.drain()? {
        println!("{line}");
    }
    Ok(())
}
