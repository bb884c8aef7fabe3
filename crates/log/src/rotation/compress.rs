//! Compresses old files with gzip, one at a time, in a thread of its own.
//!
//! An old file is there whole in one of its forms at every moment: the compressed one gets its name when it is
//! complete, and the plain one goes after that. Which file is to be compressed is decided elsewhere.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::backups::{Family, append, compressed, exists, remove, rename};
use super::explain;

/// What stands behind the name of a compressed file in the making.
const PART: &str = ".part";

/// The thread that compresses, if it is at work.
#[derive(Debug, Default)]
pub(crate) struct Compressor {
    job: Option<JoinHandle<io::Result<()>>>,
}

impl Compressor {
    /// Begins with `path`. The job before must have been waited for.
    pub(crate) fn start(&mut self, path: PathBuf) -> io::Result<()> {
        let thread = thread::Builder::new().name("log-gzip".to_owned());
        let job = thread.spawn(move || compress(&path))?;
        self.job = Some(job);
        Ok(())
    }

    /// Waits until the job is done: before that, the old files must not be moved.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let Some(job) = self.job.take() else { return Ok(()) };
        job.join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that compresses old log files panicked")))
    }

    /// What became of the job, if it is over.
    pub(crate) fn poll(&mut self) -> io::Result<()> {
        if self.job.as_ref().is_some_and(JoinHandle::is_finished) { self.finish() } else { Ok(()) }
    }
}

/// Puts `path.gz` in the place of `path`. After an error `path` is as it was.
fn compress(path: &Path) -> io::Result<()> {
    let target = compressed(path);
    let part = append(&target, PART);
    let written = write_compressed(path, &part);
    written.map_err(|error| {
        // What is left of it is in the way of nothing, and the next start removes it.
        drop(fs::remove_file(&part));
        explain(&error, format_args!("compress {}", path.display()))
    })?;
    rename(&part, &target)?;
    remove(path)
}

fn write_compressed(path: &Path, part: &Path) -> io::Result<()> {
    let mut plain = File::open(path)?;
    let file = File::create(part)?;
    let mut encoder = GzEncoder::new(file, Compression::default());
    io::copy(&mut plain, &mut encoder)?;
    let file = encoder.finish()?;
    file.set_permissions(plain.metadata()?.permissions())?;
    file.set_modified(plain.metadata()?.modified()?)?;
    // The plain file is about to go.
    file.sync_all()
}

/// Tidies up after a program that was killed while it compressed the old file with this tail.
pub(crate) fn recover(family: &Family, tail: &str) -> io::Result<()> {
    let plain = family.with_tail(tail);
    let gz = compressed(&plain);
    remove(&append(&gz, PART))?;
    if exists(&plain) && exists(&gz) {
        // Either it was about to be removed, or the other is not what it should be.
        remove(if holds(&gz, &plain)? { &plain } else { &gz })?;
    }
    Ok(())
}

/// Whether a compressed file holds what the plain one does. It may be torn, or an older file's.
fn holds(gz: &Path, plain: &Path) -> io::Result<bool> {
    let mut plain = BufReader::new(File::open(plain)?);
    let mut unpacked = BufReader::new(MultiGzDecoder::new(File::open(gz)?));
    loop {
        let Ok(found) = unpacked.fill_buf() else { return Ok(false) };
        let wanted = plain.fill_buf()?;
        let len = found.len().min(wanted.len());
        if len == 0 || found[..len] != wanted[..len] {
            return Ok(found.is_empty() && wanted.is_empty());
        }
        unpacked.consume(len);
        plain.consume(len);
    }
}
