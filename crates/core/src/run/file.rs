//! Opens a committed run file and checks its index.
//!
//! It does not read rows: [`super::SegmentReader`] does.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use gristmill_ipc::codec;
use rustix::io::Errno;
use xxhash_rust::xxh3::xxh3_64;

use super::index::{RunIndex, Segment};
use super::ledger::Claim;
use super::pack::Codec;
use super::writer::{END, FOOTER, HEADER, MAGIC, VERSION};
use crate::disk::{self, Checksum};
use crate::os;
use crate::result::{AtPath, Result};

/// A run that is whole, open for reading.
#[derive(Debug)]
pub(crate) struct RunFile {
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) index: RunIndex,
    /// What a run that is never committed takes up; given back when it is closed, so it comes after the file.
    pub(super) _claim: Option<Claim>,
}

impl RunFile {
    /// Opens the run at `path`.
    ///
    /// # Errors
    /// When it cannot be read, is of another version, or its index is cut off or damaged.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = match disk::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged(path, "it is not there"));
            }
            Err(error) if is_of_device(&error) => return Err(damaged(path, &error.to_string())),
            opened => opened.at("open the run", path)?,
        };
        let len = file.metadata().at("examine the run", path)?.len();
        if len < HEADER + FOOTER {
            return Err(damaged(path, "it is too short"));
        }
        let header = read(&file, path, 0, HEADER)?;
        if header[..8] != MAGIC {
            return Err(damaged(path, "it does not begin as a run"));
        }
        if header[8..12] != VERSION.to_le_bytes() || header[12..] != [0; 4] {
            return Err(damaged(path, "it was written by another version"));
        }
        let index = read_index(&file, path, len)?;
        Ok(Self { path: path.to_owned(), file, index, _claim: None })
    }
}

impl RunFile {
    /// Reads all of `into` at `offset`.
    pub(crate) fn read(&self, into: &mut [u8], offset: u64) -> Result {
        read_exact(&self.file, &self.path, into, offset)
    }

    /// Has the system fetch a segment that is read soon, if it is on the disk only.
    pub(crate) fn will_need(&self, segment: usize) {
        let Segment { offset, len, .. } = self.index.segments[segment];
        os::will_need(&self.file, offset, len);
    }

    /// Compares the checksum of a segment with its bytes.
    pub(crate) fn check(&self, segment: usize, buffer: &mut [u8]) -> Result {
        let Segment { offset, len, checksum, .. } = self.index.segments[segment];
        let mut found = Checksum::new();
        let mut done = 0;
        while done < len {
            let piece = buffer.len().min(usize::try_from(len - done).unwrap_or(usize::MAX));
            self.read(&mut buffer[..piece], offset + done)?;
            found.update(&buffer[..piece]);
            done += piece as u64;
        }
        if found.digest() == checksum {
            return Ok(());
        }
        Err(damaged(&self.path, "the checksum of a segment is wrong"))
    }
}

fn read_index(file: &File, path: &Path, len: u64) -> Result<RunIndex> {
    let footer = read(file, path, len - FOOTER, FOOTER)?;
    if footer[24..] != END {
        return Err(damaged(path, "its end is missing"));
    }
    let (offset, size, checksum) = (word(&footer, 0), word(&footer, 8), word(&footer, 16));
    if offset < HEADER || offset.checked_add(size).and_then(|end| end.checked_add(FOOTER)) != Some(len) {
        return Err(damaged(path, "its index is out of place"));
    }
    let encoded = read(file, path, offset, size)?;
    if xxh3_64(&encoded) != checksum {
        return Err(damaged(path, "the checksum of its index is wrong"));
    }
    let index: RunIndex = codec::decode(&encoded)?;
    let fits = |segment: &Segment| {
        segment.offset >= HEADER
            && segment.offset.checked_add(segment.len).is_some_and(|end| end <= offset)
            && (segment.codec != Codec::None || segment.len == segment.raw_len)
    };
    if !index.segments.iter().all(fits) {
        return Err(damaged(path, "a segment is out of place"));
    }
    Ok(index)
}

fn read(file: &File, path: &Path, offset: u64, len: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(len)?];
    read_exact(file, path, &mut bytes, offset)?;
    Ok(bytes)
}

fn word(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// A run whose content is wrong, or that is not there. If it is a committed one, its map tasks can run again.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the run {} is damaged: {why}", path.display())]
pub(crate) struct DamagedRun {
    pub(crate) path: PathBuf,
    why: String,
}

/// The error for a run whose content is wrong.
pub(crate) fn damaged(path: &Path, why: &str) -> crate::result::BoxError {
    DamagedRun { path: path.to_owned(), why: why.to_owned() }.into()
}

/// Whether it is the disk that cannot give back what it was given: another file may fare better.
fn is_of_device(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::IO.raw_os_error())
}

/// Reads all of `into` at `offset` of the run at `path`.
fn read_exact(file: &File, path: &Path, into: &mut [u8], offset: u64) -> Result {
    match disk::read_exact_at(file, into, offset) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(damaged(path, "it is cut off")),
        Err(error) if is_of_device(&error) => Err(damaged(path, &error.to_string())),
        read => Ok(read.at("read", path)?),
    }
}
