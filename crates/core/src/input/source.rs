//! An opened piece of an input file, guarded against files that change while the job runs.
//!
//! It reads bytes at offsets; which bytes make a record is decided by the record kinds.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::error::ReadError;
use super::file::{InputFile, modified};
use super::plan::Piece;
use super::window::{Buffers, Window};
use crate::result::Result;

/// A piece of an input file, open for reading.
///
/// A record kind reads from it every record that begins in [`offset`](Source::offset) ..
/// [`end`](Source::end); the last of them may go on beyond the end, up to [`file_size`](Source::file_size).
#[derive(Debug)]
pub struct Source<'a> {
    file: OpenFile<'a>,
    ordinal: u32,
    piece: Piece,
    buffers: &'a mut Buffers,
}

impl<'a> Source<'a> {
    /// Opens `piece` of `file`, whose ordinal in the plan is `ordinal`.
    ///
    /// # Errors
    /// The file is gone, cannot be opened, or is no longer as it was planned.
    pub(crate) fn open(
        file: &'a InputFile,
        ordinal: u32,
        piece: Piece,
        buffers: &'a mut Buffers,
    ) -> Result<Source<'a>> {
        let file = OpenFile::open(file)?;
        Ok(Source { file, ordinal, piece, buffers })
    }

    /// To be called after reading.
    ///
    /// # Errors
    /// The file has changed since it was planned, so that what was read cannot be trusted.
    pub(crate) fn finish(self) -> Result {
        Ok(self.file.check()?)
    }

    /// The file's path; `None` for standard input and in-memory items.
    pub fn path(&self) -> Option<&'a Path> {
        self.file.planned.user_path()
    }

    /// The name for messages: the path, `standard input` or `in-memory items`.
    pub fn name(&self) -> impl fmt::Display + use<'a> {
        self.file.planned
    }

    /// The file's place among the inputs of the job, from 0.
    pub fn ordinal(&self) -> u32 {
        self.ordinal
    }

    /// Offset of the piece's first byte in the file.
    pub fn offset(&self) -> u64 {
        self.piece.offset
    }

    /// Offset behind the piece's last byte in the file.
    pub fn end(&self) -> u64 {
        self.piece.offset + self.piece.len
    }

    /// The size of the whole file.
    pub fn file_size(&self) -> u64 {
        self.file.planned.size
    }

    /// Reads some bytes at `offset` of the file; 0 at the file's end only.
    ///
    /// # Errors
    /// The message names the file and the offset.
    pub fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize> {
        let left = usize::try_from(self.file_size().saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        if wanted == 0 {
            return Ok(0);
        }
        Ok(self.file.read_at(&mut buffer[..wanted], offset)?)
    }

    /// The file as it was planned.
    pub(super) fn planned(&self) -> &'a InputFile {
        self.file.planned
    }

    /// The reused buffer over this file, empty, to be filled from `offset` on.
    pub(super) fn window(&mut self, offset: u64) -> Window<'_, 'a> {
        Window::new(&self.file, self.buffers, offset)
    }
}

/// A file that is open and was as planned when it was opened.
#[derive(Debug)]
pub(super) struct OpenFile<'a> {
    handle: File,
    pub(super) planned: &'a InputFile,
}

impl<'a> OpenFile<'a> {
    fn open(planned: &'a InputFile) -> Result<Self, ReadError> {
        // Should a named pipe have taken the file's place, opening it must not wait for a writer.
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        let opened = OpenOptions::new().read(true).custom_flags(nonblocking).open(&planned.path);
        let handle = opened.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ReadError::Vanished { name: planned.to_string() },
            _ => ReadError::Open { name: planned.to_string(), source },
        })?;
        let file = OpenFile { handle, planned };
        file.check()?;
        Ok(file)
    }

    fn check(&self) -> Result<(), ReadError> {
        match self.handle.metadata() {
            Ok(found) => compare(self.planned, &found),
            Err(source) => Err(ReadError::Open { name: self.planned.to_string(), source }),
        }
    }

    /// Reads at least one byte.
    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, ReadError> {
        loop {
            return match self.handle.read_at(buffer, offset) {
                Ok(0) => Err(self.too_short(offset)),
                Ok(read) => Ok(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => Err(ReadError::Read { name: self.planned.to_string(), offset, source }),
            };
        }
    }

    fn too_short(&self, offset: u64) -> ReadError {
        let found = self.handle.metadata().map_or(offset, |metadata| metadata.len());
        ReadError::Resized { name: self.planned.to_string(), planned: self.planned.size, found }
    }
}

fn compare(planned: &InputFile, found: &Metadata) -> Result<(), ReadError> {
    let name = || planned.to_string();
    if !found.is_file() {
        return Err(ReadError::NoFile { name: name() });
    }
    if found.len() != planned.size {
        return Err(ReadError::Resized { name: name(), planned: planned.size, found: found.len() });
    }
    if modified(found) != planned.modified {
        let (planned, found) = (time(planned.modified), time(modified(found)));
        return Err(ReadError::Modified { name: name(), planned, found });
    }
    Ok(())
}

fn time((secs, nanos): (i64, u32)) -> String {
    format!("{secs}.{nanos:09}")
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
