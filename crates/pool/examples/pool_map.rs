//! The same calculation with a loop and with a pool of processes.
//!
//! It shows `map`, and where the time of the workers went. With so little work the loop is faster.

use std::error::Error;
use std::time::Instant;

use gristmill_pool::{Function, Registry, process_name};

const DOUBLE: Function<u64, u64> = Function::new("double");
const WHO: Function<u64, String> = Function::new("who");

fn double(x: u64) -> u64 {
    x * 2
}

fn main() -> Result<(), Box<dyn Error>> {
    let toolkit = Registry::new()
        .app("pool_map")
        .function(DOUBLE, double)
        .function(WHO, |_| process_name().to_owned())
        .enter()?;
    let inputs: Vec<u64> = (0..10).collect();
    println!("input:    {inputs:?}");

    let begun = Instant::now();
    let built_in: Vec<u64> = inputs.iter().copied().map(double).collect();
    println!("built-in: {built_in:?}");
    eprintln!("the loop took {:.2?}", begun.elapsed());

    let size = 2 * std::thread::available_parallelism()?.get();
    let pool = toolkit.pool(size).start()?;
    let begun = Instant::now();
    let outputs = pool.map(DOUBLE, inputs)?;
    println!("pool:     {outputs:?}");
    eprintln!("the pool took {:.2?}, the start of its workers included", begun.elapsed());

    let mut workers = pool.calls(WHO).chunk_size(1).map(0..100)?;
    workers.sort_unstable();
    workers.dedup();
    println!("{size} workers, of whom at least one has a name such as {}", workers[0]);
    let stats = pool.finish();
    eprintln!("{stats}");
    if let Some(warning) = stats.warning() {
        eprintln!("{warning}");
    }
    Ok(())
}
