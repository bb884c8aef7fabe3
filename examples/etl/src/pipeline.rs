//! The parent's part: checks before anything starts, hands out tasks, and adds up what comes back.
//!
//! It never talks to the database itself, so that nothing there can make it hang.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gristmill_pool::signals::{Cancel, Level};
use gristmill_pool::sync::Semaphore;
use gristmill_pool::{Pool, TaskCause, TaskError, Toolkit};
use thiserror::Error;

use crate::database::Target;
use crate::extract::{Task, Tasks};
use crate::options::Options;
use crate::plan::{Context, Plan, name_of};
use crate::quarantine::Quarantine;
use crate::schema::Schema;
use crate::totals::Totals;
use crate::worker::{LOAD, PREPARE, SET_UP};

/// Why a run has not come to its end.
#[derive(Debug, Error)]
pub(crate) enum Problem {
    /// The command makes no sense here.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Failed(String),
    /// By this signal.
    #[error("interrupted")]
    Interrupted(i32),
}

/// A run whose command makes sense.
pub(crate) struct Pipeline {
    context: Context,
    tasks: Tasks,
    quarantine: Option<Quarantine>,
    workers: usize,
    retries: u32,
    cancel: Cancel,
}

impl Pipeline {
    /// Checks everything that can be checked without the database.
    pub(crate) fn new(options: &Options, cancel: &Cancel) -> Result<Self, Problem> {
        let context = Context::new(plan(options)?).map_err(Problem::Usage)?;
        let salt = format!(
            "{} {} {} {:?}",
            name_of(&options.export),
            context.schema.documents().name,
            context.plan.key,
            context.plan.since,
        );
        let tasks = Tasks::open(&options.export, options.task_size.get(), salt)
            .map_err(|error| unreadable(&options.export, &error))?;
        let open = |path: &PathBuf| {
            let unable = |error| format!("cannot use {} as quarantine: {error}", path.display());
            Quarantine::open(path).map_err(|error| Problem::Usage(unable(error)))
        };
        let quarantine = options.quarantine.as_ref().map(open).transpose()?;
        let workers = match options.workers {
            Some(workers) => workers.get(),
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        Ok(Self { context, tasks, quarantine, workers, retries: options.retries, cancel: cancel.clone() })
    }

    /// Loads the export. What has been loaded before a problem is added to `totals` all the same.
    pub(crate) fn run(mut self, toolkit: &Toolkit, totals: &mut Totals) -> Result<Context, Problem> {
        let failed = |error: &dyn std::fmt::Display| Problem::Failed(error.to_string());
        let plan = self.context.plan.clone();
        let limit = plan.task_timeout;
        let pool = toolkit.pool(self.workers).name_prefix("Loader").task_timeout(limit).init(SET_UP, plan);
        let pool = pool.start().map_err(|error| failed(&error))?;
        let canceller = pool.canceller();
        self.cancel.on_change(move |_| canceller.cancel_all());
        self.prepare(&pool)?;
        let unread = RefCell::new(None);
        let mut again = self.round(&pool, totals, &unread, None)?;
        while !again.is_empty() {
            again = self.round(&pool, totals, &unread, Some(again))?;
        }
        if let Some(error) = unread.take() {
            return Err(failed(&format_args!("cannot read {}: {error}", self.context.source())));
        }
        drop(pool.finish());
        Ok(self.context)
    }

    /// A worker makes the tables, so that it can be killed if that takes too long.
    fn prepare(&self, pool: &Pool) -> Result<(), Problem> {
        // The database's own waits should end first: they tell more.
        let limit = 4 * self.context.plan.timeout + Duration::from_secs(1);
        for tries in 1.. {
            let prepared = pool.calls(PREPARE).timeout(limit).submit(());
            interrupted(&self.cancel)?;
            let Err(error) = prepared.wait() else { break };
            interrupted(&self.cancel)?;
            match error.cause {
                TaskCause::Died(_) if tries <= self.retries => tracing::warn!("once more: {error}"),
                TaskCause::TimedOut(limit) => {
                    let place = self.context.target.shown();
                    return Err(Problem::Failed(format!("{place} has not answered within {limit:?}")));
                }
                _ => return Err(Problem::Failed(told(&error))),
            }
        }
        Ok(())
    }

    /// Has tasks loaded: those that are given, or all of the export. Returns those whose workers died.
    fn round(
        &mut self,
        pool: &Pool,
        totals: &mut Totals,
        unread: &RefCell<Option<io::Error>>,
        given: Option<Vec<Task>>,
    ) -> Result<Vec<Task>, Problem> {
        let (tasks, cancel) = (&mut self.tasks, self.cancel.clone());
        let under_way = RefCell::new(HashMap::new());
        let mut given = given.map(Vec::into_iter);
        let next = || match &mut given {
            Some(given) => given.next(),
            None => tasks.next()?.map_err(|error| unread.replace(Some(error))).ok(),
        };
        let wanted = std::iter::from_fn(next).take_while(|_| cancel.level() == Level::None);
        let items = (0u64..).zip(wanted).inspect(|(number, task)| {
            under_way.borrow_mut().insert(*number, task.clone());
        });
        let mut again = Vec::new();
        let results = pool.imap_unordered(LOAD, items);
        for result in results {
            interrupted(&cancel)?;
            match result {
                Ok(report) => {
                    let task = under_way.borrow_mut().remove(&report.number);
                    if let Some(quarantine) = &mut self.quarantine {
                        let unable = |error| Problem::Failed(format!("cannot write the quarantine: {error}"));
                        quarantine.add(&report.rejects).map_err(unable)?;
                    }
                    totals.add(&self.context, report, task.is_some_and(|task| task.deaths > 0));
                }
                Err(error) => {
                    let task = error.index.and_then(|index| under_way.borrow_mut().remove(&index));
                    again.push(retried(&self.context, self.retries, error, task)?);
                }
            }
        }
        interrupted(&cancel)?;
        Ok(again)
    }
}

/// Once more, if its worker has died and not too often yet.
fn retried(context: &Context, retries: u32, error: TaskError, task: Option<Task>) -> Result<Task, Problem> {
    let may_again = matches!(error.cause, TaskCause::Died(_) | TaskCause::TimedOut(_));
    match task {
        Some(mut task) if may_again && task.deaths < retries => {
            task.deaths += 1;
            let place = format!("{}, from line {} on", context.source(), task.first_line);
            tracing::warn!("{place}: once more, because its worker is gone: {error}");
            Ok(task)
        }
        Some(task) if may_again => {
            let last = task.first_line + task.lines - 1;
            let place = format!("{}, lines {} to {last}", context.source(), task.first_line);
            Err(Problem::Failed(format!("{place}: tried {} times: {}", task.deaths + 1, error.details())))
        }
        _ => Err(Problem::Failed(told(&error))),
    }
}

/// What the worker's function has said. Which worker it was, and where in the code, is in the log.
fn told(error: &TaskError) -> String {
    tracing::debug!("{}", error.details());
    error.report().map_or_else(|| error.to_string(), |report| report.chain.join(": "))
}

fn interrupted(cancel: &Cancel) -> Result<(), Problem> {
    match cancel.level() {
        Level::None => Ok(()),
        Level::Graceful(signal) | Level::Immediate(signal) => Err(Problem::Interrupted(signal)),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem::Usage(format!("cannot read {}: {error}", path.display()))
}

fn plan(options: &Options) -> Result<Plan, Problem> {
    let metadata = fs::metadata(&options.export).map_err(|error| unreadable(&options.export, &error))?;
    if !metadata.is_file() {
        return Err(Problem::Usage(format!("{} is no regular file", options.export.display())));
    }
    let path = options.schema();
    let schema = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
    let in_schema = |error| Problem::Usage(format!("{}: {error}", path.display()));
    let checked = Schema::parse(&schema).map_err(in_schema)?;
    let table = checked.documents();
    let key = options.key.clone().unwrap_or_else(|| table.columns[table.key[0]].name.clone());
    let target = Target::parse(&options.database).map_err(Problem::Usage)?;
    let writers = options.writers.map_or_else(|| target.usual_writers(), usize::from);
    let writers = Semaphore::new(writers).map_err(|error| Problem::Failed(error.to_string()))?;
    Ok(Plan {
        url: options.database.clone(),
        schema,
        export: options.export.clone(),
        key,
        since: options.since(),
        batch: options.batch.get(),
        existing: options.existing,
        quarantine: options.quarantine.is_some(),
        timeout: options.timeout,
        task_timeout: options.task_timeout,
        writers,
    })
}
