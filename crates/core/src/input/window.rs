//! A reused buffer that slides over a file and grows where one record is longer than itself.
//!
//! It does not know what a record is: the record kinds say how much they have used up.

use super::error::ReadError;
use super::source::OpenFile;
use crate::result::Result;

/// The usual size of the buffer.
const USUAL: usize = 256 << 10;

/// The size for what is shorter than that.
const SMALL: usize = 4 << 10;

/// A buffer that grew is kept for the next piece up to this many times its usual size.
const KEEP: usize = 4;

/// Memory that a worker keeps from one piece to the next.
#[derive(Debug)]
pub(crate) struct Buffers {
    bytes: Vec<u8>,
    usual: usize,
}

impl Default for Buffers {
    fn default() -> Self {
        Buffers::with_size(USUAL)
    }
}

impl Buffers {
    /// A buffer of `usual` bytes (at least 1), which longer records make larger for a time.
    pub(crate) fn with_size(usual: usize) -> Self {
        Buffers { bytes: Vec::new(), usual: usual.max(1) }
    }

    /// The memory held now.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.bytes.capacity()
    }

    /// Gives back what long records took.
    fn shrink(&mut self) {
        if self.bytes.len() > self.usual.saturating_mul(KEEP) {
            self.bytes.truncate(self.usual);
            self.bytes.shrink_to_fit();
        }
    }
}

/// The part of a file that is in memory: `bytes[start..end]`, which begins at `offset` of the file.
#[derive(Debug)]
pub(super) struct Window<'w, 'a> {
    file: &'w OpenFile<'a>,
    buffers: &'w mut Buffers,
    start: usize,
    end: usize,
    offset: u64,
}

impl<'w, 'a> Window<'w, 'a> {
    pub(super) fn new(file: &'w OpenFile<'a>, buffers: &'w mut Buffers, offset: u64) -> Self {
        Window { file, buffers, start: 0, end: 0, offset }
    }

    /// The bytes in memory.
    pub(super) fn held(&self) -> &[u8] {
        &self.buffers.bytes[self.start..self.end]
    }

    /// The offset of the first byte in memory.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The offset behind the last byte in memory.
    pub(super) fn reached(&self) -> u64 {
        self.offset + (self.end - self.start) as u64
    }

    /// Drops the first `len` bytes.
    pub(super) fn consume(&mut self, len: usize) {
        self.start += len;
        self.offset += len as u64;
        debug_assert!(self.start <= self.end, "only what is held can be used up");
    }

    /// Reads on, up to `limit` at most, and returns the number of bytes read; 0 only if `limit` is reached already.
    ///
    /// # Errors
    /// The file ends before `limit`, reading fails, or there is no memory for a buffer twice as large.
    pub(super) fn more(&mut self, limit: u64) -> Result<usize, ReadError> {
        let wanted = usize::try_from(limit.saturating_sub(self.reached())).unwrap_or(usize::MAX);
        if wanted == 0 {
            return Ok(0);
        }
        self.move_to_front();
        if self.end == self.buffers.bytes.len() {
            self.reserve(self.end.saturating_mul(2).max(self.usual(wanted)))?;
        }
        let end = self.buffers.bytes.len().min(self.end.saturating_add(wanted));
        let reached = self.reached();
        let read = self.file.read_at(&mut self.buffers.bytes[self.end..end], reached)?;
        self.end += read;
        Ok(read)
    }

    /// Reads on until the first `len` bytes are in memory.
    ///
    /// # Errors
    /// As for [`Window::more`], with `limit` as the end of what may be read.
    pub(super) fn fill(&mut self, len: usize, limit: u64) -> Result<(), ReadError> {
        if len > self.buffers.bytes.len() {
            self.move_to_front();
            let wanted = usize::try_from(limit.saturating_sub(self.offset)).unwrap_or(usize::MAX);
            self.reserve(len.max(self.usual(wanted)))?;
        }
        while self.held().len() < len && self.more(limit)? > 0 {}
        Ok(())
    }

    /// The size of a buffer for `wanted` bytes: the memory of a large one has to be made first.
    fn usual(&self, wanted: usize) -> usize {
        wanted.max(SMALL).min(self.buffers.usual)
    }

    fn move_to_front(&mut self) {
        if self.start > 0 {
            self.buffers.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if self.end <= self.buffers.usual {
                self.buffers.shrink();
            }
        }
    }

    fn reserve(&mut self, len: usize) -> Result<(), ReadError> {
        let bytes = &mut self.buffers.bytes;
        if bytes.try_reserve_exact(len.saturating_sub(bytes.len())).is_err() {
            let name = self.file.planned.to_string();
            return Err(ReadError::NoMemory { name, offset: self.offset, len: self.end });
        }
        bytes.resize(len.max(bytes.len()), 0);
        Ok(())
    }
}

impl Drop for Window<'_, '_> {
    fn drop(&mut self) {
        self.buffers.shrink();
    }
}
