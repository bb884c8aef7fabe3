//! MariaDB and MySQL, over TCP or a socket, without TLS.
//!
//! Each wait for the server is limited, that for a lock as well as that for an answer.

use std::io::{self, ErrorKind};
use std::time::Duration;

use mysql::prelude::Queryable;
use mysql::{Conn, Error, Opts, OptsBuilder, Params, SslOpts, Value as SqlValue};
use mysql_common::proto::codec::error::PacketCodecError;

use super::{Database, DatabaseError, Dialect, Fault, Target, fault_of_state};
use crate::convert::Value;

pub(super) fn parse(url: &str) -> Result<Target, String> {
    let options = Opts::from_url(url).map_err(|error| format!("the database's URL: {error}"))?;
    match options.get_db_name() {
        Some(name) if !name.is_empty() => Ok(Target::Mysql(Box::new(options))),
        _ => Err("the database's URL names no database".into()),
    }
}

pub(super) fn shown(options: &Opts) -> String {
    let user = options.get_user().unwrap_or_default();
    let place = match options.get_socket() {
        Some(socket) => socket.to_owned(),
        None => format!("{}:{}", options.get_ip_or_hostname(), options.get_tcp_port()),
    };
    format!("{user}@{place}/{}", options.get_db_name().unwrap_or_default())
}

pub(super) fn connect(options: &Opts, limit: Duration) -> Result<Box<dyn Database>, DatabaseError> {
    // The server should be the one to say that a lock was not to be had.
    let (seconds, patience) = (limit.as_secs().max(1), limit * 2);
    let options = OptsBuilder::from_opts(options.clone())
        // It would look for a socket after it has connected to a port.
        .prefer_socket(options.get_socket().is_some())
        .tcp_connect_timeout(Some(limit))
        .read_timeout(Some(patience))
        .write_timeout(Some(patience))
        .ssl_opts(None::<SslOpts>);
    let mut connection = Conn::new(options)?;
    connection.query_drop(format!(
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', \
         innodb_lock_wait_timeout = {seconds}, lock_wait_timeout = {seconds}"
    ))?;
    Ok(Box::new(Mysql { connection }))
}

struct Mysql {
    connection: Conn,
}

impl Database for Mysql {
    fn dialect(&self) -> Dialect {
        Dialect::Mysql
    }

    fn run(&mut self, sql: &str) -> Result<(), DatabaseError> {
        Ok(self.connection.query_drop(sql)?)
    }

    fn execute(&mut self, sql: &str, values: &[&Value]) -> Result<u64, DatabaseError> {
        self.connection.exec_drop(sql, parameters(values))?;
        Ok(self.connection.affected_rows())
    }

    fn query(&mut self, sql: &str, values: &[&Value]) -> Result<Vec<Vec<String>>, DatabaseError> {
        let rows: Vec<mysql::Row> = self.connection.exec(sql, parameters(values))?;
        let texts = |row: mysql::Row| row.unwrap().into_iter().map(text).collect();
        Ok(rows.into_iter().map(texts).collect())
    }
}

fn text(value: SqlValue) -> String {
    match value {
        SqlValue::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => other.as_sql(true),
    }
}

fn parameters(values: &[&Value]) -> Params {
    if values.is_empty() {
        return Params::Empty;
    }
    let parameter = |value: &&Value| match value {
        Value::Null => SqlValue::NULL,
        Value::Integer(value) => SqlValue::Int(*value),
        Value::Boolean(value) => SqlValue::Int(i64::from(*value)),
        Value::Real(value) => SqlValue::Double(*value),
        Value::Text(text) | Value::Decimal(text) | Value::Json(text) => {
            SqlValue::Bytes(text.clone().into_bytes())
        }
        // It knows no time zones here: the session's is UTC.
        Value::Timestamp(text) => {
            SqlValue::Bytes(text.replace('T', " ").trim_end_matches('Z').to_owned().into_bytes())
        }
    };
    Params::Positional(values.iter().map(parameter).collect())
}

/// There is a row with that key.
const DUPLICATE: u16 = 1062;
/// A text that the column's character set cannot hold, which has no state of its own.
const WRONG_TEXT: u16 = 1366;
/// Somebody else has had a lock for too long.
const LOCK_TIMEOUT: u16 = 1205;

impl From<Error> for DatabaseError {
    fn from(error: Error) -> Self {
        match &error {
            Error::MySqlError(inner) => {
                let fault = match inner.code {
                    DUPLICATE => Fault::Duplicate,
                    WRONG_TEXT => Fault::Row,
                    LOCK_TIMEOUT => Fault::Transient,
                    _ => fault_of_state(&inner.state),
                };
                Self::new(fault, inner.message.clone())
            }
            // The names of its variants would be in the text.
            Error::IoError(inner) | Error::CodecError(PacketCodecError::Io(inner)) => of_socket(inner),
            Error::CodecError(inner) => Self::new(Fault::Other, inner.to_string()),
            Error::DriverError(inner) => Self::new(Fault::Other, inner.to_string()),
            other => Self::new(Fault::Other, other.to_string()),
        }
    }
}

fn of_socket(error: &io::Error) -> DatabaseError {
    let text = match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "the server has not answered in time".to_owned(),
        _ => error.to_string(),
    };
    DatabaseError::new(Fault::Other, text)
}
