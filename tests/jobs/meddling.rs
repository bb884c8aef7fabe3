//! Jobs that change their own input while it is being read, or fail on demand.
//!
//! They are what a careless user, or another program, would do.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, ValueEnum};
use gristmill::{App, Emitter, Job, Mapper, Result, Sum, Text};
use serde::{Deserialize, Serialize};

/// What the job `meddle` does when it meets a line `now`.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
struct Meddle {
    /// The kind of change
    #[arg(long, value_enum)]
    how: How,
    /// The file to change
    #[arg(long)]
    file: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize, Deserialize)]
enum How {
    Append,
    Truncate,
    Touch,
    Remove,
    Folder,
    Nothing,
    Fail,
}

#[derive(Clone)]
struct Meddler {
    orders: Meddle,
}

pub(crate) fn register(app: App) -> App {
    app.job("meddle", |orders: Meddle| Job::new(Meddler { orders }).fold_with(Sum))
}

impl Mapper for Meddler {
    type Input = Text;
    type Key = String;
    type Value = u64;

    fn map(&mut self, line: &str, out: &mut Emitter<'_, String, u64>) -> Result {
        if line == "now" {
            self.orders.carry_out()?;
        }
        out.emit(line, 1)
    }
}

impl Meddle {
    fn carry_out(&self) -> Result {
        let file = &self.file;
        match self.how {
            How::Append => OpenOptions::new().append(true).open(file)?.write_all(b"more\n")?,
            How::Truncate => OpenOptions::new().write(true).open(file)?.set_len(1)?,
            How::Touch => File::open(file)?.set_modified(SystemTime::UNIX_EPOCH)?,
            How::Remove => fs::remove_file(file)?,
            How::Folder => {
                fs::remove_file(file)?;
                fs::create_dir(file)?;
            }
            How::Nothing => {}
            How::Fail => return Err(format!("asked to fail at {}", file.display()).into()),
        }
        Ok(())
    }
}
