//! The tables before the first task: those that are not there are made, those that are not as they should be are refused.
//!
//! It is done once, by one worker. What is written into them is `loader`'s part.

use crate::convert::Value;
use crate::database::{Database, DatabaseError};
use crate::ledger;
use crate::loader::LoadError;
use crate::schema::{Schema, Table};

/// Sees to it that all tables are there.
pub(crate) fn prepare(database: &mut dyn Database, schema: &Schema) -> Result<(), LoadError> {
    let dialect = database.dialect();
    for table in &ledger::tables() {
        if !exists(database, table)? {
            database.run(&dialect.create(table))?;
        }
    }
    let mut missing = Vec::new();
    for table in &schema.tables {
        if !exists(database, table)? {
            missing.push(table);
        }
    }
    let documents = schema.documents();
    if missing.iter().any(|table| table.name == documents.name) {
        // Who drops the table wants it loaded again.
        ledger::forget(database, documents)?;
    } else if let Some(table) = missing.first()
        && ledger::knows(database, documents)?
    {
        return Err(LoadError::Stop(format!(
            "table `{}` is missing, but documents were loaded into `{}` before: drop that, too, to load all again",
            table.name, documents.name
        )));
    }
    // That of the documents comes last: while it is missing, nothing has been loaded.
    missing.iter().rev().try_for_each(|table| Ok(database.run(&dialect.create(table))?))
}

/// Whether the table is there. One with other columns or without transactions is an error.
fn exists(database: &mut dyn Database, table: &Table) -> Result<bool, LoadError> {
    let dialect = database.dialect();
    let columns = first_column(database, dialect.columns(), table)?;
    if columns.is_empty() {
        return Ok(false);
    }
    let wanted: Vec<_> = table.names().map(str::to_owned).collect();
    let only = |some: &[String], others: &[String]| {
        let names: Vec<_> = some.iter().filter(|name| !others.contains(name)).map(String::as_str).collect();
        names.join(", ")
    };
    let (missing, surplus) = (only(&wanted, &columns), only(&columns, &wanted));
    if !missing.is_empty() || !surplus.is_empty() {
        return Err(LoadError::Stop(format!(
            "table `{}` has other columns than the schema: missing [{missing}], not in the schema [{surplus}]",
            table.name
        )));
    }
    let engines = dialect.engine().map_or(Ok(Vec::new()), |query| first_column(database, query, table))?;
    match engines.iter().find(|engine| *engine != "InnoDB") {
        Some(engine) => {
            Err(LoadError::Stop(format!("table `{}` has no transactions: it is of {engine}", table.name)))
        }
        None => Ok(true),
    }
}

/// What a query says about a table.
fn first_column(
    database: &mut dyn Database,
    query: &str,
    table: &Table,
) -> Result<Vec<String>, DatabaseError> {
    let name = Value::Text(table.name.clone());
    Ok(database.query(query, &[&name])?.into_iter().flatten().collect())
}
