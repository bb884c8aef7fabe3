//! Sets up the listener of a program that runs jobs: console, log file, the last records of each worker.
//!
//! It decides which handlers there are; what they do is the log crate's business.

use std::io::{self, Write};

use gristmill_log::{
    Console, Directives, Format, Handler, HangupGuard, Listener, RotatingFile, Schedule, reopen_on_hangup,
};
use indicatif::MultiProgress;

use super::log_args::{LogArgs, LogFormat};
use crate::error::Error;
use crate::exec::LogTail;
use crate::result::{BoxError, chain};

const DEFAULT_FILE_LEVEL: &str = "info";
/// Old files that are kept where size alone sets a file aside: such a log is meant to stay small.
const DEFAULT_BACKUPS: u32 = 5;

/// A running listener and the filter that workers apply.
pub(super) struct Logging {
    pub(super) listener: Listener,
    pub(super) filter: String,
    pub(super) tail: LogTail,
    /// While there is a log file, `SIGHUP` opens it anew.
    pub(super) hangup: Option<HangupGuard>,
}

/// Starts the listener and sends this process's own records to it.
pub(super) fn start(args: &LogArgs, bars: &MultiProgress) -> Result<Logging, Error> {
    let console = filter("--log-level", &args.log_level)?;
    let file_level = args.log_file_level.as_deref().unwrap_or(DEFAULT_FILE_LEVEL);
    let file_filter = filter("--log-file-level", file_level)?;
    let file = file(args)?;
    let tail = LogTail::default();
    // What workers send must be enough for every handler.
    let filter = if file.is_some() { console.union(&file_filter) } else { console.clone() }.to_string();
    let stderr = Console::stderr_by(BesideBars { bars: bars.clone() });
    let builder = Listener::builder().levels(&filter).map_err(BoxError::from)?;
    let mut builder = builder.handler(stderr.filtered(console)).handler(tail.clone());
    let has_file = file.is_some();
    if let Some(file) = file {
        builder = builder.handler(file.filtered(file_filter));
    }
    let listener = builder.start().map_err(BoxError::from)?;
    listener.install().map_err(BoxError::from)?;
    let hangup = has_file.then(|| reopen_on_hangup(listener.handle())).transpose();
    Ok(Logging { listener, filter, tail, hangup: hangup.map_err(BoxError::from)? })
}

fn filter(option: &str, text: &str) -> Result<Directives, Error> {
    text.parse().map_err(|error| Error::usage(format!("{option} {text}: {error}")))
}

/// The log file, if there is to be one.
fn file(args: &LogArgs) -> Result<Option<RotatingFile>, Error> {
    let Some(path) = &args.log_file else { return Ok(None) };
    let backups = match (args.log_backups, args.log_when) {
        (Some(0), None) => {
            return Err(Error::usage(
                "--log-backups 0: without old files the log file cannot be kept within --log-max-bytes",
            ));
        }
        (Some(backups), _) => backups,
        (None, None) => DEFAULT_BACKUPS,
        (None, Some(_)) => 0,
    };
    let mut file = RotatingFile::builder(path).max_bytes(args.log_max_bytes.unwrap_or(0)).backups(backups);
    if let Some(when) = args.log_when {
        file = file.schedule(Schedule::new(when));
    }
    let format = if args.log_format == LogFormat::Json { Format::Json } else { Format::Text };
    let file = file.open().map_err(|error| Error::usage(format!("--log-file: {}", chain(&error))))?;
    Ok(Some(file.format(format)))
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
