//! The pipeline's own tables: which tasks are done, and which documents were refused.
//!
//! They are written in the same transaction as the rows, which is what makes a task count once: however often it is tried,
//! and whoever dies meanwhile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::convert::{Kind, Value};
use crate::database::{Database, DatabaseError};
use crate::extract::Task;
use crate::schema::{Column, Table};

/// The names of the tables, which no other table may have.
pub(crate) const TABLES: [&str; 2] = ["etl_tasks", "etl_rejects"];

/// What has become of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Documents in its lines.
    pub(crate) read: u64,
    /// Documents that were not selected.
    pub(crate) left_out: u64,
    /// Documents that were in the table before.
    pub(crate) existing: u64,
    /// Rows inserted into each table.
    pub(crate) inserted: Vec<u64>,
    /// The latest key among the selected documents.
    pub(crate) last_key: Option<String>,
    /// Fields that no column takes, and in how many documents.
    pub(crate) unknown: BTreeMap<String, u64>,
}

/// The tables as the others are described.
pub(crate) fn tables() -> [Table; 2] {
    let column = |(name, kind): &(&str, Kind)| Column {
        name: (*name).to_owned(),
        from: Vec::new(),
        kind: *kind,
        required: true,
    };
    let table = |at: usize, columns: &[(&str, Kind)], key| Table {
        name: TABLES[at].to_owned(),
        from: Vec::new(),
        columns: columns.iter().map(column).collect(),
        key,
    };
    let tasks = [
        ("task", Kind::Text),
        ("target", Kind::Text),
        ("source", Kind::Text),
        ("first_line", Kind::Integer),
        ("lines", Kind::Integer),
        ("outcome", Kind::Text),
    ];
    let rejects = [("task", Kind::Text), ("line", Kind::Integer), ("entry", Kind::Text)];
    [table(0, &tasks, vec![0]), table(1, &rejects, vec![0, 1])]
}

/// Begins a transaction with the task's entry. False if the task is done; then nothing has begun.
///
/// Whoever tries it again while an earlier transaction is still on its way to its end waits here for that.
pub(crate) fn claim(
    database: &mut dyn Database,
    task: &Task,
    target: &Table,
    source: &str,
) -> Result<bool, DatabaseError> {
    let [tasks, _] = tables();
    let dialect = database.dialect();
    database.run(dialect.begin())?;
    let values = [
        Value::Text(task.key.clone()),
        Value::Text(target.name.clone()),
        Value::Text(source.to_owned()),
        Value::Integer(task.first_line as i64),
        Value::Integer(task.lines as i64),
        Value::Text(String::new()),
    ];
    let is_new = database.execute(&dialect.claim(&tasks), &values.each_ref())? == 1;
    if !is_new {
        database.run("ROLLBACK")?;
    }
    Ok(is_new)
}

/// Completes the task's entry; the commit is still to come.
pub(crate) fn complete(
    database: &mut dyn Database,
    task: &Task,
    outcome: &Outcome,
    rejects: &[(u64, String)],
) -> Result<(), DatabaseError> {
    let [_, rejected] = tables();
    let dialect = database.dialect();
    for (line, entry) in rejects {
        let values =
            [Value::Text(task.key.clone()), Value::Integer(*line as i64), Value::Text(entry.clone())];
        database.execute(&dialect.insert(&rejected, 1), &values.each_ref())?;
    }
    let outcome = serde_json::to_string(outcome).expect("plain data can be written as JSON");
    let place = |at| dialect.placeholder(at, Kind::Text);
    let sql = format!("UPDATE etl_tasks SET outcome = {} WHERE task = {}", place(0), place(1));
    let values = [Value::Text(outcome), Value::Text(task.key.clone())];
    database.execute(&sql, &values.each_ref()).map(drop)
}

/// What has become of a task that is done, with the documents refused then.
pub(crate) fn look_up(
    database: &mut dyn Database,
    task: &Task,
) -> Result<(Outcome, Vec<String>), DatabaseError> {
    let place = database.dialect().placeholder(0, Kind::Text);
    let key = Value::Text(task.key.clone());
    let query = format!("SELECT outcome FROM etl_tasks WHERE task = {place}");
    let outcomes = database.query(&query, &[&key])?;
    let outcome = outcomes.into_iter().flatten().next().unwrap_or_default();
    let outcome = serde_json::from_str(&outcome).map_err(|error| DatabaseError {
        fault: crate::database::Fault::Other,
        message: format!("the entry of task {} in {} is damaged: {error}", task.key, TABLES[0]),
    })?;
    let query = format!("SELECT entry FROM etl_rejects WHERE task = {place} ORDER BY line");
    let entries = database.query(&query, &[&key])?;
    Ok((outcome, entries.into_iter().flatten().collect()))
}

/// Whether any task was loaded into this table.
pub(crate) fn knows(database: &mut dyn Database, target: &Table) -> Result<bool, DatabaseError> {
    let name = Value::Text(target.name.clone());
    let place = database.dialect().placeholder(0, Kind::Text);
    let query = format!("SELECT task FROM etl_tasks WHERE target = {place} LIMIT 1");
    Ok(!database.query(&query, &[&name])?.is_empty())
}

/// Forgets all tasks that were loaded into this table.
pub(crate) fn forget(database: &mut dyn Database, target: &Table) -> Result<(), DatabaseError> {
    let dialect = database.dialect();
    let place = dialect.placeholder(0, Kind::Text);
    let name = Value::Text(target.name.clone());
    database.run(dialect.begin())?;
    let of_target = format!("SELECT task FROM etl_tasks WHERE target = {place}");
    database.execute(&format!("DELETE FROM etl_rejects WHERE task IN ({of_target})"), &[&name])?;
    database.execute(&format!("DELETE FROM etl_tasks WHERE target = {place}"), &[&name])?;
    database.run("COMMIT")
}
