//! What the tests share: a folder with an export, runs of the program, and a look into the database.
//!
//! It judges nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::postgres::NoTls;
use gristmill_testkit::command::{Finished, TestCommand};
use gristmill_testkit::leaks::LeakCheck;
use gristmill_testkit::watchdog::Watchdog;
use mysql::prelude::Queryable;
use tempfile::TempDir;

pub(crate) const LIMIT: Duration = Duration::from_secs(60);
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A test's folder, its time limit, and the check that nothing is left.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) url: String,
    check: Option<LeakCheck>,
    _watchdog: Watchdog,
}

impl Bench {
    /// With a new database of SQLite.
    pub(crate) fn new() -> Self {
        let check = LeakCheck::start();
        Self { check: Some(check), ..Self::unchecked() }
    }

    fn unchecked() -> Self {
        let watchdog = Watchdog::new(4 * LIMIT);
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::copy(sample("orders.toml"), folder.path().join("orders.toml")).expect("the schema");
        std::fs::copy(sample("orders.jsonl"), folder.path().join("orders.jsonl")).expect("the export");
        let url = format!("sqlite:{}", folder.path().join("etl.db").display());
        Self { folder, url, check: None, _watchdog: watchdog }
    }

    /// With a server's database instead, emptied. What is left behind is checked when the server is gone.
    pub(crate) fn on(url: &str) -> Self {
        let bench = Self { url: url.to_owned(), ..Self::unchecked() };
        for table in ["orders", "order_items", "order_tags", "etl_tasks", "etl_rejects"] {
            bench.rows(&format!("DROP TABLE IF EXISTS {table}"));
        }
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn export(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("orders.jsonl")).expect("the export");
        text.lines().map(str::to_owned).collect()
    }

    pub(crate) fn write_export(&self, lines: &[String]) {
        std::fs::write(self.path("orders.jsonl"), lines.join("\n") + "\n").expect("written");
    }

    /// A run of the program over the export, with tasks of 20 documents.
    pub(crate) fn etl(&self, arguments: &[&str]) -> TestCommand {
        self.command(env!("CARGO_BIN_EXE_etl"), arguments)
    }

    /// The same with workers that can be told to die.
    pub(crate) fn faulty(&self, fault: &str, arguments: &[&str]) -> TestCommand {
        let mark = self.path("mark");
        let fault = format!("{fault}:{}", mark.display());
        self.command(env!("CARGO_BIN_EXE_etl-fixture"), arguments).env("ETL_FAULT", fault)
    }

    fn command(&self, program: &str, arguments: &[&str]) -> TestCommand {
        let command = TestCommand::new(program).limit(LIMIT).current_dir(self.folder.path());
        command
            .args(["orders.jsonl", "--database", &self.url, "--task-size", "20", "--workers", "3"])
            .args(arguments.iter().copied())
    }

    /// All rows of a query, each column as text.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        rows(&self.url, sql)
    }

    pub(crate) fn count(&self, table: &str) -> usize {
        self.rows(&format!("SELECT 1 FROM {table}")).len()
    }

    /// Ends the test.
    pub(crate) fn finish(mut self) {
        if let Some(check) = self.check.take() {
            check.finish();
        }
    }
}

/// A file that ships with the example.
pub(crate) fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name)
}

pub(crate) fn lines(finished: &Finished) -> Vec<String> {
    finished.stdout_text().lines().map(str::to_owned).collect()
}

/// Fails the test unless the program has said so on standard error.
#[track_caller]
pub(crate) fn assert_says(finished: &Finished, text: &str) {
    assert!(finished.stderr_text().contains(text), "no {text:?}: {finished}");
}

fn rows(url: &str, sql: &str) -> Vec<Vec<String>> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let connection = rusqlite::Connection::open(path).expect("SQLite");
        let mut statement = connection.prepare(sql).expect("a statement");
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            (0..columns).map(|at| Ok(sqlite_text(row.get_ref(at)?))).collect::<rusqlite::Result<_>>()
        };
        let rows = statement.query_map([], row).expect("rows");
        return rows.collect::<Result<_, _>>().expect("rows");
    }
    if url.starts_with("mysql") {
        let mut connection = mysql::Conn::new(url).expect("MariaDB");
        let rows: Vec<mysql::Row> = connection.query(sql).expect("rows");
        let text = |value| mysql::from_value::<Option<String>>(value).unwrap_or_else(|| "NULL".into());
        return rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect();
    }
    let mut client = ::postgres::Client::connect(url, NoTls).expect("PostgreSQL");
    let messages = client.simple_query(sql).expect("rows");
    let row = |message: &::postgres::SimpleQueryMessage| match message {
        ::postgres::SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|at| row.get(at).unwrap_or("NULL").to_owned()).collect())
        }
        _ => None,
    };
    messages.iter().filter_map(row).collect()
}

fn sqlite_text(value: rusqlite::types::ValueRef<'_>) -> String {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => "NULL".into(),
        ValueRef::Integer(value) => value.to_string(),
        ValueRef::Real(value) => value.to_string(),
        ValueRef::Text(text) | ValueRef::Blob(text) => String::from_utf8_lossy(text).into_owned(),
    }
}
