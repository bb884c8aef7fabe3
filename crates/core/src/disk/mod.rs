//! Every call by which a job's own files are made, changed, read back and named: runs, spills, parts, plan, journal, list
//! of runs, work folder, output folder.
//!
//! Each is a *fault point*: on request the n-th one of a process misbehaves, as a full or broken disk would, or the
//! process dies there. How that is asked for is in [`Inject`]; nobody does outside of tests, and then a point costs one
//! relaxed load. Inputs, logs and messages do not pass through here, and nothing here decides what a failure means.

mod checksum;
mod fault;
mod inject;
mod write;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::os;
use crate::result::{AtPath, FileError};

pub(crate) use checksum::Checksum;
use fault::{Step, point};
pub(crate) use fault::{arm, report};
pub(crate) use inject::{Inject, Role};
pub(crate) use write::{Writer, write_all, write_all_at, write_slices};

/// Carries out a call that is done or not done, never by halves.
fn whole<T>(step: Step, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    match point(step) {
        None => call(),
        Some(fault) => fault.around(call),
    }
}

/// Makes the file, or empties the one that is there.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    whole(Step::Create, || File::create(path))
}

pub(crate) fn open(path: &Path) -> io::Result<File> {
    whole(Step::Open, || File::open(path))
}

pub(crate) fn open_with(options: &OpenOptions, path: &Path) -> io::Result<File> {
    whole(Step::Create, || options.open(path))
}

/// All that is in a file.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    whole(Step::Read, || fs::read(path))
}

/// Some of what comes next.
pub(crate) fn read_some(file: &mut File, into: &mut [u8]) -> io::Result<usize> {
    whole(Step::Read, || file.read(into))
}

pub(crate) fn read_exact_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<()> {
    whole(Step::Read, || file.read_exact_at(into, offset))
}

pub(crate) fn set_len(file: &File, len: u64) -> io::Result<()> {
    whole(Step::SetLen, || file.set_len(len))
}

/// Makes content and metadata survive a power loss.
pub(crate) fn sync(file: &File) -> io::Result<()> {
    whole(Step::Sync, || file.sync_all())
}

/// Makes content survive a power loss.
pub(crate) fn sync_data(file: &File) -> io::Result<()> {
    whole(Step::Sync, || file.sync_data())
}

/// Makes the names in the folder of `path` survive a power loss.
pub(crate) fn sync_parent(path: &Path) -> Result<(), FileError> {
    let parent = match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    let sync = || File::open(parent).and_then(|folder| folder.sync_all());
    whole(Step::SyncFolder, sync).at("sync the folder", parent)
}

pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    whole(Step::Rename, || fs::rename(from, to))
}

/// Renames a folder, unless the new name is taken.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    whole(Step::Rename, || os::rename_new(from, to))
}

/// Swaps the names of two folders at once.
pub(crate) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    whole(Step::Rename, || os::exchange(one, other))
}

pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    whole(Step::MakeFolder, || fs::create_dir(path))
}

pub(crate) fn create_dir_all(path: &Path) -> io::Result<()> {
    whole(Step::MakeFolder, || fs::create_dir_all(path))
}

pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    whole(Step::Remove, || fs::remove_file(path))
}

/// Removes an empty folder.
pub(crate) fn remove_dir(path: &Path) -> io::Result<()> {
    whole(Step::Remove, || fs::remove_dir(path))
}

/// Removes a folder with all that is in it.
pub(crate) fn remove_dir_all(path: &Path) -> io::Result<()> {
    match point(Step::RemoveAll) {
        None => fs::remove_dir_all(path),
        Some(fault) => fault.half_way(|| remove_some(path)).around(|| fs::remove_dir_all(path)),
    }
}

/// Removes every other entry, as one does who dies on the way.
fn remove_some(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)?.step_by(2) {
        let entry = entry?;
        let remove = if entry.file_type()?.is_dir() { fs::remove_dir_all } else { fs::remove_file };
        remove(entry.path())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_goes_by_halves_keeps_some_of_what_was_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a", "b", "c", "d"] {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        remove_some(folder.path()).expect("they can be removed");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 2);
    }
}
