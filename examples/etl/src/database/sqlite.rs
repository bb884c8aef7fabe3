//! SQLite: a file, and the library that comes with the binding.
//!
//! One connection writes at a time; the others wait for it, within their limit.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, ErrorCode, params_from_iter};

use super::{Database, DatabaseError, Dialect, Fault};
use crate::convert::Value;

pub(super) fn parse(url: &str) -> Result<PathBuf, String> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or_default();
    match path {
        "" => Err("the database's URL names no file".into()),
        ":memory:" => Err("a database in memory ends with each connection: name a file".into()),
        path => Ok(PathBuf::from(path)),
    }
}

pub(super) fn connect(path: &Path, limit: Duration) -> Result<Box<dyn Database>, DatabaseError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(limit)?;
    Ok(Box::new(Sqlite { connection }))
}

struct Sqlite {
    connection: Connection,
}

impl Database for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn run(&mut self, sql: &str) -> Result<(), DatabaseError> {
        Ok(self.connection.execute_batch(sql)?)
    }

    fn execute(&mut self, sql: &str, values: &[&Value]) -> Result<u64, DatabaseError> {
        Ok(self.connection.execute(sql, params_from_iter(values))? as u64)
    }

    fn query(&mut self, sql: &str, values: &[&Value]) -> Result<Vec<Vec<String>>, DatabaseError> {
        let mut statement = self.connection.prepare(sql)?;
        let columns = statement.column_count();
        let rows = statement.query_map(params_from_iter(values), |row| {
            (0..columns).map(|at| row.get::<_, String>(at)).collect()
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Boolean(value) => ValueRef::Integer(i64::from(*value)),
            Self::Real(value) => ValueRef::Real(*value),
            Self::Text(text) | Self::Decimal(text) | Self::Timestamp(text) | Self::Json(text) => {
                ValueRef::Text(text.as_bytes())
            }
        }))
    }
}

impl From<Error> for DatabaseError {
    fn from(error: Error) -> Self {
        use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
        let fault = match error.sqlite_error() {
            None => Fault::Other,
            Some(inner) => match (inner.code, inner.extended_code) {
                (_, SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE) => Fault::Duplicate,
                (ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig, _) => {
                    Fault::Row
                }
                (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Fault::Transient,
                _ => Fault::Other,
            },
        };
        Self::new(fault, error.to_string())
    }
}
