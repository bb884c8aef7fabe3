//! Several processes change one file, each while it has the lock. One of them dies over it.
//!
//! It shows that a lock is free again when its holder is killed, and that the next holder is told.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use gristmill_pool::sync::Lock;
use gristmill_pool::{Function, Registry, Result, process_name};

type Work = (Lock, PathBuf);

const APPEND: Function<Work, Option<String>> = Function::new("append");
const DIE: Function<Work, Option<String>> = Function::new("die");

/// Appends a line in two steps, and says who died over the lock before.
fn append((lock, path): Work) -> Result<Option<String>> {
    let guard = lock.acquire()?;
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    write!(file, "{} was ", process_name())?;
    writeln!(file, "here")?;
    Ok(guard.abandoned().map(|last| format!("{} {}", last.worker, last.cause)))
}

fn die((lock, path): Work) -> Result<Option<String>> {
    let _guard = lock.acquire()?;
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    writeln!(file, "{} will not finish", process_name())?;
    std::process::abort()
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let toolkit = Registry::new().app("lock").try_function(APPEND, append).try_function(DIE, die).enter()?;
    let folder = tempfile::tempdir()?;
    let (lock, path) = (Lock::new()?, folder.path().join("lines"));

    let victim = toolkit.process(DIE, (lock.clone(), path.clone())).named("victim");
    victim.start()?;
    victim.wait(None);
    println!("{victim}");
    for _ in 0..3 {
        let process = toolkit.process(APPEND, (lock.clone(), path.clone()));
        process.start()?;
        match process.join()? {
            Some(death) => println!("{} was told: {death}", process.name()),
            None => println!("{} found nothing unusual", process.name()),
        }
    }
    print!("{}", std::fs::read_to_string(path)?);
    Ok(())
}
