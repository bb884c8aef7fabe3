//! A connection to a database, as far as the pipeline needs one, and which URL leads to which.
//!
//! What is said in SQL is decided by `loader` and `ledger`, with the words of a `Dialect`.

mod dialect;
mod mysql;
mod postgres;
mod sqlite;

use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

pub(crate) use dialect::Dialect;

use crate::convert::Value;

/// One connection. Dropping it rolls back what is not committed.
pub(crate) trait Database {
    fn dialect(&self) -> Dialect;

    /// Runs statements without values.
    fn run(&mut self, sql: &str) -> Result<(), DatabaseError>;

    /// Runs one statement with values; how many rows it has changed.
    fn execute(&mut self, sql: &str, values: &[&Value]) -> Result<u64, DatabaseError>;

    /// The rows of a query whose columns are all text.
    fn query(&mut self, sql: &str, values: &[&Value]) -> Result<Vec<Vec<String>>, DatabaseError>;
}

/// What kind of error a database has reported, as far as anything depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does not take the values of a row.
    Row,
    /// There is a row with that key already.
    Duplicate,
    /// The transaction would go through another time: a deadlock, or a lock that somebody else had for too long.
    Transient,
    /// Anything else: no connection, no permission, no such thing.
    Other,
}

/// What a database has reported.
#[derive(Clone, Debug, Error)]
#[error("{message}")]
pub(crate) struct DatabaseError {
    pub(crate) fault: Fault,
    pub(crate) message: String,
}

impl DatabaseError {
    fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self { fault, message: message.into() }
    }
}

/// By the standard, the class of a state is in its first two characters.
fn fault_of_state(state: &str) -> Fault {
    match state.get(..2) {
        Some("22" | "23") => Fault::Row,
        Some("40") => Fault::Transient,
        _ => Fault::Other,
    }
}

/// Where the rows go.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Sqlite(PathBuf),
    Mysql(Box<::mysql::Opts>),
    Postgres(Box<::postgres::Config>),
}

impl Target {
    /// Reads a URL. The error does not repeat it, as there may be a password in it.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let scheme = url.split_once(':').map(|(scheme, _)| scheme);
        match scheme {
            Some("sqlite") => sqlite::parse(url).map(Self::Sqlite),
            Some("mysql") => mysql::parse(url),
            Some("mariadb") => mysql::parse(&url.replacen("mariadb", "mysql", 1)),
            Some("postgres" | "postgresql") => postgres::parse(url),
            Some(other) => Err(format!(
                "the database's URL has the unknown scheme `{other}`: sqlite, mysql, mariadb or postgres"
            )),
            None => Err("the database's URL has no scheme, such as in sqlite:FILE".into()),
        }
    }

    /// How many connections may write beside each other with gain.
    pub(crate) fn usual_writers(&self) -> usize {
        if matches!(self, Self::Sqlite(_)) { 1 } else { 4 }
    }

    /// Connects; no single wait of the connection takes much longer than `limit`.
    pub(crate) fn connect(&self, limit: Duration) -> Result<Box<dyn Database>, DatabaseError> {
        let reached = match self {
            Self::Sqlite(path) => sqlite::connect(path, limit),
            Self::Mysql(options) => mysql::connect(options, limit),
            Self::Postgres(config) => postgres::connect(config, limit),
        };
        reached.map_err(|error| DatabaseError {
            message: format!("cannot connect to {}: {}", self.shown(), error.message),
            ..error
        })
    }

    /// What can be shown of it: no password.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Mysql(options) => mysql::shown(options),
            Self::Postgres(config) => postgres::shown(config),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_leads_somewhere_or_says_why_not() {
        for (url, shown) in [
            ("sqlite:a/b.db", "a/b.db"),
            ("sqlite:///tmp/b.db", "/tmp/b.db"),
            ("mysql://me:secret@db:3307/shop", "me@db:3307/shop"),
            ("mariadb://me@localhost/shop?socket=/run/s", "me@/run/s/shop"),
            ("postgres://me:secret@db/shop", "me@db:5432/shop"),
            ("postgres:///shop?host=/run/pg&user=me", "me@/run/pg:5432/shop"),
        ] {
            assert_eq!(Target::parse(url).map(|target| target.shown()), Ok(shown.to_owned()));
        }
        for (url, error) in [
            ("orders.db", "the database's URL has no scheme"),
            ("oracle://x", "the database's URL has the unknown scheme `oracle`"),
            ("sqlite:", "the database's URL names no file"),
            ("mysql://me:secret@db:port/shop", "the database's URL: "),
            ("mysql://me:secret@db", "the database's URL names no database"),
            ("postgres://me:secret@db:port/shop", "the database's URL: "),
            ("postgres://me:secret@db", "the database's URL names no database"),
        ] {
            let found = Target::parse(url).expect_err(url);
            assert!(found.starts_with(error) && !found.contains("secret"), "{found}");
        }
    }
}
