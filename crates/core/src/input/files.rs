//! Finds the input files: what the user named becomes a list of regular files with sizes and times.
//!
//! It reads no contents and cuts nothing; `glob` matches patterns, `plan` makes splits.
//!
//! The files stand in the order in which they were named, sorted by the bytes of their paths within each folder or
//! pattern. A file that is named twice is read twice.

use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::fs::Access;

use super::error::InputError;
use super::file::{InputFile, Origin};
use super::glob;

/// From this many paths on, several threads ask for the sizes.
const PARALLEL: usize = 1024;

/// From this many folders on, several threads list them.
const PARALLEL_FOLDERS: usize = 16;

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
    let found = each(inputs, PARALLEL, find_one)?;
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
            files => Ok(files),
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
    let (mut files, mut single) = (Vec::new(), Vec::new());
    for (path, kind) in glob::matches(pattern)? {
        let kind = if kind.is_symlink() { metadata(&path)?.file_type() } else { kind };
        if kind.is_dir() {
            files.append(&mut folder(&path)?);
        } else if kind.is_file() {
            single.push(path);
        }
    }
    files.append(&mut each(&single, PARALLEL, |path| describe(path, Origin::File))?);
    if files.is_empty() {
        return Err(InputError::EmptyPattern { pattern: pattern.display().to_string() });
    }
    sort(&mut files);
    Ok(files)
}

/// Every regular file below `root`, in byte order of paths.
///
/// It goes down level by level: several threads can list the folders of one, and depth costs no stack.
fn folder(root: &Path) -> Result<Vec<InputFile>, InputError> {
    let (mut files, mut level) = (Vec::new(), vec![root.to_path_buf()]);
    while !level.is_empty() {
        let found = each(&level, PARALLEL_FOLDERS, |folder| list(folder))?;
        level.clear();
        for entry in found.into_iter().flatten() {
            match entry {
                Entry::File(file) => files.push(file),
                Entry::Folder(path) => level.push(path),
                Entry::Other => {}
            }
        }
    }
    sort(&mut files);
    Ok(files)
}

/// What stands in a folder.
enum Entry {
    File(InputFile),
    Folder(PathBuf),
    /// A link or a special file.
    Other,
}

fn list(folder: &Path) -> Result<Vec<Entry>, InputError> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    each(&entries.map_err(|error| InputError::at(folder, error))?, PARALLEL, examine)
}

/// The system looks a file up in the folder that is open, which is cheaper than by the whole path.
fn examine(entry: &DirEntry) -> Result<Entry, InputError> {
    let path = entry.path();
    let fail = |error| InputError::at(&path, error);
    let kind = entry.file_type().map_err(fail)?;
    if kind.is_file() {
        let metadata = entry.metadata().map_err(fail)?;
        check_access(&path, &metadata)?;
        return Ok(Entry::File(InputFile::new(path, &metadata, Origin::File)));
    }
    Ok(if kind.is_dir() { Entry::Folder(path) } else { Entry::Other })
}

/// Orders by the bytes of whole paths: `Path`'s own order compares components, which puts `a/b` before `a-b`.
fn sort(files: &mut [InputFile]) {
    let by_path =
        |a: &InputFile, b: &InputFile| a.path.as_os_str().as_bytes().cmp(b.path.as_os_str().as_bytes());
    if files.len() < PARALLEL {
        files.sort_unstable_by(by_path);
    } else {
        files.par_sort_unstable_by(by_path);
    }
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

/// Applies `f` to each, from `parallel` items on with several threads; of several errors the first in order is returned.
fn each<T: Sync, R: Send>(
    items: &[T],
    parallel: usize,
    f: impl Fn(&T) -> Result<R, InputError> + Send + Sync,
) -> Result<Vec<R>, InputError> {
    if items.len() < parallel {
        return items.iter().map(f).collect();
    }
    let results: Vec<_> = items.par_iter().map(f).collect();
    results.into_iter().collect()
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
