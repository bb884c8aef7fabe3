//! A listener, its handlers and the levels as data: from TOML, from code, or from any other format that serde reads.
//!
//! Whatever it does not know it refuses by name. What the parts do is the business of those that are built from it.

mod handlers;
mod values;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use handlers::{ConsoleConfig, FileConfig, HandlerConfig};

use crate::{Level, Listener, ListenerBuilder, ListenerHandle, OpenError, Patience, StartError};

/// A whole logging setup.
///
/// ```
/// use gristmill_log::Config;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("program.log");
/// let text = r#"
///     [listener]
///     levels = { default = "info", noisy = "warn" }
///     queue_bytes = "256KiB"
///     patience = "5s"
///     patience_for = { debug = "0s", trace = "0s" }
///
///     [handlers.console]
///     kind = "console"
///     level = "warn"
///
///     [handlers.file]
///     kind = "file"
///     path = "PATH"
///     format = "{time} {process:<10} {level} {message}"
///     max_bytes = "100MiB"
///     when = "midnight"
///     backups = 30
///     gzip = true
/// "#;
/// # let text = text.replace("PATH", path.to_str().expect("UTF-8"));
/// let listener = Config::from_toml(&text)?.start()?;
/// # drop(listener);
///
/// let error = Config::from_toml("[listener]\nlevel = 'info'").expect_err("an unknown key");
/// assert!(error.to_string().contains("unknown field `level`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The listener.
    pub listener: ListenerConfig,
    /// The handlers by name. Records go to them in the order of their names.
    pub handlers: BTreeMap<String, HandlerConfig>,
}

/// The listener as data; see [`ListenerBuilder`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListenerConfig {
    /// The process name in records of this process that have none.
    pub name: String,
    /// The levels of processes that are told no others: directives such as `info,noisy=warn`. In TOML also a table of
    /// targets with levels, and `default`.
    #[serde(deserialize_with = "values::levels")]
    pub levels: String,
    /// The size of each process's queue: a number, or a text such as `256KiB`.
    #[serde(with = "values::size")]
    pub queue_bytes: u64,
    /// How many records each process's queue takes at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_records: Option<u64>,
    /// How long a record waits for room in a full queue, such as `5s`.
    #[serde(with = "values::duration")]
    pub patience: Duration,
    /// The same for single levels.
    #[serde(with = "values::durations")]
    pub patience_for: BTreeMap<String, Duration>,
}

impl Default for ListenerConfig {
    fn default() -> Self {
        Self {
            name: "main".to_owned(),
            levels: "info".to_owned(),
            queue_bytes: 256 << 10,
            queue_records: None,
            patience: Duration::from_secs(5),
            patience_for: BTreeMap::new(),
        }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The text is not what it should be.
    #[error("the log configuration is invalid: {0}")]
    Toml(#[from] toml::de::Error),
    /// A value makes no sense.
    #[error("{key}: {fault}")]
    Value {
        /// The key, such as `handlers.file.when`.
        key: String,
        /// What is wrong with it.
        fault: String,
    },
    /// A log file cannot be opened.
    #[error("handlers.{handler}")]
    Open {
        /// The handler's name.
        handler: String,
        /// Which file, and why.
        source: OpenError,
    },
    /// The listener cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// When the text is not TOML, a key is unknown or a value has the wrong form; the error says where.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Ok(toml::from_str(text)?)
    }

    /// Opens the handlers and describes the listener, so that more can be added to it.
    ///
    /// # Errors
    /// When a value makes no sense or a file cannot be opened; the error names it.
    pub fn builder(&self) -> Result<ListenerBuilder, ConfigError> {
        let mut builder = self.listener.builder()?;
        for (name, handler) in &self.handlers {
            builder = builder.named_handler(name, handler.levels(name)?, handler.build(name)?);
        }
        Ok(builder)
    }

    /// Starts the listener.
    ///
    /// # Errors
    /// Those of [`builder`](Self::builder), and when the listener cannot be started.
    pub fn start(&self) -> Result<Listener, ConfigError> {
        Ok(self.builder()?.start()?)
    }
}

impl Config {
    /// Lets a running listener, started from an earlier state of this configuration, have the levels that are said
    /// now: those of its handlers and, in all processes, `listener.levels`. Nothing else is changed, and nothing at all
    /// if there is an error.
    ///
    /// # Errors
    /// When levels make no sense or the listener has no handler of a name; the error names it.
    pub fn update_levels(&self, listener: &ListenerHandle) -> Result<(), ConfigError> {
        let mut levels = Vec::new();
        for (name, handler) in &self.handlers {
            let unknown = |error| fault(format!("handlers.{name}"), error);
            levels.push((listener.handler_levels(name).map_err(unknown)?, handler.levels(name)?));
        }
        listener.set_levels(&self.listener.levels).map_err(|error| fault("listener.levels", error))?;
        levels.into_iter().for_each(|(handler, levels)| handler.set(levels));
        Ok(())
    }
}

impl ListenerConfig {
    fn builder(&self) -> Result<ListenerBuilder, ConfigError> {
        let bytes =
            usize::try_from(self.queue_bytes).map_err(|error| fault("listener.queue_bytes", error))?;
        let builder = Listener::builder().name(&self.name).ring_bytes(bytes).patience(self.patience()?);
        let builder = match self.queue_records {
            Some(records) => builder.queue_records(records),
            None => builder,
        };
        builder.levels(&self.levels).map_err(|error| fault("listener.levels", error))
    }

    fn patience(&self) -> Result<Patience, ConfigError> {
        let mut patience = Patience::new(self.patience);
        for (name, time) in &self.patience_for {
            let level: Level =
                name.parse().map_err(|error| fault(format!("listener.patience_for.{name}"), error))?;
            patience = patience.level(level, *time);
        }
        Ok(patience)
    }
}

fn fault(key: impl Into<String>, fault: impl ToString) -> ConfigError {
    ConfigError::Value { key: key.into(), fault: fault.to_string() }
}

#[cfg(test)]
mod tests;
