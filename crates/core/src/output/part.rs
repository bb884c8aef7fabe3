//! One part file: written under a name of its attempt, committed by rename.
//!
//! It does not format pairs, and it does not publish the output folder.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::pairs::ByteSink;
use crate::result::{AtPath, Result};

/// Name of a part file: `part-r-00003` from a reduce task, `part-m-00003` from a map-only job.
pub(crate) fn part_name(map_only: bool, partition: u32) -> String {
    format!("part-{}-{partition:05}", if map_only { 'm' } else { 'r' })
}

/// A part file in the making. Dropped without [`PartFile::commit`], it leaves nothing behind.
pub(crate) struct PartFile {
    temporary: PathBuf,
    path: PathBuf,
    file: File,
    committed: bool,
}

impl PartFile {
    /// Starts the part `name` in `folder`, for one attempt.
    pub(crate) fn create(folder: &Path, name: &str, attempt: u32) -> Result<Self> {
        let temporary = folder.join(format!(".{name}.{attempt}"));
        let file = File::create(&temporary).at("create the part file", &temporary)?;
        Ok(Self { temporary, path: folder.join(name), file, committed: false })
    }

    /// Where a [`super::PairWriter`] puts its bytes.
    pub(crate) fn sink(&self) -> Result<Box<dyn ByteSink>> {
        let file = self.file.try_clone().at("write", &self.path)?;
        Ok(Box::new(PartSink { file, path: self.path.clone() }))
    }

    /// The open file, for whoever writes finished bytes.
    pub(crate) fn file(&mut self) -> &mut File {
        &mut self.file
    }

    /// Makes the part visible in its folder; returns its length in bytes.
    pub(crate) fn commit(mut self, durable: bool) -> Result<u64> {
        let len = self.file.metadata().at("examine", &self.temporary)?.len();
        if durable {
            self.file.sync_all().at("sync", &self.temporary)?;
        }
        fs::rename(&self.temporary, &self.path).at("commit the part file", &self.path)?;
        self.committed = true;
        if durable {
            crate::os::sync_parent(&self.path)?;
        }
        Ok(len)
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.committed {
            // The folder it stands in is removed with the job's scratch.
            drop(fs::remove_file(&self.temporary));
        }
    }
}

struct PartSink {
    file: File,
    path: PathBuf,
}

impl ByteSink for PartSink {
    fn write(&mut self, bytes: &[u8], _pairs: u64) -> Result {
        Ok(self.file.write_all(bytes).at("write", &self.path)?)
    }
}
