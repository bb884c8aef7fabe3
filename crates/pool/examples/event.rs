//! Two processes wait for an event, one for as long as it takes, the other for a moment only.
//!
//! It shows an event between processes.

use std::error::Error;
use std::time::Duration;

use gristmill_pool::sync::Event;
use gristmill_pool::{Function, Queue, Registry, Result, process_name};

type Waiting = (Event, Queue<String>, Option<Duration>);

const WAIT: Function<Waiting, bool> = Function::new("wait for the event");

fn wait((event, log, limit): Waiting) -> Result<bool> {
    log.put(format!("{} waits", process_name()))?;
    match limit {
        Some(limit) => Ok(event.wait_timeout(limit)?),
        None => {
            event.wait()?;
            Ok(true)
        }
    }
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let toolkit = Registry::new().app("event").try_function(WAIT, wait).enter()?;
    let (event, log) = (Event::new()?, Queue::unbounded()?);
    let moment = Some(Duration::from_millis(100));
    let block = toolkit.process(WAIT, (event.clone(), log.clone(), None)).named("block");
    let timeout = toolkit.process(WAIT, (event.clone(), log.clone(), moment)).named("non-block");
    block.start()?;
    timeout.start()?;
    for line in log.iter().take(2) {
        println!("{}", line?);
    }

    println!("{} found the event set: {}", timeout.name(), timeout.join()?);
    println!("the main process sets the event");
    event.set()?;
    println!("{} found the event set: {}", block.name(), block.join()?);
    Ok(())
}
