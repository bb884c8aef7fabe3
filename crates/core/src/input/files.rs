//! Finds the input files: what the user named becomes a list of regular files with sizes and times.
//!
//! It reads no contents and cuts nothing; `glob` matches patterns, `plan` makes splits.
//!
//! The files stand in the order in which they were named, sorted by the bytes of their paths within each folder or
//! pattern. A file that is named twice is read twice.

use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::fs::Access;
use walkdir::WalkDir;

use super::error::InputError;
use super::file::{InputFile, Origin};
use super::glob;

/// From this many paths on, several threads ask for the sizes.
const PARALLEL: usize = 1024;

/// One input as the caller names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    /// A file, a folder or a pattern; a `-` here is a file of that name.
    Path(PathBuf),
    /// The file into which standard input was spooled.
    Stdin(PathBuf),
}

/// Finds every file that `inputs` name.
///
/// A folder means every regular file below it, hidden ones too; links and special files in it are passed over. A
/// pattern (`*`, `?`, `[a-z]`, `{a,b}`, `**`) is tried only where no file has that very name; a folder that it matches
/// means the files below it, a link that it matches is followed.
pub(crate) fn find(inputs: &[Given]) -> Result<Vec<InputFile>, InputError> {
    let found = each(inputs, find_one)?;
    Ok(found.into_iter().flatten().collect())
}

fn find_one(input: &Given) -> Result<Vec<InputFile>, InputError> {
    match input {
        Given::Stdin(path) => Ok(vec![describe(path, Origin::Stdin)?]),
        Given::Path(path) => match fs::metadata(path) {
            Ok(metadata) => named(path, &metadata),
            Err(error) if glob::may_be_pattern(path, &error) => matching(path),
            Err(error) => Err(InputError::at(path, error)),
        },
    }
}

fn named(path: &Path, metadata: &Metadata) -> Result<Vec<InputFile>, InputError> {
    if metadata.is_dir() {
        return match folder(path)? {
            files if files.is_empty() => Err(InputError::EmptyFolder { path: path.into() }),
            files => describe_all(files),
        };
    }
    match special(metadata) {
        Some(kind) => Err(InputError::Special { path: path.into(), kind }),
        None => {
            check_access(path, metadata)?;
            Ok(vec![InputFile::new(path.into(), metadata, Origin::File)])
        }
    }
}

/// The files of a pattern; special files that it matches are passed over as in a folder.
fn matching(pattern: &Path) -> Result<Vec<InputFile>, InputError> {
    let mut files = Vec::new();
    for (path, kind) in glob::matches(pattern)? {
        let kind = if kind.is_symlink() { metadata(&path)?.file_type() } else { kind };
        if kind.is_dir() {
            files.append(&mut folder(&path)?);
        } else if kind.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(InputError::EmptyPattern { pattern: pattern.display().to_string() });
    }
    sort(&mut files);
    describe_all(files)
}

/// Every regular file below `root`, in byte order of paths.
fn folder(root: &Path) -> Result<Vec<PathBuf>, InputError> {
    let mut files = Vec::new();
    for entry in WalkDir::new(root) {
        let entry = entry.map_err(|error| walk_error(root, error))?;
        if entry.file_type().is_file() {
            files.push(entry.into_path());
        }
    }
    sort(&mut files);
    Ok(files)
}

/// Orders by the bytes of whole paths: `Path`'s own order compares components, which puts `a/b` before `a-b`.
fn sort(files: &mut [PathBuf]) {
    files.sort_unstable_by(|a, b| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
}

pub(super) fn walk_error(root: &Path, error: walkdir::Error) -> InputError {
    let path = error.path().unwrap_or(root).to_path_buf();
    InputError::at(&path, error.into())
}

fn describe_all(paths: Vec<PathBuf>) -> Result<Vec<InputFile>, InputError> {
    each(&paths, |path| describe(path, Origin::File))
}

fn describe(path: &Path, origin: Origin) -> Result<InputFile, InputError> {
    let metadata = metadata(path)?;
    check_access(path, &metadata)?;
    Ok(InputFile::new(path.into(), &metadata, origin))
}

fn metadata(path: &Path) -> Result<Metadata, InputError> {
    fs::metadata(path).map_err(|error| InputError::at(path, error))
}

/// Without this an unreadable file would show only in the task that opens it.
///
/// The system is asked only about a file that is not open to everyone: for many files the question costs as much as
/// their sizes.
fn check_access(path: &Path, metadata: &Metadata) -> Result<(), InputError> {
    const EVERYONE: u32 = 0o444;
    if metadata.mode() & EVERYONE == EVERYONE {
        return Ok(());
    }
    rustix::fs::access(path, Access::READ_OK).map_err(|error| InputError::at(path, error.into()))
}

fn special(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    match () {
        () if kind.is_file() => None,
        () if kind.is_fifo() => Some("named pipe"),
        () if kind.is_socket() => Some("socket"),
        () => Some("device"),
    }
}

/// Applies `f` to each, with several threads where that pays; of several errors the first in order is returned.
fn each<T: Sync, R: Send>(
    items: &[T],
    f: impl Fn(&T) -> Result<R, InputError> + Send + Sync,
) -> Result<Vec<R>, InputError> {
    if items.len() < PARALLEL {
        return items.iter().map(f).collect();
    }
    let results: Vec<_> = items.par_iter().map(f).collect();
    results.into_iter().collect()
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
