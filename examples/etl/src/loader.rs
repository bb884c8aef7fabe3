//! One task into the database: rows in batches, the task's entry, and a single commit.
//!
//! It owns the transaction. What is in the rows was decided before, and connections are `worker`'s part.

use thiserror::Error;

use crate::Step;
use crate::convert::Value;
use crate::database::{Database, DatabaseError, Fault};
use crate::extract::Task;
use crate::flatten::Row;
use crate::ledger::{self, Outcome};
use crate::plan::{Context, Existing};
use crate::quarantine;
use crate::transform::{Document, Place, Transformed};

/// Why a task has not been loaded. Nothing of it is in the database then.
#[derive(Debug, Error)]
pub(crate) enum LoadError {
    /// A document is not taken, or something else is not as it should be; in words for the user.
    #[error("{0}")]
    Stop(String),
    /// The database did not do what it was told.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// A task that is in the database.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) outcome: Outcome,
    /// Entries for the quarantine.
    pub(crate) rejects: Vec<String>,
    /// It was there already.
    pub(crate) before: bool,
}

/// Loads a task, unless that was done before.
pub(crate) fn load(
    database: &mut dyn Database,
    context: &Context,
    task: &Task,
    bytes: &[u8],
    transformed: &Transformed,
    hook: &dyn Fn(Step),
) -> Result<Loaded, LoadError> {
    let source = context.source();
    if !ledger::claim(database, task, context.schema.documents(), &source)? {
        let (outcome, rejects) = ledger::look_up(database, task)?;
        return Ok(Loaded { outcome, rejects, before: true });
    }
    let mut loader =
        Loader { database, context, task, bytes, outcome: transformed.outcome.clone(), rejects: vec![] };
    loader.outcome.inserted = vec![0; context.schema.tables.len()];
    for refusal in &transformed.refusals {
        loader.refuse(refusal.place, &refusal.error)?;
    }
    for batch in transformed.documents.chunks(context.plan.batch) {
        loader.insert(batch)?;
    }
    let Loader { database, outcome, mut rejects, .. } = loader;
    rejects.sort_by_key(|(line, _)| *line);
    ledger::complete(database, task, &outcome, &rejects)?;
    hook(Step::BeforeCommit { line: task.first_line });
    database.run("COMMIT")?;
    hook(Step::AfterCommit { line: task.first_line });
    Ok(Loaded { outcome, rejects: rejects.into_iter().map(|(_, entry)| entry).collect(), before: false })
}

struct Loader<'a> {
    database: &'a mut dyn Database,
    context: &'a Context,
    task: &'a Task,
    bytes: &'a [u8],
    outcome: Outcome,
    rejects: Vec<(u64, String)>,
}

impl Loader<'_> {
    /// Inserts documents together. If the database does not take them, one half after the other is tried, down to the
    /// document that is to blame.
    fn insert(&mut self, documents: &[Document]) -> Result<(), LoadError> {
        self.database.run("SAVEPOINT batch")?;
        match self.insert_rows(documents) {
            Ok(inserted) => {
                self.database.run("RELEASE SAVEPOINT batch")?;
                self.outcome.inserted.iter_mut().zip(inserted).for_each(|(sum, rows)| *sum += rows);
                tracing::debug!("{} documents from line {} on", documents.len(), documents[0].place.line);
                Ok(())
            }
            Err(error) if matches!(error.fault, Fault::Row | Fault::Duplicate) => {
                self.database.run("ROLLBACK TO SAVEPOINT batch")?;
                self.database.run("RELEASE SAVEPOINT batch")?;
                match documents {
                    [one] => self.not_taken(one, &error),
                    many => {
                        let (first, second) = many.split_at(many.len() / 2);
                        self.insert(first)?;
                        self.insert(second)
                    }
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// How many rows each table has got.
    fn insert_rows(&mut self, documents: &[Document]) -> Result<Vec<u64>, DatabaseError> {
        let dialect = self.database.dialect();
        let mut inserted = Vec::new();
        for (at, table) in self.context.schema.tables.iter().enumerate() {
            let rows: Vec<&Row> = documents.iter().flat_map(|document| &document.rows[at]).collect();
            let most = self.context.plan.batch.min(dialect.most_rows(table.columns.len()));
            for rows in rows.chunks(most) {
                let values: Vec<&Value> = rows.iter().copied().flatten().collect();
                self.database.execute(&dialect.insert(table, rows.len()), &values)?;
            }
            inserted.push(rows.len() as u64);
        }
        Ok(inserted)
    }

    fn not_taken(&mut self, document: &Document, error: &DatabaseError) -> Result<(), LoadError> {
        match (error.fault, self.context.plan.existing) {
            (Fault::Duplicate, Existing::Skip) => {
                self.outcome.existing += 1;
                Ok(())
            }
            (Fault::Duplicate, Existing::Error) => self.refuse(
                document.place,
                &format!(
                    "its key is in the table already (`--existing skip` leaves such documents alone): {error}"
                ),
            ),
            _ => self.refuse(document.place, &format!("the database does not take it: {error}")),
        }
    }

    /// Sets a document aside, or ends everything.
    fn refuse(&mut self, place: Place, error: &str) -> Result<(), LoadError> {
        let source = self.context.source();
        if !self.context.plan.quarantine {
            return Err(LoadError::Stop(format!("{source}:{}: {error}", place.line)));
        }
        let start = (place.offset - self.task.start) as usize;
        let line = &self.bytes[start..start + place.len];
        self.rejects.push((place.line, quarantine::entry(&source, place, error, line)));
        Ok(())
    }
}
