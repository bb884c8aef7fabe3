//! The folder in which a fleet keeps messages too long for its channels, and what becomes of those of the dead.
//!
//! A folder goes with its fleet. That of a parent that was killed is removed by the next one of the same user.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;

use crate::lock;

const PREFIX: &str = "gristmill-pool.";

/// The folders of this process.
static OPEN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A folder that only this user can look into.
#[derive(Debug)]
pub(crate) struct SpoolFolder {
    folder: TempDir,
}

impl SpoolFolder {
    pub(crate) fn open() -> io::Result<Self> {
        sweep(&std::env::temp_dir());
        let prefix = format!("{PREFIX}{}.", std::process::id());
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir()?;
        lock(&OPEN).push(folder.path().to_owned());
        Ok(Self { folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for SpoolFolder {
    /// The folder itself goes after this.
    fn drop(&mut self) {
        lock(&OPEN).retain(|path| path != self.folder.path());
    }
}

/// Removes all folders of this process, which is about to exit without dropping anything.
pub(crate) fn remove_all() {
    for folder in lock(&OPEN).drain(..) {
        remove(&folder);
    }
}

/// Removes what processes have left that are no more. Whatever is doubtful stays.
fn sweep(temporary: &Path) {
    let Ok(entries) = fs::read_dir(temporary) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('.').next()?.parse().ok());
        let is_ours =
            || entry.metadata().is_ok_and(|found| found.uid() == rustix::process::getuid().as_raw());
        if pid.is_some_and(is_gone) && is_ours() {
            remove(&entry.path());
        }
    }
}

fn is_gone(pid: i32) -> bool {
    Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid) == Err(Errno::SRCH))
}

fn remove(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!("cannot remove {}: {error}", folder.display());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_the_dead_are_removed_and_others_stay() {
        let temporary = tempfile::tempdir().expect("temporary folder");
        let make = |name: &str| {
            let path = temporary.path().join(name);
            fs::create_dir(&path).expect("folder");
            path
        };
        let dead = make(&format!("{PREFIX}{}.abc", i32::MAX));
        let kept =
            [format!("{PREFIX}{}.abc", std::process::id()), format!("{PREFIX}x.abc"), "other".to_owned()];
        let kept = kept.map(|name| make(&name));
        sweep(temporary.path());
        assert!(!dead.exists());
        assert!(kept.iter().all(|path| path.exists()));
    }
}
