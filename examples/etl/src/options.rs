//! The command line.
//!
//! What has to be looked up elsewhere, in the schema or on the disk, is checked by `pipeline`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::plan::{Existing, Since};

/// Loads a JSON-lines export of a document database into SQL tables
///
/// The documents are flattened after a schema, converted to the declared types and inserted in batches, in one
/// transaction per task. The same command again goes on where the last run has ended and inserts nothing twice.
///
/// Exit status: 0 all is loaded, 1 it has failed, 2 wrong usage, 3 some documents were set aside, 130 and 143 it was
/// interrupted.
#[derive(Debug, Parser)]
#[command(name = "etl", version, max_term_width = 100, args_override_self = true)]
pub(crate) struct Options {
    /// The export, one JSON document per line, as `mongoexport` writes it
    #[arg(value_name = "EXPORT")]
    pub(crate) export: PathBuf,

    /// The schema [default: the export's name with the extension toml]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) schema: Option<PathBuf>,

    /// Where to load it: sqlite:FILE, mysql://USER:PASSWORD@HOST/DATABASE (or mariadb:), postgres://…
    #[arg(
        short,
        long,
        value_name = "URL",
        env = "ETL_DATABASE",
        hide_env_values = true,
        default_value = "sqlite:etl.db"
    )]
    pub(crate) database: String,

    /// Workers, which read, flatten and convert [default: as many as the machine runs at a time]
    #[arg(short, long, value_name = "N")]
    pub(crate) workers: Option<NonZeroUsize>,

    /// Workers that may be connected to the database at a time [default: 1 on SQLite, 4 elsewhere]
    #[arg(long, value_name = "N")]
    pub(crate) writers: Option<NonZeroUsize>,

    /// Documents per task, and so per transaction
    #[arg(long, value_name = "N", default_value = "1000")]
    pub(crate) task_size: NonZeroU64,

    /// Rows per INSERT
    #[arg(long, value_name = "N", default_value = "500")]
    pub(crate) batch: NonZeroUsize,

    /// Log a line after every so many rows
    #[arg(long, value_name = "N", default_value = "10000")]
    pub(crate) progress_every: NonZeroU64,

    /// The column that --since and --after compare [default: the key of the schema]
    #[arg(long, value_name = "COLUMN")]
    pub(crate) key: Option<String>,

    /// Only documents with this key or a later one
    #[arg(long, value_name = "KEY", conflicts_with = "after", allow_hyphen_values = true)]
    since: Option<String>,

    /// Only documents with a later key, such as the last key that the last run has printed
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    after: Option<String>,

    /// What to do with a document whose key is in the table already
    #[arg(long, value_name = "WHAT", value_enum, default_value = "error")]
    pub(crate) existing: Existing,

    /// Set documents that are not taken aside in this file, and go on [default: stop at the first]
    #[arg(long, value_name = "FILE")]
    pub(crate) quarantine: Option<PathBuf>,

    /// How many times a task whose worker has died is tried again
    #[arg(long, value_name = "N", default_value = "3")]
    pub(crate) retries: u32,

    /// How long to wait for the database: for a connection, an answer, a lock
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,

    /// How long a task may take; its worker is killed then
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = duration)]
    pub(crate) task_timeout: Duration,

    /// What is logged, such as `debug` or `info,gristmill_pool=warn`
    #[arg(long, value_name = "FILTER", default_value = "info,gristmill_pool=error")]
    pub(crate) log_level: String,
}

impl Options {
    /// Which documents are wanted, if not all are.
    pub(crate) fn since(&self) -> Option<Since> {
        let since = |key: &String, inclusive| Since { key: key.clone(), inclusive };
        let at = self.since.as_ref().map(|key| since(key, true));
        at.or_else(|| self.after.as_ref().map(|key| since(key, false)))
    }

    /// Where the schema is.
    pub(crate) fn schema(&self) -> PathBuf {
        self.schema.clone().unwrap_or_else(|| self.export.with_extension("toml"))
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err("no time at all".into()),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
        let options = Options::parse_from(["etl", "a/b.jsonl", "--after", "-5"]);
        assert_eq!(options.schema(), PathBuf::from("a/b.toml"));
        assert_eq!(options.since(), Some(Since { key: "-5".into(), inclusive: false }));
    }
}
