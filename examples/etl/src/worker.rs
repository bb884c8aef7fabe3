//! What workers run: the preparation of the tables, and the tasks.
//!
//! A worker is connected only while it has one of the writers' permits. It tries again what the database itself calls
//! worth another try; the death of a worker is the parent's business.

use std::sync::OnceLock;

use gristmill_pool::sync::Permit;
use gristmill_pool::{Failure, Function, Result};
use serde::{Deserialize, Serialize};

use crate::Hook;
use crate::database::{Database, Fault};
use crate::extract::Task;
use crate::ledger::Outcome;
use crate::loader::{self, LoadError, Loaded};
use crate::plan::{Context, Plan};
use crate::tables;
use crate::transform::{Transformed, transform};

pub(crate) const SET_UP: Function<Plan, ()> = Function::new("set up");
pub(crate) const PREPARE: Function<(), ()> = Function::new("prepare");
pub(crate) const LOAD: Function<(u64, Task), Report> = Function::new("load");

/// How often a transaction is tried that ends in a deadlock, or waits too long for a lock.
const TRIES: u32 = 5;

/// What a worker tells of a task.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The number under which it was handed out.
    pub(crate) number: u64,
    /// As JSON, because it is kept like that in the database.
    pub(crate) outcome: Outcome,
    /// Entries for the quarantine.
    pub(crate) rejects: Vec<String>,
    /// It was in the database already.
    pub(crate) before: bool,
}

static CONTEXT: OnceLock<Context> = OnceLock::new();

/// What each worker does first.
pub(crate) fn set_up(plan: Plan) -> Result<()> {
    let context = Context::new(plan).map_err(Failure::new)?;
    CONTEXT.get_or_init(|| context);
    Ok(())
}

fn context() -> Result<&'static Context> {
    CONTEXT.get().ok_or_else(|| Failure::new("this worker was not set up"))
}

/// Makes the tables that are not there, and refuses those that are not as they should be.
pub(crate) fn prepare() -> Result<()> {
    let context = context()?;
    let prepared =
        connect(context).and_then(|(mut database, _permit)| tables::prepare(&mut *database, &context.schema));
    prepared.map_err(|error| Failure::new(error.to_string()))
}

/// In this order, because the connection has to end before the permit is given back.
fn connect(context: &Context) -> Result<(Box<dyn Database>, Permit), LoadError> {
    let limit = context.plan.task_timeout;
    let unable = |error| LoadError::Stop(format!("no writer was free within {limit:?}: {error}"));
    let permit = context.plan.writers.acquire_timeout(limit).map_err(unable)?;
    Ok((context.target.connect(context.plan.timeout)?, permit))
}

/// Reads, flattens, converts and inserts one task.
pub(crate) fn load((number, task): (u64, Task), hook: Hook) -> Result<Report> {
    let context = context()?;
    let source = context.source();
    let unable = |error: std::io::Error| Failure::new(format!("cannot read {source}: {error}"));
    let bytes = task.read(&context.plan.export).map_err(unable)?;
    let transformed = transform(context, &task, &bytes);
    if let (false, Some(refusal)) = (context.plan.quarantine, transformed.refusals.first()) {
        return Err(Failure::new(format!("{source}:{}: {}", refusal.place.line, refusal.error)));
    }
    match insert(context, &task, &bytes, &transformed, hook) {
        Ok(Loaded { outcome, rejects, before }) => Ok(Report { number, outcome, rejects, before }),
        Err(LoadError::Stop(error)) => Err(Failure::new(error)),
        Err(LoadError::Database(error)) => {
            let last = task.first_line + task.lines - 1;
            Err(Failure::new(format!("{source}, lines {} to {last}: {error}", task.first_line)))
        }
    }
}

fn insert(
    context: &Context,
    task: &Task,
    bytes: &[u8],
    transformed: &Transformed,
    hook: Hook,
) -> Result<Loaded, LoadError> {
    let mut tries = 1;
    loop {
        let (mut database, _permit) = connect(context)?;
        match loader::load(&mut *database, context, task, bytes, transformed, &hook) {
            Err(LoadError::Database(error)) if error.fault == Fault::Transient && tries < TRIES => {
                tries += 1;
                tracing::warn!("from line {} on, once more: {error}", task.first_line);
            }
            other => return other,
        }
    }
}
