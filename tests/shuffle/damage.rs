//! A job that damages a committed run of its own while it runs.
//!
//! What becomes of it is the library's business.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use gristmill::bstr::{BStr, BString};
use gristmill::{App, DynJob, Emitter, Group, Job, Out, Result, Values, map_lines, reduce_fn};
use serde::{Deserialize, Serialize};

/// The record at which the mapper does it.
const BOOM: &[u8] = b"boom";

/// What the job does to a run.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
struct Damage {
    /// Folder of the runs
    #[arg(long)]
    runs: PathBuf,
    /// Made when it is done, and not done again
    #[arg(long)]
    mark: PathBuf,
    #[arg(long, value_enum)]
    at: At,
    #[arg(long, value_enum)]
    how: How,
    /// The place in a run, in hundredths of its length
    #[arg(long, default_value_t = 50)]
    place: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
enum At {
    /// At the record that says so
    Map,
    /// At the first key of the first partition
    Reduce,
}

#[derive(Debug, Clone, Copy, ValueEnum, Serialize, Deserialize)]
enum How {
    Flip,
    Cut,
    Remove,
}

impl Damage {
    fn strike(&self, here: At) -> Result {
        if self.at != here {
            return Ok(());
        }
        match File::create_new(&self.mark) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
            made => drop(made?),
        }
        let run = |entry: &fs::DirEntry| entry.path().extension().is_some_and(|name| name == "run");
        let path = fs::read_dir(&self.runs)?.flatten().find(run).ok_or("no run is committed yet")?.path();
        let file = File::options().read(true).write(true).open(&path)?;
        let place = file.metadata()?.len() * self.place / 100;
        match self.how {
            How::Cut => file.set_len(place)?,
            How::Remove => fs::remove_file(&path)?,
            How::Flip => {
                let mut byte = [0];
                file.read_exact_at(&mut byte, place)?;
                file.write_all_at(&[byte[0] ^ 0x20], place)?;
            }
        }
        Ok(())
    }
}

/// Counts the lines of each kind, without a combiner.
fn job(args: Damage) -> DynJob {
    let mapping = args.clone();
    let map = move |line: &[u8], out: &mut Emitter<'_, BString, u64>| {
        if line == BOOM {
            mapping.strike(At::Map)?;
        }
        out.emit(BStr::new(line), 1)
    };
    let count =
        move |key: Group<'_, BString>, mut values: Values<'_, u64>, out: &mut Out<'_, BString, u64>| {
            args.strike(At::Reduce)?;
            let mut count = 0;
            while values.next()?.is_some() {
                count += 1;
            }
            out.emit(BStr::new(key.bytes()), &count)
        };
    Job::new(map_lines(map)).reduce_with(reduce_fn(count)).into_dyn()
}

pub(crate) fn register(app: App) -> App {
    app.job("damage", job)
}
