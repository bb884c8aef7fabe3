//! One part file: written under a name of its attempt, committed by rename.
//!
//! It does not format pairs, and it does not publish the output folder.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::pairs::ByteSink;
use crate::disk::{self, Checksum};
use crate::flight::{Flight, Stage};
use crate::result::{AtPath, Result};

/// Name of a part file: `part-r-00003` from a reduce task, `part-m-00003` from a map-only job.
pub(crate) fn part_name(map_only: bool, partition: u32) -> String {
    format!("part-{}-{partition:05}", if map_only { 'm' } else { 'r' })
}

/// A part file in the making. Dropped without [`PartFile::commit`], it leaves nothing behind.
pub(crate) struct PartFile {
    temporary: PathBuf,
    path: PathBuf,
    content: Arc<Mutex<Content>>,
    committed: bool,
}

/// What was written so far.
struct Content {
    file: File,
    len: u64,
    checksum: Checksum,
}

impl Content {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        disk::write_all(&self.file, bytes)?;
        self.len += bytes.len() as u64;
        self.checksum.update(bytes);
        Ok(())
    }
}

/// A panic of user code cannot come in the middle of a write.
fn lock(content: &Mutex<Content>) -> MutexGuard<'_, Content> {
    content.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PartFile {
    /// Starts the part `name` in `folder`, for one attempt, which nobody else may call the same.
    pub(crate) fn create(folder: &Path, name: &str, attempt: &str) -> Result<Self> {
        let temporary = folder.join(format!(".{name}.{attempt}"));
        let file = disk::create(&temporary).at("create the part file", &temporary)?;
        let content = Arc::new(Mutex::new(Content { file, len: 0, checksum: Checksum::new() }));
        Ok(Self { temporary, path: folder.join(name), content, committed: false })
    }

    /// Where a [`super::PairWriter`] puts its bytes.
    pub(crate) fn sink(&self, flight: &Flight) -> Box<dyn ByteSink> {
        let (content, path) = (Arc::clone(&self.content), self.path.clone());
        Box::new(PartSink { content, path, flight: flight.clone() })
    }

    /// Appends finished bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result {
        Ok(lock(&self.content).write(bytes).at("write", &self.path)?)
    }

    /// XXH3-64 of what was written so far.
    pub(crate) fn checksum(&self) -> u64 {
        lock(&self.content).checksum.digest()
    }

    /// Makes the part visible in its folder; returns its length in bytes and its checksum.
    pub(crate) fn commit(mut self, durable: bool) -> Result<(u64, u64)> {
        let content = lock(&self.content);
        if durable {
            disk::sync(&content.file).at("sync", &self.temporary)?;
        }
        disk::rename(&self.temporary, &self.path).at("commit the part file", &self.path)?;
        let done = (content.len, content.checksum.digest());
        drop(content);
        self.committed = true;
        if durable {
            disk::sync_parent(&self.path)?;
        }
        Ok(done)
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.committed {
            // The folder it stands in is removed with the job's scratch.
            drop(disk::remove_file(&self.temporary));
        }
    }
}

struct PartSink {
    content: Arc<Mutex<Content>>,
    path: PathBuf,
    flight: Flight,
}

impl ByteSink for PartSink {
    fn write(&mut self, bytes: &[u8], _pairs: u64) -> Result {
        // No group is to blame if this fails, and the page keeps saying so.
        let before = self.flight.enter(Stage::Output);
        lock(&self.content).write(bytes).at("write", &self.path)?;
        self.flight.stage(before);
        Ok(())
    }
}

/// Whether the part at `path` is as it was committed.
pub(crate) fn is_whole(path: &Path, len: u64, checksum: u64) -> io::Result<bool> {
    let mut file = disk::open(path)?;
    if file.metadata()?.len() != len {
        return Ok(false);
    }
    let mut found = Checksum::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match disk::read_some(&mut file, &mut buffer)? {
            0 => return Ok(found.digest() == checksum),
            read => found.update(&buffer[..read]),
        }
    }
}
