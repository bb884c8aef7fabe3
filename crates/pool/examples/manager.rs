//! A dictionary, a list and a namespace that processes share, and what does and what does not change them.
//!
//! It shows the rule of updates: what a process gets is a copy, `update` changes what is shared.

use std::error::Error;

use gristmill_pool::manager::{Dict, List, Namespace};
use gristmill_pool::sync::Event;
use gristmill_pool::{Function, Registry, Result};

const SQUARE: Function<(Dict<u64, u64>, u64), ()> = Function::new("square");
const COUNT: Function<Dict<String, u64>, ()> = Function::new("count");
const PRODUCE: Function<(Namespace, Event), ()> = Function::new("produce");
const CONSUME: Function<(Namespace, Event), (String, Vec<u64>)> = Function::new("consume");
const GREET: Function<(List<String>, String), ()> = Function::new("greet");

fn produce((names, event): (Namespace, Event)) -> Result<()> {
    names.set("value", "this is the value")?;
    // This changes a copy and nothing else.
    let mut numbers: Vec<u64> = names.get("numbers")?.unwrap_or_default();
    numbers.push(4);
    // This changes what the others see.
    names.update("numbers", |numbers: Option<Vec<u64>>| {
        numbers.map(|numbers| numbers.into_iter().chain([5]).collect())
    })?;
    Ok(event.set()?)
}

fn consume((names, event): (Namespace, Event)) -> Result<(String, Vec<u64>)> {
    event.wait()?;
    Ok((names.get("value")?.unwrap_or_default(), names.get("numbers")?.unwrap_or_default()))
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let toolkit = Registry::new()
        .app("manager")
        .try_function(SQUARE, |(squares, n)| {
            squares.insert(&n, &(n * n))?;
            Ok(())
        })
        .try_function(COUNT, |counts| {
            counts.update(&"calls".to_owned(), |calls| Some(calls.unwrap_or(0) + 1))?;
            Ok(())
        })
        .try_function(GREET, |(list, name)| Ok(list.push(&format!("hello {name}"))?))
        .try_function(PRODUCE, produce)
        .try_function(CONSUME, consume)
        .enter()?;
    let pool = toolkit.pool(3).start()?;

    let squares = Dict::new()?;
    pool.map(SQUARE, (0..5).map(|n| (squares.clone(), n)))?;
    let mut entries = squares.entries()?;
    entries.sort_unstable();
    println!("squares: {entries:?}");

    let counts = Dict::new()?;
    pool.map(COUNT, (0..100).map(|_| counts.clone()))?;
    println!("calls: {:?}", counts.get(&"calls".to_owned())?);

    let greetings = List::new()?;
    for name in ["Ada", "Grace"] {
        pool.apply(GREET, (greetings.clone(), name.to_owned()))?;
    }
    println!("greetings: {:?}", greetings.to_vec()?);

    let (names, event) = (Namespace::new()?, Event::new()?);
    names.set("numbers", &vec![1u64, 2, 3])?;
    let consumer = pool.submit(CONSUME, (names.clone(), event.clone()));
    pool.apply(PRODUCE, (names, event))?;
    let (value, numbers) = consumer.wait()?;
    println!("value: {value}; numbers: {numbers:?}");
    Ok(())
}
