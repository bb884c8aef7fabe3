//! A program with a command line of its own that runs a job over in-memory items and reads the pairs back.
//!
//! `jobs run-items EXECUTOR WORKERS CHUNK COUNT` prints one line for each pair.

use std::process::ExitCode;

use gristmill::{
    Emitter, Entered, ExecutorKind, Items, Job, Mapper, NoArgs, Result, RunOptions, Sum, map_fn,
};

/// The argument that asks for this program.
pub(crate) const COMMAND: &str = "run-items";

/// An item: something with a string in it, so that its size varies.
type Item = (u64, String);

/// Sums numbers by the length of their names.
pub(crate) fn job()
-> Job<impl Mapper<Input = Items<Item>, Key = usize, Value = u64>, gristmill::Shuffled<gristmill::Fold<Sum>>>
{
    Job::new(map_fn(|(number, name): Item, out: &mut Emitter<'_, usize, u64>| {
        out.count("items", 1);
        out.emit(&name.len(), number)
    }))
    .fold_with(Sum)
}

pub(crate) fn main(entered: &Entered) -> ExitCode {
    match run(entered) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(entered: &Entered) -> Result {
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    let [executor, workers, chunk, count] = &arguments[..] else {
        return Err("usage: run-items EXECUTOR WORKERS CHUNK COUNT".into());
    };
    let executor = match executor.as_str() {
        "inline" => ExecutorKind::Inline,
        "threads" => ExecutorKind::Threads,
        _ => ExecutorKind::Processes,
    };
    let count: u64 = count.parse()?;
    let items = (0..count).map(|n| (n, "x".repeat((n % 7) as usize)));
    let options = RunOptions::new().items(items).executor(executor).chunk_size(chunk.parse()?).partitions(3);
    let finished = entered.run("pairs-of-items", &NoArgs {}, options.workers(workers.parse()?))?;
    for pair in finished.pairs::<usize, u64>()? {
        let (len, sum) = pair?;
        println!("{len} {sum}");
    }
    println!("{} items in {} tasks", finished.counters().get("items"), finished.summary().map_tasks);
    // Asking for other types than the job's must be an error, not nonsense.
    match finished.pairs::<String, u64>() {
        Ok(_) => Err("pairs of other types were handed out".into()),
        Err(error) => {
            println!("{error}");
            Ok(())
        }
    }
}
