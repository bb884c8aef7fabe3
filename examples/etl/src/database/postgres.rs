//! PostgreSQL, over TCP or a socket, without TLS.
//!
//! The server limits the waits for its locks and its own work; one that falls silent is left to the task's time limit.

use std::error::Error as _;
use std::time::Duration;

use postgres::config::Host;
use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, Error, NoTls};

use super::{Database, DatabaseError, Dialect, Fault, Target, fault_of_state};
use crate::convert::Value;

pub(super) fn parse(url: &str) -> Result<Target, String> {
    let config: Config = url.parse().map_err(|error| format!("the database's URL: {}", whole(&error)))?;
    match config.get_dbname() {
        Some(_) => Ok(Target::Postgres(Box::new(config))),
        None => Err("the database's URL names no database".into()),
    }
}

pub(super) fn shown(config: &Config) -> String {
    let user = config.get_user().unwrap_or_default();
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".into(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("{user}@{host}:{port}/{}", config.get_dbname().unwrap_or_default())
}

pub(super) fn connect(config: &Config, limit: Duration) -> Result<Box<dyn Database>, DatabaseError> {
    let mut config = config.clone();
    config.connect_timeout(limit).application_name("etl");
    let mut client = config.connect(NoTls)?;
    let millis = limit.as_millis();
    client.batch_execute(&format!(
        "SET lock_timeout = {millis}; SET statement_timeout = {}; SET client_min_messages = warning",
        2 * millis
    ))?;
    Ok(Box::new(Postgres { client }))
}

struct Postgres {
    client: Client,
}

impl Database for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn run(&mut self, sql: &str) -> Result<(), DatabaseError> {
        Ok(self.client.batch_execute(sql)?)
    }

    fn execute(&mut self, sql: &str, values: &[&Value]) -> Result<u64, DatabaseError> {
        Ok(self.client.execute(sql, &parameters(values))?)
    }

    fn query(&mut self, sql: &str, values: &[&Value]) -> Result<Vec<Vec<String>>, DatabaseError> {
        let rows = self.client.query(sql, &parameters(values))?;
        let texts = |row: &postgres::Row| (0..row.len()).map(|at| row.try_get(at)).collect();
        Ok(rows.iter().map(texts).collect::<Result<_, _>>()?)
    }
}

fn parameters<'a>(values: &'a [&'a Value]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| *value as &(dyn ToSql + Sync)).collect()
}

/// The statements say by casts which type each value has.
impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(value) => value.to_sql(kind, out),
            Self::Real(value) => value.to_sql(kind, out),
            Self::Boolean(value) => value.to_sql(kind, out),
            Self::Text(text) | Self::Decimal(text) | Self::Timestamp(text) | Self::Json(text) => {
                text.to_sql(kind, out)
            }
        }
    }

    fn accepts(kind: &Type) -> bool {
        [Type::TEXT, Type::INT8, Type::FLOAT8, Type::BOOL].contains(kind)
    }

    to_sql_checked!();
}

/// There is a row with that key.
const DUPLICATE: &str = "23505";
/// Somebody else has had a lock for too long.
const LOCK_TIMEOUT: &str = "55P03";

impl From<Error> for DatabaseError {
    fn from(error: Error) -> Self {
        let fault = match error.code().map(|state| state.code()) {
            Some(DUPLICATE) => Fault::Duplicate,
            Some(LOCK_TIMEOUT) => Fault::Transient,
            Some(state) => fault_of_state(state),
            None => Fault::Other,
        };
        let message = match error.as_db_error() {
            Some(inner) => match inner.detail() {
                Some(detail) => format!("{}: {detail}", inner.message()),
                None => inner.message().to_owned(),
            },
            None => whole(&error),
        };
        Self::new(fault, message)
    }
}

/// The error with its causes, of which it says nothing itself.
fn whole(error: &Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
