//! The handlers as data, and what is built from them.
//!
//! A handler of a program's own cannot be named here; the program adds it to the builder.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, fault, values};
use crate::{Console, Directives, Format, Handler, LevelFilter, Record, RotatingFile, Schedule, When};

/// A handler as data. In TOML `kind` says which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum HandlerConfig {
    /// `console`: standard error.
    Console(ConsoleConfig),
    /// `file`: a file that may be rotated.
    File(FileConfig),
}

/// [`Console`] as data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleConfig {
    /// The least important level that it takes, such as `warn`; all unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Levels by target, such as `info,noisy=off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directives: Option<String>,
    /// The processes whose records it takes; a `*` at the end of a name stands for any rest. All unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<Vec<String>>,
    /// `text`, `json`, or a [`Pattern`](crate::Pattern).
    #[serde(with = "values::format")]
    pub format: Format,
    /// Whether levels are coloured. Unless given that depends on the terminal and on `NO_COLOR`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colors: Option<bool>,
}

/// [`RotatingFile`] as data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// The file.
    pub path: PathBuf,
    /// The least important level that it takes, such as `warn`; all unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Levels by target, such as `info,noisy=off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directives: Option<String>,
    /// The processes whose records it takes; a `*` at the end of a name stands for any rest. All unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processes: Option<Vec<String>>,
    /// `text`, `json`, or a [`Pattern`](crate::Pattern).
    #[serde(default, with = "values::format")]
    pub format: Format,
    /// The size that it does not exceed: a number, or a text such as `100MiB`. 0: size does not matter.
    #[serde(default, with = "values::size")]
    pub max_bytes: u64,
    /// How many old files are kept.
    #[serde(default)]
    pub backups: u32,
    /// The unit of rotation by time: `S`, `M`, `H`, `D`, `midnight` or `W0` (Monday) to `W6`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// How many units; 1 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u32>,
    /// The time of day for `midnight` and `W0` to `W6`, such as `12:30` or `23:59:59`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Whether rotation by time goes by UTC, not local time.
    #[serde(default)]
    pub utc: bool,
    /// Whether old files are compressed.
    #[serde(default)]
    pub gzip: bool,
    /// Whether the file is opened with the first record, and not before.
    #[serde(default)]
    pub delay: bool,
}

impl FileConfig {
    /// A file that is never rotated and takes everything.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            level: None,
            directives: None,
            processes: None,
            format: Format::default(),
            max_bytes: 0,
            backups: 0,
            when: None,
            every: None,
            at: None,
            utc: false,
            gzip: false,
            delay: false,
        }
    }
}

impl HandlerConfig {
    /// What the handler takes: what both its level and its directives let through.
    pub(super) fn levels(&self, name: &str) -> Result<Directives, ConfigError> {
        let (level, directives) = match self {
            Self::Console(config) => (&config.level, &config.directives),
            Self::File(config) => (&config.level, &config.directives),
        };
        let all = || Ok(LevelFilter::TRACE);
        let level = level.as_deref().map_or_else(all, str::parse);
        let level = Directives::from(level.map_err(|error| fault(format!("handlers.{name}.level"), error))?);
        let Some(directives) = directives else { return Ok(level) };
        let directives: Result<Directives, _> = directives.parse();
        Ok(level
            .intersection(&directives.map_err(|error| fault(format!("handlers.{name}.directives"), error))?))
    }

    pub(super) fn build(&self, name: &str) -> Result<Box<dyn Handler>, ConfigError> {
        match self {
            Self::Console(config) => Ok(config.build()),
            Self::File(config) => config.build(name),
        }
    }
}

impl ConsoleConfig {
    fn build(&self) -> Box<dyn Handler> {
        let mut console = Console::stderr().format(self.format.clone());
        if let Some(colors) = self.colors {
            console = console.colors(colors);
        }
        of_processes(console, self.processes.as_deref())
    }
}

impl FileConfig {
    fn build(&self, name: &str) -> Result<Box<dyn Handler>, ConfigError> {
        self.refuse_idle(name)?;
        let mut file = RotatingFile::builder(&self.path)
            .max_bytes(self.max_bytes)
            .backups(self.backups)
            .gzip(self.gzip)
            .delay(self.delay);
        if let Some(schedule) = self.schedule(name)? {
            file = file.schedule(schedule);
        }
        let file = file.open().map_err(|source| ConfigError::Open { handler: name.to_owned(), source })?;
        Ok(of_processes(file.format(self.format.clone()), self.processes.as_deref()))
    }

    fn schedule(&self, name: &str) -> Result<Option<Schedule>, ConfigError> {
        let Some(when) = &self.when else { return Ok(None) };
        let when: When = when.parse().map_err(|error| fault(format!("handlers.{name}.when"), error))?;
        let mut schedule = Schedule::new(when).every(self.every.unwrap_or(1));
        if self.utc {
            schedule = schedule.utc();
        }
        if let Some(at) = &self.at {
            let key = || format!("handlers.{name}.at");
            let daily = matches!(when, When::Midnight | When::Weekday(_));
            let (hour, minute, second) = values::time_of_day(at)
                .filter(|_| daily)
                .ok_or_else(|| fault(key(), format!("`{at}` is no time of day, or `when` names no day")))?;
            schedule = schedule.at(hour, minute, second);
        }
        Ok(Some(schedule))
    }

    /// What would have no effect is refused.
    fn refuse_idle(&self, name: &str) -> Result<(), ConfigError> {
        let (timed, sized, kept) = (self.when.is_some(), self.max_bytes > 0, self.backups > 0);
        let idle = [
            ("every", self.every.is_some() && !timed, "`when`"),
            ("at", self.at.is_some() && !timed, "`when`"),
            ("utc", self.utc && !timed, "`when`"),
            ("max_bytes", sized && !kept && !timed, "`backups` or `when`"),
            ("backups", kept && !sized && !timed, "`max_bytes` or `when`"),
            ("gzip", self.gzip && !sized && !timed, "`max_bytes` or `when`"),
        ];
        match idle.iter().find(|(_, idle, _)| *idle) {
            Some((key, _, needed)) => {
                Err(fault(format!("handlers.{name}.{key}"), format!("has no effect without {needed}")))
            }
            None => Ok(()),
        }
    }
}

fn of_processes(handler: impl Handler + 'static, names: Option<&[String]>) -> Box<dyn Handler> {
    let Some(names) = names else { return Box::new(handler) };
    let names = names.to_vec();
    Box::new(handler.only(move |record| names.iter().any(|name| matches(name, record))))
}

fn matches(name: &str, record: &Record) -> bool {
    match name.strip_suffix('*') {
        Some(start) => record.process.starts_with(start),
        None => record.process == name,
    }
}
