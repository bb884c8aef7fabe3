//! The work folder of a job: its scratch, locked while the job lives, removed when it ends.
//!
//! It does not know what the files in it mean.

mod lock;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::lock::{LOCK, LOCK_LINGERS, WORKERS, attend, lock, lock_dead, wait_for_workers};
use crate::disk;
use crate::error::Error;
use crate::journal::{self, Past};
use crate::result::{AtPath, FileError};

/// Where things are in a work folder; workers are told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WorkPaths {
    #[serde(with = "crate::input::path_bytes")]
    root: PathBuf,
}

impl WorkPaths {
    /// The paths of a work folder at `root`.
    pub(crate) fn at(root: PathBuf) -> Self {
        Self { root }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Folder of the run files.
    pub(crate) fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Folder of the committed part files.
    pub(crate) fn parts(&self) -> PathBuf {
        self.root.join("parts")
    }

    /// An empty folder that is renamed to see whether the parts can be, where there are some already.
    pub(crate) fn trial(&self) -> PathBuf {
        self.root.join("trial")
    }

    /// Says that a worker is at work here, as long as it lives and the result does.
    pub(crate) fn attend(&self) -> Result<File, FileError> {
        attend(&self.root)
    }

    /// Folder for long messages between the processes, made with the first.
    pub(crate) fn spool(&self) -> PathBuf {
        self.root.join("spool")
    }

    /// The plan: files and input splits.
    pub(crate) fn plan(&self) -> PathBuf {
        self.root.join("plan")
    }

    /// The list of committed runs.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.root.join("committed-runs")
    }

    /// The journal: which job it is, and what is committed.
    pub(crate) fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// Folder of the records and groups that were set aside.
    pub(crate) fn quarantine(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    /// The borders of a job that is partitioned by range.
    pub(crate) fn borders(&self) -> PathBuf {
        self.root.join("borders")
    }

    /// Folder for the files that ship inside the program.
    pub(crate) fn sample(&self) -> PathBuf {
        self.root.join("sample")
    }

    /// The copy of standard input, or of in-memory items.
    pub(crate) fn spooled_input(&self) -> PathBuf {
        self.root.join("input")
    }
}

/// A folder that belongs to one live job. Dropped, it is removed with everything in it, unless it is to be kept.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    pub(crate) paths: WorkPaths,
    /// What is committed in it is to be gone on with.
    kept: bool,
    /// Held as long as the job lives: who can take it knows that the job is dead.
    _lock: File,
}

/// What is to become of the work that a dead job has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfinished {
    /// It is in the way.
    Refuse,
    Resume,
    Restart,
}

/// All names that a job uses in its work folder.
const NAMES: [&str; 15] = [
    LOCK,
    WORKERS,
    "runs",
    "parts",
    "spool",
    "plan",
    "committed-runs",
    "committed-runs.tmp",
    "sample",
    "input",
    "trial",
    "journal",
    "journal.tmp",
    "quarantine",
    "borders",
];
const SCRATCH: &str = "gristmill-";

impl WorkFolder {
    /// The work folder `root` of the output folder `output`, and what a dead job has committed in it, if that is to be
    /// gone on with.
    ///
    /// # Errors
    /// When a live job works there, the folder cannot be made, or there is unfinished work that nobody said anything
    /// about.
    pub(crate) fn of_output(
        root: PathBuf,
        output: &Path,
        unfinished: Unfinished,
    ) -> Result<(Self, Option<Past>), Error> {
        // One that died before it had taken its lock has left an empty folder.
        drop(disk::remove_dir(&root));
        if root.symlink_metadata().is_ok() {
            let in_the_way = |why: String| Error::usage(format!("{why}: {}", root.display()));
            let lock = lock_dead(&root, LOCK_LINGERS).map_err(in_the_way)?;
            wait_for_workers(&root).map_err(in_the_way)?;
            let past = journal::read(&root.join("journal"))?.filter(Past::has_work);
            match (past, unfinished) {
                (Some(past), Unfinished::Resume) => {
                    let folder = Self { paths: WorkPaths { root }, kept: true, _lock: lock };
                    folder.clear()?;
                    return Ok((folder, Some(past)));
                }
                (Some(past), Unfinished::Refuse) => return Err(unfinished_work(&root, &past)),
                _ => remove(&root).map_err(in_the_way)?,
            }
        }
        Self::make(root)
            .map(|folder| (folder, None))
            .map_err(|error| Error::usage(format!("output {}: cannot be written: {error}", output.display())))
    }

    /// The work folder that a dead job has left at `root`, with its journal. Nothing in it is changed until it is dropped.
    ///
    /// If there is no journal, the job died when it had hardly begun or was through: what is left goes.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(crate) fn left_at(root: &Path) -> Result<Option<(Self, Past)>, Error> {
        drop(disk::remove_dir(root));
        let Ok(lock) = lock_dead(root, LOCK_LINGERS) else { return Ok(None) };
        let past = journal::read(&root.join("journal"))?;
        let folder = Self { paths: WorkPaths { root: root.to_owned() }, kept: past.is_some(), _lock: lock };
        Ok(past.map(|past| (folder, past)))
    }

    /// Makes the folder itself, and the copy of what cannot be read again, survive a power loss.
    pub(crate) fn sync(&self) -> Result<(), FileError> {
        let input = self.paths.spooled_input();
        if input.symlink_metadata().is_ok() {
            disk::open(&input).and_then(|file| disk::sync(&file)).at("sync", &input)?;
        }
        disk::sync_parent(&self.paths.root)
    }

    /// Has the folder stay when its job ends.
    pub(crate) fn keep(&mut self) {
        self.kept = true;
    }

    /// Has the folder go when its job ends.
    pub(crate) fn give_up(&mut self) {
        self.kept = false;
    }

    /// A scratch folder of its own in `parent`, where the scratch of dead jobs is removed first.
    pub(crate) fn scratch(parent: &Path) -> Result<Self, Error> {
        remove_all_dead(parent);
        let unlocked = tempfile::Builder::new()
            .prefix(".gristmill-new-")
            .tempdir_in(parent)
            .at("make a scratch folder in", parent)
            .map_err(|error| Error::usage(error.to_string()))?
            .keep();
        // It gets its name only when it is locked, so that nobody takes it for a dead job's.
        let lock = lock(&unlocked)?;
        let unique =
            unlocked.file_name().unwrap_or_default().to_string_lossy().replace(".gristmill-new-", "");
        let root = parent.join(format!("{SCRATCH}{}-{unique}", std::process::id()));
        disk::rename(&unlocked, &root).at("make the scratch folder", &root)?;
        let folder = Self { paths: WorkPaths { root }, kept: false, _lock: lock };
        folder.fill()?;
        let parts = folder.paths.parts();
        disk::create_dir(&parts).at("make the folder", &parts)?;
        Ok(folder)
    }

    fn make(root: PathBuf) -> Result<Self, FileError> {
        disk::create_dir(&root).at("make the work folder", &root)?;
        // Somebody else's lock in it would keep it there.
        let lock = lock(&root).inspect_err(|_| drop(disk::remove_dir(&root)))?;
        let folder = Self { _lock: lock, kept: false, paths: WorkPaths { root } };
        folder.fill()?;
        Ok(folder)
    }

    /// All but the folder of parts, which comes from where the output will be.
    fn fill(&self) -> Result<(), FileError> {
        let runs = self.paths.runs();
        disk::create_dir(&runs).at("make the folder", &runs)?;
        let workers = self.paths.root.join(WORKERS);
        disk::create(&workers).at("create", &workers)?;
        Ok(())
    }

    /// Removes what only the dead job's processes had a use for.
    fn clear(&self) -> Result<(), FileError> {
        let (spool, trial) = (self.paths.spool(), self.paths.trial());
        for folder in [&spool, &trial] {
            // Items that are compared with those before stand in a file of that name.
            let is_file = folder.symlink_metadata().is_ok_and(|found| found.is_file());
            match if is_file { disk::remove_file(folder) } else { disk::remove_dir_all(folder) } {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                removed => removed.at("remove the folder", folder)?,
            }
        }
        for folder in [self.paths.runs(), self.paths.parts()] {
            disk::create_dir_all(&folder).at("make the folder", &folder)?;
        }
        Ok(())
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let root = &self.paths.root;
        if let Err(error) = remove(root) {
            tracing::warn!(target: "gristmill", "{error}: {}", root.display());
        }
    }
}

fn unfinished_work(root: &Path, past: &Past) -> Error {
    let (mapped, parts) = (past.mapped(), past.parts.len());
    Error::usage(format!(
        "{}: an unfinished job has left its work here ({mapped} map tasks and {parts} of {} parts are done): \
         --resume goes on with it, --restart starts afresh",
        root.display(),
        past.job.partitions,
    ))
}

/// Removes a work folder. The journal goes last but for the lock, by which the folder is known as a dead job's: who dies
/// or fails on the way leaves what tells of it.
fn remove(root: &Path) -> Result<(), String> {
    remove_all_in(root).map_err(|error| format!("the work folder cannot be removed ({error})"))
}

fn remove_all_in(root: &Path) -> io::Result<()> {
    let last = ["journal", LOCK];
    remove_runs(&root.join("runs"));
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let path = entry.path();
        match last.iter().any(|name| entry.file_name() == *name) {
            true => {}
            false if entry.file_type()?.is_dir() => disk::remove_dir_all(&path)?,
            false => disk::remove_file(&path)?,
        }
    }
    for path in last.map(|name| root.join(name)) {
        if path.symlink_metadata().is_ok() {
            disk::remove_file(&path)?;
        }
    }
    disk::remove_dir(root)
}

/// Removes the run files, several at a time: the system takes long to give back the memory of cached files, and the job's
/// end waits for it. What fails here fails again when their folder is removed, and is reported then.
fn remove_runs(folder: &Path) {
    let files: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path()).collect();
    if files.len() > 1 {
        files.par_iter().for_each(|file| drop(disk::remove_file(file)));
    }
}

/// Removes a work folder whose job is dead. One that is not quite dead is for the next that comes by.
fn remove_dead(root: &Path) -> Result<(), String> {
    let _lock = lock_dead(root, Duration::ZERO)?;
    remove(root)
}

/// Whether nothing but a job's own files is in `folder`: anything else may be dear to somebody.
fn holds_only_work(folder: &Path) -> bool {
    let known = |entry: fs::DirEntry| NAMES.iter().any(|name| entry.file_name() == *name);
    fs::read_dir(folder).is_ok_and(|mut entries| entries.all(|entry| entry.is_ok_and(known)))
}

/// Removes the scratch of dead jobs; that of live ones is locked.
fn remove_all_dead(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(SCRATCH)
            && let Err(why) = remove_dead(&entry.path())
        {
            tracing::debug!(target: "gristmill", "{} stays: {why}", entry.path().display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scratch_of_dead_jobs_goes_and_that_of_live_ones_stays() {
        let parent = tempfile::tempdir().expect("a folder");
        let live = WorkFolder::scratch(parent.path()).expect("scratch");
        let dead = parent.path().join("gristmill-1-dead");
        fs::create_dir(&dead).expect("a folder");
        File::create(dead.join(LOCK)).expect("a lock file that nobody holds");
        let other = parent.path().join("gristmill-notes");
        fs::create_dir(&other).expect("a folder that is no job's");
        let source = parent.path().join("gristmill-source");
        fs::create_dir_all(source.join("runs")).expect("a folder that only looks like a job's");
        fs::write(source.join(LOCK), "").expect("a file");
        fs::write(source.join("README"), "").expect("a file");
        let next = WorkFolder::scratch(parent.path()).expect("scratch");
        assert!(live.paths.runs().exists() && next.paths.runs().exists() && other.exists());
        assert!(!dead.exists() && source.join("README").exists());
        drop((live, next));
        assert_eq!(fs::read_dir(parent.path()).expect("the folder").count(), 2);
    }

    #[test]
    fn a_live_jobs_output_is_refused_and_a_dead_one_without_work_is_taken_over() {
        let parent = tempfile::tempdir().expect("a folder");
        let (output, root) = (parent.path().join("out"), parent.path().join("out.gristmill"));
        let of_output = || WorkFolder::of_output(root.clone(), &output, Unfinished::Refuse);
        let (live, past) = of_output().expect("a work folder");
        assert!(past.is_none());
        let error = of_output().expect_err("the first job lives");
        assert!(error.to_string().contains("another job"), "{error}");
        drop(live);
        assert!(!root.exists());
        fs::create_dir(&root).expect("a folder");
        File::create(root.join(LOCK)).expect("a lock file that nobody holds");
        of_output().expect("the dead job's folder is taken over");
    }
}
