//! Writes a run file, segment by segment, and commits it by rename.
//!
//! It does not sort or encode rows.

use std::path::Path;
use std::sync::Arc;

use gristmill_ipc::codec;
use xxhash_rust::xxh3::xxh3_64;

use super::file::RunFile;
use super::index::{CommitRecord, Kind, Label, RunIndex, Segment};
use super::pack::{Codec, Packer};
use super::spilling::Spilling;
use super::temporary::TemporaryFile;
use crate::disk::Checksum;
use crate::result::Result;

const NOT_BEGUN: &str = "no segment was begun";
pub(super) const MAGIC: [u8; 8] = *b"GRISTRUN";
pub(super) const END: [u8; 8] = *b"GRISTEND";
pub(super) const VERSION: u32 = 3;
pub(super) const HEADER: u64 = 16;
pub(super) const FOOTER: u64 = 32;

/// A run file in the making. Dropped before it is whole, it leaves nothing behind.
pub(crate) struct RunWriter {
    file: TemporaryFile,
    offset: u64,
    index: RunIndex,
    open: Option<Open>,
    packer: Option<Packer>,
    spilling: Arc<Spilling>,
}

/// The segment that is being written.
struct Open {
    segment: Segment,
    checksum: Checksum,
}

impl RunWriter {
    /// Starts a run file that will be called `path`; until it is committed its name ends with `.tmp`.
    pub(crate) fn create(path: &Path, spilling: &Arc<Spilling>) -> Result<Self> {
        let mut file = TemporaryFile::create(path, spilling)?;
        file.append(&MAGIC)?;
        file.append(&VERSION.to_le_bytes())?;
        file.append(&[0; 4])?;
        let (index, spilling) = (RunIndex::default(), Arc::clone(spilling));
        Ok(Self { file, offset: HEADER, index, open: None, packer: None, spilling })
    }

    /// Starts a run file that has no name, and so is gone with the process at the latest: see
    /// [`RunWriter::into_unnamed`].
    pub(crate) fn create_unnamed(path: &Path, spilling: &Arc<Spilling>) -> Result<Self> {
        let mut writer = Self::create(path, spilling)?;
        writer.file.unlink()?;
        Ok(writer)
    }

    /// Starts the next segment.
    pub(crate) fn begin(&mut self, label: Label) -> Result {
        self.end()?;
        // What is copied to a part file as it is must be stored as it is.
        let codec = if label.kind == Kind::Output { Codec::None } else { self.spilling.codec() };
        if codec != Codec::None && self.packer.as_ref().is_none_or(|packer| packer.codec() != codec) {
            self.packer = Some(Packer::new(codec, self.spilling.block()));
        }
        let segment =
            Segment { label, codec, count: 0, offset: self.offset, len: 0, raw_len: 0, checksum: 0 };
        self.open = Some(Open { segment, checksum: Checksum::new() });
        Ok(())
    }

    /// Appends bytes that hold `count` rows or results to the segment that was begun last.
    pub(crate) fn write(&mut self, bytes: &[u8], count: u64) -> Result {
        let open = self.open.as_mut().ok_or(NOT_BEGUN)?;
        open.count(bytes, count);
        let (file, offset) = (&mut self.file, &mut self.offset);
        match &mut self.packer {
            Some(packer) if open.segment.codec != Codec::None => {
                packer.push(bytes, |piece| open.store(file, offset, piece))?;
                self.spilling.packed(packer.take_packed());
                Ok(())
            }
            _ => open.store(file, offset, bytes),
        }
    }

    /// Counts bytes that are to be written by [`RunWriter::append_pieces`]; `false`, and nothing done, if they are to be
    /// compressed.
    pub(super) fn note_as_is(&mut self, bytes: &[u8], count: u64) -> Result<bool> {
        let open = self.open.as_mut().ok_or(NOT_BEGUN)?;
        let as_is = open.segment.codec == Codec::None;
        if as_is {
            open.count(bytes, count);
            open.note(&mut self.offset, bytes);
        }
        Ok(as_is)
    }

    /// Writes what was noted.
    pub(super) fn append_pieces(&mut self, pieces: &[&[u8]]) -> Result {
        self.file.append_pieces(pieces)
    }

    /// Ends the file with its index and makes it visible under its name. With `durable` it survives a power loss.
    ///
    /// Returns the index.
    pub(crate) fn commit(mut self, path: &Path, record: CommitRecord, durable: bool) -> Result<RunIndex> {
        self.put_index(record)?;
        self.file.commit(path, durable)?;
        Ok(self.index)
    }

    /// Ends a file without a name and opens it for reading.
    pub(crate) fn into_unnamed(mut self) -> Result<RunFile> {
        self.put_index(CommitRecord::default())?;
        let (path, file, claim) = self.file.into_unnamed()?;
        Ok(RunFile { path, file, index: self.index, _claim: claim })
    }

    fn put_index(&mut self, record: CommitRecord) -> Result {
        self.end()?;
        self.index.commit = record;
        let encoded = codec::encode(&self.index)?;
        self.file.append(&encoded)?;
        let mut footer = Vec::with_capacity(FOOTER as usize);
        footer.extend_from_slice(&self.offset.to_le_bytes());
        footer.extend_from_slice(&(encoded.len() as u64).to_le_bytes());
        footer.extend_from_slice(&xxh3_64(&encoded).to_le_bytes());
        footer.extend_from_slice(&END);
        self.file.append(&footer)
    }

    fn end(&mut self) -> Result {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        if open.segment.codec != Codec::None
            && let Some(packer) = &mut self.packer
        {
            packer.finish(|piece| open.store(&mut self.file, &mut self.offset, piece))?;
            self.spilling.packed(packer.take_packed());
        }
        if open.segment.len > 0 {
            open.segment.checksum = open.checksum.digest();
            self.index.segments.push(open.segment);
        }
        Ok(())
    }
}

impl Open {
    /// Notes bytes as they were before they were compressed, and what they hold.
    #[inline]
    fn count(&mut self, bytes: &[u8], count: u64) {
        self.segment.count += count;
        self.segment.raw_len += bytes.len() as u64;
    }

    /// Notes bytes as they are stored.
    #[inline]
    fn note(&mut self, offset: &mut u64, bytes: &[u8]) {
        self.segment.len += bytes.len() as u64;
        *offset += bytes.len() as u64;
        self.checksum.update(bytes);
    }

    /// Appends bytes as they are to be stored.
    #[inline]
    fn store(&mut self, file: &mut TemporaryFile, offset: &mut u64, bytes: &[u8]) -> Result {
        self.note(offset, bytes);
        file.append(bytes)
    }
}
