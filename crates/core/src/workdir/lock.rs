//! Who is at work in a work folder: its coordinator holds one lock, its workers share another.
//!
//! The kernel gives up both with the processes, however they end. Nothing here looks at what is in the folder.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use super::holds_only_work;
use crate::disk;
use crate::result::{AtPath, FileError};

/// Held by the coordinator.
pub(super) const LOCK: &str = "lock";
/// Shared by the workers.
pub(super) const WORKERS: &str = "workers";

/// Workers end with their coordinator, but not at the same moment.
const WORKERS_LEAVE: Duration = Duration::from_secs(5);

/// How long a dead coordinator's lock may be held: a process that it was about to start when it was killed shares the
/// lock until it has begun to run its program.
pub(super) const LOCK_LINGERS: Duration = Duration::from_secs(1);

/// Takes the lock of a folder that was just made.
pub(super) fn lock(folder: &Path) -> Result<File, FileError> {
    let path = folder.join(LOCK);
    let file = disk::create(&path).at("create", &path)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).at("lock", &path)?;
    Ok(file)
}

/// Takes the lock of a work folder whose job is dead, or about to be within this time.
pub(super) fn lock_dead(root: &Path, patience: Duration) -> Result<File, String> {
    let path = root.join(LOCK);
    let file = match File::open(&path) {
        Ok(file) if holds_only_work(root) => file,
        _ => return Err("this folder is in the way and no job's work folder".to_owned()),
    };
    let live = "another job is writing to the same output; its work folder is";
    if !lock_within(patience, &file) {
        return Err(live.to_owned());
    }
    // Before the lock was taken, another job may have removed this folder and made its own under the same name.
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    if file.metadata().map(identity).ok() != path.symlink_metadata().map(identity).ok() {
        return Err(live.to_owned());
    }
    Ok(file)
}

/// Shares the lock of the workers.
pub(super) fn attend(folder: &Path) -> Result<File, FileError> {
    let path = folder.join(WORKERS);
    let file = File::open(&path).at("open", &path)?;
    flock(&file, FlockOperation::NonBlockingLockShared).at("lock", &path)?;
    Ok(file)
}

/// Waits until no worker of a dead coordinator is left: it might still give names to files.
pub(super) fn wait_for_workers(folder: &Path) -> Result<(), String> {
    // A folder without this file has never had workers.
    let Ok(file) = File::open(folder.join(WORKERS)) else { return Ok(()) };
    if lock_within(WORKERS_LEAVE, &file) {
        return Ok(());
    }
    Err("workers of a dead job are still at work in its folder".to_owned())
}

/// Whether all others gave up a lock in time.
fn lock_within(limit: Duration, file: &File) -> bool {
    let deadline = Instant::now() + limit;
    while flock(file, FlockOperation::NonBlockingLockExclusive).is_err() {
        if Instant::now() >= deadline {
            return false;
        }
        crossbeam_channel::after(Duration::from_millis(5)).recv().ok();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_not_taken_over_before_the_last_worker_has_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        wait_for_workers(folder.path()).expect("nobody was ever there");
        File::create(folder.path().join(WORKERS)).expect("a file");
        let (one, other) =
            (attend(folder.path()).expect("a worker"), attend(folder.path()).expect("a worker"));
        drop(one);
        let began = Instant::now();
        let leaving = drop_soon(other);
        wait_for_workers(folder.path()).expect("the last one goes");
        assert!(began.elapsed() >= Duration::from_millis(40));
        leaving.join().expect("it has gone");
    }

    #[test]
    fn a_process_that_was_about_to_start_may_hold_the_lock_of_a_dead_coordinator() {
        let folder = tempfile::tempdir().expect("a folder");
        let coordinator = lock(folder.path()).expect("a lock");
        // What a process shares with the one that forked it.
        let inherited = coordinator.try_clone().expect("a descriptor");
        drop(coordinator);
        let began = Instant::now();
        let starting = drop_soon(inherited);
        lock_dead(folder.path(), LOCK_LINGERS).expect("nobody is at work there");
        assert!(began.elapsed() >= Duration::from_millis(40));
        starting.join().expect("it has started");
    }

    fn drop_soon(file: File) -> std::thread::JoinHandle<()> {
        std::thread::spawn(move || {
            crossbeam_channel::after(Duration::from_millis(50)).recv().ok();
            drop(file);
        })
    }
}
