//! Runs what was set aside, alone and in this thread, for a debugger.
//!
//! It catches panics to report them; a crash is a crash.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::Certificate;
use super::certificate::{Place, from_hex, origin};
use super::folder::{QuarantineFolder, ids};
use crate::error::Error;
use crate::exec::Setup;
use crate::flight::new_page;
use crate::input::{InputFile, Plan};
use crate::job::Stages;
use crate::output::{ByteSink, Format, PairWriter};
use crate::result::{AtPath, BoxError, Result, chain};
use crate::run::SpillSettings;
use crate::runner::catch;
use crate::task::{FailureKind, TaskEnv};
use crate::workdir::WorkPaths;

/// What was set aside, as it is stored.
#[derive(Debug)]
pub(crate) enum Stored {
    /// A record in a file of its own, and the path and ordinal of the input that it is from.
    Record { file: InputFile, original: Option<PathBuf>, ordinal: u32 },
    /// A group in a run of its own.
    Group { run: PathBuf },
}

/// Runs the record or group `id` that the job with the output folder `output` has set aside. What it emits is printed.
///
/// # Errors
/// When user code fails again, or there is no such record.
pub(crate) fn replay(stages: &dyn Stages, job: &str, output: &Path, id: &str) -> Result<(), Error> {
    let folder = QuarantineFolder::beside(output, false);
    let stored = find(folder.path(), job, id)?;
    let env = env(job, folder.path())?;
    let format = if stages.raw_output() { Format::Raw } else { Format::Text };
    let mut writer = PairWriter::new(format, Box::new(Printer));
    env.flight.begin(0, 1);
    let done = catch(&env.flight, || stages.replay(&stored, &env, &mut writer));
    let failed = |kind: FailureKind| -> Error { BoxError::from(told(id, &kind)).into() };
    writer.flush()?;
    match done {
        Ok(Ok(())) => Ok(writer.finish().map(drop)?),
        Ok(Err(error)) => Err(failed(FailureKind::Returned { message: chain(&*error) })),
        Err(panic) => Err(failed(panic.into())),
    }
}

fn told(id: &str, kind: &FailureKind) -> String {
    match kind {
        FailureKind::Panicked { backtrace, .. } => format!("{id} failed: {kind}\n{}", backtrace.trim_end()),
        _ => format!("{id} failed: {kind}"),
    }
}

fn find(folder: &Path, job: &str, id: &str) -> Result<Stored, Error> {
    let usage = |why: String| Err(Error::usage(format!("--replay {id}: {why}")));
    let known = ids(folder);
    if known.is_empty() {
        return usage(format!("nothing was set aside in {}", folder.display()));
    }
    if !known.iter().any(|known| known == id) {
        return usage(format!("there is no such record in {}, only {}", folder.display(), some(&known)));
    }
    let path = folder.join(format!("{id}.json"));
    let text = fs::read(&path).at("read", &path)?;
    let certificate: Certificate = match serde_json::from_slice(&text) {
        Ok(certificate) => certificate,
        Err(error) => return usage(format!("{} is no certificate: {error}", path.display())),
    };
    if certificate.job != job {
        return usage(format!("it is of the job {:?}, not of {job:?}", certificate.job));
    }
    match certificate.place {
        Some(Place::Record { path, path_hex, file, origin: from, .. }) => {
            let record = folder.join(format!("{id}.record"));
            let metadata = fs::metadata(&record).at("examine", &record)?;
            let original = match path_hex.as_deref().and_then(from_hex) {
                Some(bytes) => Some(OsString::from_vec(bytes).into()),
                None => path.map(PathBuf::from),
            };
            Ok(Stored::Record {
                file: InputFile::new(record, &metadata, origin(&from)),
                original,
                ordinal: file,
            })
        }
        Some(Place::Group { .. }) => Ok(Stored::Group { run: folder.join(format!("{id}.run")) }),
        None => usage(format!("{} does not say what it is of", path.display())),
    }
}

/// The first of them, for a message.
fn some(ids: &[String]) -> String {
    const SHOWN: usize = 20;
    let more = if ids.len() > SHOWN { ", …" } else { "" };
    ids[..ids.len().min(SHOWN)].join(", ") + more
}

/// Surroundings in which nothing is written anywhere.
fn env(job: &str, folder: &Path) -> Result<Arc<TaskEnv>> {
    let setup = Setup {
        job: job.to_owned(),
        params: Vec::new(),
        paths: WorkPaths::at(folder.to_owned()),
        partitions: 1,
        buckets: 1,
        format: Format::Text,
        memory: 1 << 20,
        flush_after: Duration::ZERO,
        durable: false,
        spilling: SpillSettings::default(),
        session: 1,
        inject: None,
        hardships: crate::hardships::Hardships::default(),
    };
    let plan = Plan { files: Vec::new(), splits: Vec::new(), total_bytes: 0 };
    Ok(setup.env("Replay", 1, Arc::new(plan), new_page()?))
}

/// Standard output.
struct Printer;

impl ByteSink for Printer {
    fn write(&mut self, bytes: &[u8], _pairs: u64) -> Result {
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        Ok(out.flush()?)
    }
}
