//! What can be wrong with the inputs: [`InputError`] before a job starts, [`ReadError`] inside a task attempt.
//!
//! Every message names the file or the pattern. How the job ends because of it is decided elsewhere.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The inputs of a job cannot be found or planned.
#[derive(Debug, Error)]
pub(crate) enum InputError {
    #[error("input {}: no such file or folder", .path.display())]
    Missing { path: PathBuf },
    #[error("input {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("input {}: is a {kind}, not a file or folder; pipe it to standard input and name `-`", .path.display())]
    Special { path: PathBuf, kind: &'static str },
    #[error("input folder {}: no file in it", .path.display())]
    EmptyFolder { path: PathBuf },
    #[error("input pattern {pattern}: no file matches")]
    EmptyPattern { pattern: String },
    #[error("input pattern {pattern}: {source}")]
    BadPattern { pattern: String, source: globset::Error },
    #[error("a chunk size of {chunk_size} cuts the input of {total} into more than {limit} splits")]
    TooManySplits { chunk_size: u64, total: u64, limit: u64 },
    #[error("{count} input files are too many: the limit is {}", u32::MAX)]
    TooManyFiles { count: usize },
    #[error("item {index}: {source}")]
    BadItem { index: u64, source: crate::result::BoxError },
    #[error("item {index}: {len} bytes are too long: the limit is {}", gristmill_ipc::codec::DECODE_LIMIT)]
    LongItem { index: u64, len: usize },
}

impl InputError {
    /// An error of the operating system at `path`.
    pub(crate) fn at(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => InputError::Missing { path: path.into() },
            _ => InputError::Unreadable { path: path.into(), source },
        }
    }
}

/// A piece of an input cannot be read as planned.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    #[error("input {name}: vanished during the run")]
    Vanished { name: String },
    #[error("input changed during the run: {name} (size was {planned}, is {found})")]
    Resized { name: String, planned: u64, found: u64 },
    #[error("input changed during the run: {name} (modified at {found}, planned as of {planned})")]
    Modified { name: String, planned: String, found: String },
    #[error("input changed during the run: {name} (it is no longer a file)")]
    NoFile { name: String },
    #[error("input {name}: {source}")]
    Open { name: String, source: io::Error },
    #[error("input {name}, offset {offset}: {source}")]
    Read { name: String, offset: u64, source: io::Error },
    #[error("input {name}, offset {offset}: no memory for a record of more than {len} bytes")]
    NoMemory { name: String, offset: u64, len: usize },
    #[error("input {name}, offset {offset}: byte {byte} of the line is not UTF-8")]
    NotUtf8 { name: String, offset: u64, byte: usize },
    #[error("input {name}, offset {offset}: {source}")]
    BadItem { name: String, offset: u64, source: crate::result::BoxError },
    #[error("input {name}, offset {offset}: a record of {len} bytes does not end in its piece")]
    CutRecord { name: String, offset: u64, len: u64 },
    #[error("input {name}: its size {size} is no multiple of the record length {record_len}")]
    NoMultiple { name: String, size: u64, record_len: usize },
    #[error("a record length of 0 cannot be read")]
    NoLength,
}
