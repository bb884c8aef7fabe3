//! The options of the log on the command line that every job has.
//!
//! It reads them; what is made of them is in `logging`.

use std::path::PathBuf;

use clap::builder::{EnumValueParser, PossibleValue};
use clap::{Args, ValueEnum};
use gristmill_log::When;

use super::sizes::size;

// No doc comment: it would become the program's description.
#[derive(Debug, Clone, Args)]
pub(super) struct LogArgs {
    /// What is logged on standard error: off, error, warn, info, debug, trace, or directives such as info,my_crate=debug
    #[arg(long, value_name = "FILTER", default_value = "warn", help_heading = "Messages")]
    pub(super) log_level: String,
    /// Log to this file as well, appending
    #[arg(long, value_name = "PATH", help_heading = "Messages")]
    pub(super) log_file: Option<PathBuf>,
    /// What is logged to the file [default: info]
    #[arg(long, value_name = "FILTER", requires = "log_file", help_heading = "Messages")]
    pub(super) log_file_level: Option<String>,
    /// Start a new log file when this one would grow beyond SIZE
    #[arg(long, value_name = "SIZE", value_parser = size, requires = "log_file", help_heading = "Messages")]
    pub(super) log_max_bytes: Option<u64>,
    /// Start a new log file every second (S), minute (M), hour (H) or day (D), at midnight, or at the end of a weekday
    /// (W0, Monday, to W6)
    #[arg(long, value_name = "WHEN", requires = "log_file", help_heading = "Messages")]
    pub(super) log_when: Option<When>,
    /// Old log files to keep: PATH.1, the newest, and so on; with --log-when PATH.DATE [default: 5; with --log-when all]
    #[arg(long, value_name = "N", requires = "log_rotation", help_heading = "Messages")]
    pub(super) log_backups: Option<u32>,
    /// Format of the log file
    #[arg(long, value_name = "FORMAT", default_value = "text", requires = "log_file", help_heading = "Messages",
          value_parser = log_formats())]
    pub(super) log_format: LogFormat,
}

/// How records are written to the log file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogFormat {
    Text,
    Json,
}

impl ValueEnum for LogFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Text, Self::Json]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Text => "text",
            Self::Json => "json",
        }))
    }
}

fn log_formats() -> EnumValueParser<LogFormat> {
    EnumValueParser::new()
}
