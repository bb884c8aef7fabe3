//! The work folder of a job: its scratch, locked while the job lives, removed when it ends.
//!
//! It does not know what the files in it mean.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::result::{AtPath, FileError};

/// Where things are in a work folder; workers are told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WorkPaths {
    #[serde(with = "crate::input::path_bytes")]
    root: PathBuf,
}

impl WorkPaths {
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

    /// An empty folder that is renamed once, to see whether the parts can be.
    pub(crate) fn trial(&self) -> PathBuf {
        self.root.join("trial")
    }

    /// Folder for long messages between the processes.
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

    /// Folder for the files that ship inside the program.
    pub(crate) fn sample(&self) -> PathBuf {
        self.root.join("sample")
    }

    /// The copy of standard input, or of in-memory items.
    pub(crate) fn spooled_input(&self) -> PathBuf {
        self.root.join("input")
    }
}

/// A folder that belongs to one live job. Dropped, it is removed with everything in it.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    pub(crate) paths: WorkPaths,
    /// Held as long as the job lives: who can take it knows that the job is dead.
    _lock: File,
}

const LOCK: &str = "lock";
/// All names that a job uses in its work folder.
const NAMES: [&str; 9] =
    [LOCK, "runs", "parts", "spool", "plan", "committed-runs", "sample", "input", "trial"];
const SCRATCH: &str = "gristmill-";

impl WorkFolder {
    /// The work folder beside the output folder `output`: `OUTPUT.gristmill`.
    ///
    /// One that a dead job left behind is removed first.
    ///
    /// # Errors
    /// When a live job works there, or the folder cannot be made.
    pub(crate) fn beside(output: &Path) -> Result<Self, Error> {
        let mut name = output.file_name().unwrap_or_default().to_owned();
        name.push(".gristmill");
        let root = output.with_file_name(name);
        if root.symlink_metadata().is_ok() {
            remove_dead(&root).map_err(|why| Error::usage(format!("{why}: {}", root.display())))?;
        }
        Self::make(root)
            .map_err(|error| Error::usage(format!("output {}: cannot be written: {error}", output.display())))
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
        fs::rename(&unlocked, &root).at("make the scratch folder", &root)?;
        let folder = Self { paths: WorkPaths { root }, _lock: lock };
        folder.fill()?;
        Ok(folder)
    }

    fn make(root: PathBuf) -> Result<Self, FileError> {
        fs::create_dir(&root).at("make the work folder", &root)?;
        let folder = Self { _lock: lock(&root)?, paths: WorkPaths { root } };
        folder.fill()?;
        Ok(folder)
    }

    fn fill(&self) -> Result<(), FileError> {
        for folder in [self.paths.runs(), self.paths.parts(), self.paths.spool()] {
            fs::create_dir(&folder).at("make the folder", &folder)?;
        }
        Ok(())
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        let root = &self.paths.root;
        remove_runs(&self.paths.runs());
        if let Err(error) = fs::remove_dir_all(root) {
            tracing::warn!(target: "gristmill", "cannot remove the work folder {}: {error}", root.display());
        }
    }
}

/// Removes the run files, several at a time: the system takes long to give back the memory of cached files, and the job's
/// end waits for it. What fails here fails again when the folder is removed, and is reported then.
fn remove_runs(folder: &Path) {
    let files: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path()).collect();
    if files.len() > 1 {
        files.par_iter().for_each(|file| drop(fs::remove_file(file)));
    }
}

fn lock(folder: &Path) -> Result<File, FileError> {
    let path = folder.join(LOCK);
    let file = File::create(&path).at("create", &path)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).at("lock", &path)?;
    Ok(file)
}

/// Removes a work folder whose job is dead.
fn remove_dead(root: &Path) -> Result<(), String> {
    let path = root.join(LOCK);
    let file = match File::open(&path) {
        Ok(file) if holds_only_work(root) => file,
        _ => return Err("this folder is in the way and no job's work folder".to_owned()),
    };
    let live = "another job is writing to the same output; its work folder is";
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| live.to_owned())?;
    // Before the lock was taken, another job may have removed this folder and made its own under the same name.
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    if file.metadata().map(identity).ok() != path.symlink_metadata().map(identity).ok() {
        return Err(live.to_owned());
    }
    fs::remove_dir_all(root).map_err(|error| format!("a dead job's work folder cannot be removed ({error})"))
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
    fn a_live_jobs_output_is_refused_and_a_dead_ones_taken_over() {
        let parent = tempfile::tempdir().expect("a folder");
        let output = parent.path().join("out");
        let live = WorkFolder::beside(&output).expect("a work folder");
        let error = WorkFolder::beside(&output).expect_err("the first job lives");
        assert!(error.to_string().contains("another job"), "{error}");
        let root = live.paths.root.clone();
        drop(live);
        assert!(!root.exists());
        fs::create_dir(&root).expect("a folder");
        File::create(root.join(LOCK)).expect("a lock file that nobody holds");
        WorkFolder::beside(&output).expect("the dead job's folder is taken over");
    }
}
