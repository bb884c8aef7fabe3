//! Sets up the listener of a program that runs jobs: console, log file, the last records of each worker.
//!
//! It decides which handlers there are; what they do is the log crate's business.

use std::io::{self, Write};
use std::str::FromStr;

use gristmill_log::{
    Console, Format, Handler, Level, LevelFilter, Listener, Record, RotateOptions, RotatingFile, install,
};
use indicatif::MultiProgress;
use tracing_subscriber::filter::Targets;

use super::cli::{LogArgs, LogFormat};
use crate::error::Error;
use crate::exec::LogTail;
use crate::result::{BoxError, chain};

const DEFAULT_FILE_LEVEL: &str = "info";
const DEFAULT_BACKUPS: u32 = 5;

/// A running listener and the filter that workers apply.
pub(super) struct Logging {
    pub(super) listener: Listener,
    pub(super) filter: String,
    pub(super) tail: LogTail,
}

/// Starts the listener and sends this process's own records to it.
pub(super) fn start(args: &LogArgs, bars: &MultiProgress) -> Result<Logging, Error> {
    let console = filter("--log-level", &args.log_level)?;
    let file_level = args.log_file_level.as_deref().unwrap_or(DEFAULT_FILE_LEVEL);
    let file = args.log_file.is_some().then(|| filter("--log-file-level", file_level)).transpose()?;
    let tail = LogTail::default();
    let filter = worker_filter(args, &console, file.as_ref());
    let stderr = Console::new(Box::new(BesideBars { bars: bars.clone() })).level(LevelFilter::TRACE);
    let mut builder =
        Listener::builder().handler(Filtered { targets: console, inner: stderr }).handler(tail.clone());
    if let (Some(path), Some(targets)) = (&args.log_file, file) {
        let options = RotateOptions {
            max_bytes: args.log_max_bytes.unwrap_or(0),
            backups: args.log_backups.unwrap_or(DEFAULT_BACKUPS),
        };
        let format = if args.log_format == LogFormat::Json { Format::Json } else { Format::Text };
        let inner = RotatingFile::open(path, options)
            .map_err(|error| Error::usage(format!("--log-file: {}", chain(&error))))?;
        builder =
            builder.handler(Filtered { targets, inner: inner.level(LevelFilter::TRACE).format(format) });
    }
    let listener = builder.start().map_err(BoxError::from)?;
    let endpoint = listener.handle().endpoint("main", &filter).map_err(BoxError::from)?;
    install(endpoint).map_err(BoxError::from)?;
    Ok(Logging { listener, filter, tail })
}

fn filter(option: &str, text: &str) -> Result<Targets, Error> {
    Targets::from_str(text).map_err(|error| Error::usage(format!("{option} {text}: {error}")))
}

/// What workers send must be enough for every handler.
fn worker_filter(args: &LogArgs, console: &Targets, file: Option<&Targets>) -> String {
    match file {
        None => args.log_level.clone(),
        Some(file) => {
            let widest = |targets: &Targets| {
                targets.iter().map(|(_, level)| level).chain(targets.default_level()).max()
            };
            widest(console).max(widest(file)).unwrap_or(LevelFilter::OFF).to_string()
        }
    }
}

/// A handler behind directives.
struct Filtered<H> {
    targets: Targets,
    inner: H,
}

impl<H: Handler> Handler for Filtered<H> {
    fn accepts(&self, level: &Level, target: &str) -> bool {
        self.targets.would_enable(target, level) && self.inner.accepts(level, target)
    }

    fn handle(&mut self, record: &Record) -> io::Result<()> {
        self.inner.handle(record)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Standard error, with the progress bars out of the way while a record is written.
struct BesideBars {
    bars: MultiProgress,
}

impl Write for BesideBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bars.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
