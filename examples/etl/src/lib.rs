//! An ETL pipeline: documents from a JSON-lines export of a document database, flattened to a relational shape, converted
//! and inserted into SQL tables by worker processes.
//!
//! ```text
//!  parent                                  │  workers                                             │  database
//! ─────────────────────────────────────────┼──────────────────────────────────────────────────────┼──────────
//!  extract: where each task begins ── task ►│─► transform (flatten, convert)                        │
//!                                          │    │                                                 │
//!  writers: a semaphore ◄──── permit ─────►│    └─► loader: claim, INSERT in batches, complete ───►│ one
//!  totals, quarantine ◄────── report ──────│◄───────── commit                                     │ transaction
//! ```
//!
//! * **A task** is a block of lines, cut at the same places whatever the number of workers. Its key stands for its bytes,
//!   its place and the selection; other sizes of tasks make other tasks, which the tables' primary keys then refuse.
//! * **Once.** The transaction of a task begins with its key in `etl_tasks`. Whoever dies, before the commit or after it:
//!   the next one to try finds the key or does not, and one who comes too early waits for the other's end.
//! * **An error** of a document or the database is raised in the parent, which stops all workers. What they had not
//!   committed is rolled back. With a quarantine, refused documents are kept in the same transaction (`etl_rejects`) and
//!   written to the file by the parent.
//! * **A dead worker** costs an attempt at one task.
//!
//! # The schema
//!
//! A TOML file, such as `data/orders.toml`, names for each column the field that it comes from (`customer.email`, in the
//! column `customer_email` unless it has a `name`) and its type:
//!
//! | type | takes | SQLite | MariaDB | PostgreSQL |
//! |---|---|---|---|---|
//! | `text` | all but objects and arrays | `TEXT` | `LONGTEXT`, as a key `VARCHAR(255)` | `TEXT` |
//! | `integer` | 64 bits with a sign; reals that are whole | `INTEGER` | `BIGINT` | `BIGINT` |
//! | `real` | finite numbers | `REAL` | `DOUBLE` | `DOUBLE PRECISION` |
//! | `decimal(12,2)` | numbers with no more digits than that | `TEXT` | `DECIMAL(12,2)` | `DECIMAL(12,2)` |
//! | `boolean` | `true`, `false` | `INTEGER` | `BOOLEAN` | `BOOLEAN` |
//! | `timestamp` | dates; text as in RFC 3339 | `TEXT` in UTC | `DATETIME(3)` in UTC | `TIMESTAMPTZ` |
//! | `json` | everything | `TEXT` | `JSON` | `JSONB` |
//!
//! MongoDB's extended JSON (`$oid`, `$date`, `$numberLong`, `$numberDecimal`, …) is read in both of its versions. A missing
//! field and `null` are NULL, unless the column is `required`. Another type is an error that names line, field and value.
//! Fields that no column takes are counted and told. `[[children]]` are tables with a row for each element of an array;
//! arrays within arrays are for `json` columns.
//!
//! # Limits
//!
//! A document that is in the table already is refused or skipped, never updated. No TLS. A name with a dot in it cannot be
//! the field of a column. Text keys in MariaDB have 255 characters at most, and spaces at their end do not count.
//! To load again what was loaded before, drop the tables of the schema; rows that were merely deleted stay away.
//!
//! To start a pipeline of your own from it: `extract` decides what a task is, `transform` makes rows of it, `database` is
//! where they go. The rest can stay.

mod convert;
mod database;
mod extended;
mod extract;
mod flatten;
mod json;
mod ledger;
mod loader;
mod options;
mod pipeline;
mod plan;
mod quarantine;
mod schema;
mod tables;
mod totals;
mod transform;
mod worker;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use gristmill_log::{Console, Listener};
use gristmill_pool::signals::{Cancel, install_handlers};
use gristmill_pool::{Registry, Toolkit};

use options::Options;
use pipeline::{Pipeline, Problem};
use totals::Totals;

/// How far a worker has come with a task, told by the task's first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// All is inserted, nothing is committed.
    BeforeCommit {
        /// The first line of the task.
        line: u64,
    },
    /// All is committed, nobody knows of it.
    AfterCommit {
        /// The first line of the task.
        line: u64,
    },
}

/// What is called at each step, in the worker.
pub type Hook = fn(Step);

/// The whole program. In a worker process it never returns.
pub fn main(hook: Hook) -> ExitCode {
    let registry = Registry::new()
        .app("etl")
        .try_function(worker::SET_UP, worker::set_up)
        .try_function(worker::PREPARE, |()| worker::prepare())
        .try_function(worker::LOAD, move |task| worker::load(task, hook));
    let code = registry.enter().map_err(Into::into).and_then(|toolkit| command(&toolkit, &Options::parse()));
    code.unwrap_or_else(|error: Box<dyn Error>| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// Sets up what belongs to a program and not to a pipeline: the log and the signals.
fn command(toolkit: &Toolkit, options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let mut totals = Totals::new(options.progress_every.get());
    let cancel = Cancel::new();
    let _handlers = install_handlers(&cancel)?;
    let listener = Listener::builder().handler(Console::stderr()).start()?;
    let endpoint = listener.handle().endpoint("main", &options.log_level);
    match endpoint {
        Ok(endpoint) => gristmill_log::install(endpoint)?,
        Err(error) => return Ok(report(&Problem::Usage(format!("--log-level: {error}")), &totals)),
    }
    let toolkit = toolkit.with_log(listener.handle(), options.log_level.clone());
    let outcome = Pipeline::new(options, &cancel).and_then(|pipeline| pipeline.run(&toolkit, &mut totals));
    totals.warn();
    drop(toolkit);
    let logged = listener.stop(Duration::from_secs(2));
    if !logged.is_complete() {
        eprintln!("{logged}");
    }
    match outcome {
        Ok(context) => {
            print!("{}", totals.summary(&context)?);
            Ok(ExitCode::from(if totals.has_refused() { 3 } else { 0 }))
        }
        Err(problem) => Ok(report(&problem, &totals)),
    }
}

fn report(problem: &Problem, totals: &Totals) -> ExitCode {
    eprintln!("error: {problem}");
    if let Problem::Usage(_) = problem {
        return ExitCode::from(2);
    }
    let (rows, tasks) = (totals.rows(), totals.tasks());
    eprintln!("loaded before that: {tasks} tasks, {rows} rows; the same command goes on from there");
    match problem {
        Problem::Interrupted(signal) => ExitCode::from(128 + u8::try_from(*signal).unwrap_or_default()),
        _ => ExitCode::FAILURE,
    }
}
