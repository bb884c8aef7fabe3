//! A process for each way to end: with an error, in good order, with a value, with a panic, terminated.
//!
//! It shows names, states and exit statuses.

use std::error::Error;
use std::thread;

use gristmill_pool::{Failure, Function, Registry};

const EXIT_ERROR: Function<(), i32> = Function::new("exit_error");
const EXIT_OK: Function<(), i32> = Function::new("exit_ok");
const RETURN_VALUE: Function<(), i32> = Function::new("return_value");
const RETURN_ERROR: Function<(), i32> = Function::new("return_error");
const PANICS: Function<(), i32> = Function::new("panics");
const TERMINATED: Function<(), i32> = Function::new("terminated");

fn main() -> Result<(), Box<dyn Error>> {
    let toolkit = Registry::new()
        .app("exit_statuses")
        .function(EXIT_ERROR, |()| std::process::exit(3))
        .function(EXIT_OK, |()| std::process::exit(0))
        .function(RETURN_VALUE, |()| 1)
        .try_function(RETURN_ERROR, |()| Err(Failure::new("there was an error")))
        .function(PANICS, |()| panic!("there was a panic"))
        .function(TERMINATED, |()| {
            loop {
                thread::park();
            }
        })
        .enter()?;

    let functions = [EXIT_ERROR, EXIT_OK, RETURN_VALUE, RETURN_ERROR, PANICS, TERMINATED];
    let jobs = functions.map(|function| toolkit.process(function, ()).named(function.name()));
    for job in &jobs {
        println!("{job}");
        job.start()?;
    }
    jobs[5].terminate();
    for job in &jobs {
        let outcome = job.join();
        println!("{job}: exit code {:?}", job.exit_code());
        match outcome {
            Ok(value) => println!("    it returned {value}"),
            Err(error) => println!("    {error}"),
        }
    }
    Ok(())
}
