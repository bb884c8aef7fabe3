//! Writes a run file, segment by segment, and commits it by rename.
//!
//! It does not sort or encode rows.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use gristmill_ipc::codec;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::index::{CommitRecord, Kind, RunIndex, Segment};
use crate::result::{AtPath, Result};

pub(super) const MAGIC: [u8; 8] = *b"GRISTRUN";
pub(super) const END: [u8; 8] = *b"GRISTEND";
pub(super) const VERSION: u32 = 1;
pub(super) const HEADER: u64 = 16;
pub(super) const FOOTER: u64 = 32;

const BUFFER: usize = 256 << 10;

/// A run file in the making. Dropped without [`RunWriter::commit`], it leaves nothing behind.
pub(crate) struct RunWriter {
    temporary: PathBuf,
    file: File,
    buffer: Vec<u8>,
    offset: u64,
    index: RunIndex,
    open: Option<(Segment, Xxh3)>,
    committed: bool,
}

impl RunWriter {
    /// Starts a run file that will be called `path`; until it is committed its name ends with `.tmp`.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".tmp");
        let temporary = PathBuf::from(name);
        let file = File::create(&temporary).at("create the run", &temporary)?;
        let mut buffer = Vec::with_capacity(4096);
        buffer.extend_from_slice(&MAGIC);
        buffer.extend_from_slice(&VERSION.to_le_bytes());
        buffer.extend_from_slice(&[0; 4]);
        let index = RunIndex::default();
        Ok(Self { temporary, file, buffer, offset: HEADER, index, open: None, committed: false })
    }

    /// Starts the next segment.
    pub(crate) fn begin(&mut self, partition: u32, spill: u32, task: u32, kind: Kind) -> Result {
        self.end()?;
        let segment =
            Segment { partition, spill, task, kind, count: 0, offset: self.offset, len: 0, checksum: 0 };
        self.open = Some((segment, Xxh3::new()));
        Ok(())
    }

    /// Appends bytes that hold `count` rows or results to the segment that was begun last.
    pub(crate) fn write(&mut self, bytes: &[u8], count: u64) -> Result {
        let (segment, hasher) = self.open.as_mut().ok_or("no segment was begun")?;
        segment.count += count;
        segment.len += bytes.len() as u64;
        hasher.update(bytes);
        self.offset += bytes.len() as u64;
        self.append(bytes)
    }

    /// Ends the file with its index and makes it visible under its name. With `durable` it survives a power loss.
    ///
    /// Returns the index.
    pub(crate) fn commit(mut self, path: &Path, record: CommitRecord, durable: bool) -> Result<RunIndex> {
        self.end()?;
        self.index.commit = record;
        let encoded = codec::encode(&self.index)?;
        self.append(&encoded)?;
        let mut footer = Vec::with_capacity(FOOTER as usize);
        footer.extend_from_slice(&self.offset.to_le_bytes());
        footer.extend_from_slice(&(encoded.len() as u64).to_le_bytes());
        footer.extend_from_slice(&xxh3_64(&encoded).to_le_bytes());
        footer.extend_from_slice(&END);
        self.append(&footer)?;
        self.drain()?;
        if durable {
            self.file.sync_all().at("sync", &self.temporary)?;
        }
        fs::rename(&self.temporary, path).at("commit the run", path)?;
        self.committed = true;
        if durable {
            crate::os::sync_parent(path)?;
        }
        Ok(std::mem::take(&mut self.index))
    }

    fn end(&mut self) -> Result {
        if let Some((mut segment, hasher)) = self.open.take()
            && segment.len > 0
        {
            segment.checksum = hasher.digest();
            self.index.segments.push(segment);
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.drain()?;
        }
        if bytes.len() > BUFFER {
            self.file.write_all(bytes).at("write", &self.temporary)?;
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn drain(&mut self) -> Result {
        self.file.write_all(&self.buffer).at("write", &self.temporary)?;
        self.buffer.clear();
        Ok(())
    }
}

impl Drop for RunWriter {
    fn drop(&mut self) {
        if !self.committed {
            // Scratch is removed as a whole at the end; a file that cannot be removed now only takes up space.
            drop(fs::remove_file(&self.temporary));
        }
    }
}
