//! The open log file, and the whole records that are on their way into it.
//!
//! It writes in groups, keeps what cannot be written at the moment, and begins a new file where somebody has removed
//! the old one. When a file is set aside is not decided here.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::explain;
use super::open::{append_to, claim, is_torn, takes_more};

/// Records are written in groups of about this size while the queue is not empty.
const GROUP: usize = 64 << 10;
/// What is kept in memory, at most, while the file cannot be written.
const KEPT: usize = 4 << 20;
/// When that much is kept, writing is tried again with each so-many-th record that finds no room.
const RETRY_EVERY: u64 = 256;

/// An append-only file with a buffer of whole records before it.
#[derive(Debug)]
pub(crate) struct Sink {
    path: PathBuf,
    /// No other program may log to the file, since it is set aside.
    alone: bool,
    file: Option<File>,
    /// A device or a pipe has no size and is never set aside.
    regular: bool,
    /// The file ends in the middle of a line, which the next record must not continue.
    torn: bool,
    /// Bytes in the file.
    written: u64,
    pending: Vec<u8>,
    /// Records in `pending`.
    waiting: u64,
    /// Records that had no room since the last write that succeeded.
    lost: u64,
    /// After a failure nothing is written before this many bytes are pending.
    retry_at: usize,
}

impl Sink {
    /// The file is opened by the first write, or by [`open`](Self::open).
    pub(crate) fn new(path: PathBuf, alone: bool) -> Self {
        Self {
            path,
            alone,
            file: None,
            regular: true,
            torn: false,
            written: 0,
            pending: Vec::new(),
            waiting: 0,
            lost: 0,
            retry_at: 0,
        }
    }

    /// Opens the file for appending, in place of the one that is open. If that fails, that one stays.
    pub(crate) fn open(&mut self) -> io::Result<()> {
        self.open_unexplained().map_err(|error| explain(&error, format_args!("open {}", self.path.display())))
    }

    /// The same for those who say themselves what could not be opened.
    pub(crate) fn open_unexplained(&mut self) -> io::Result<()> {
        let file = append_to(&self.path)?;
        let metadata = file.metadata()?;
        if metadata.is_file() {
            self.claim(&file)?;
        }
        self.regular = metadata.is_file();
        self.written = if self.regular { metadata.len() } else { 0 };
        self.torn = is_torn(&self.path, self.written);
        self.file = Some(file);
        Ok(())
    }

    /// Only the first of these files may be refused: one that replaces another must be written in any case.
    fn claim(&self, file: &File) -> io::Result<()> {
        let Some(before) = &self.file else { return claim(file, self.alone) };
        // It may be the same file, opened anew.
        before.unlock().and_then(|()| claim(file, self.alone)).or(Ok(()))
    }

    /// Opens the file if it is not open.
    pub(crate) fn open_once(&mut self) -> io::Result<()> {
        if self.file.is_some() { Ok(()) } else { self.open() }
    }

    pub(crate) fn is_regular(&self) -> bool {
        self.regular
    }

    /// Bytes that the file has, or will have when everything is written.
    pub(crate) fn size(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    /// Looks how large the file is: somebody may have emptied it.
    pub(crate) fn measure(&mut self) {
        if let Some(Ok(metadata)) = self.file.as_ref().filter(|_| self.regular).map(File::metadata) {
            self.written = metadata.len();
        }
    }

    /// Adds a whole record, and writes if there are enough.
    pub(crate) fn add(&mut self, record: &[u8]) -> io::Result<()> {
        let written = self.make_room(record.len());
        if !self.has_room(record.len()) {
            self.lost += 1;
            return written.and(Err(self.unwritable()));
        }
        if std::mem::take(&mut self.torn) {
            self.pending.push(b'\n');
        }
        self.pending.extend_from_slice(record);
        self.waiting += 1;
        if self.pending.len() >= GROUP.max(self.retry_at) { self.write() } else { written }
    }

    fn has_room(&self, len: usize) -> bool {
        self.pending.is_empty() || self.pending.len() + len <= KEPT
    }

    /// A file that could not be written is tried again now and then, not with every record.
    fn make_room(&mut self, len: usize) -> io::Result<()> {
        let tried = !self.has_room(len) && self.lost.is_multiple_of(RETRY_EVERY);
        if tried { self.write() } else { Ok(()) }
    }

    fn unwritable(&self) -> io::Error {
        io::Error::other(format!("{} is not writable, records are lost", self.path.display()))
    }

    /// Writes the pending records. If that fails, none of them is in the file and they stay pending.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.retry_at = (self.pending.len() + GROUP).min(KEPT);
        let removed = self.look_after_file();
        if self.file.is_none() {
            return removed;
        }
        self.append()?;
        self.retry_at = 0;
        removed.and_then(|()| self.own_up())
    }

    /// Opens the file if it is not open, and anew if it has been removed: what would be written is lost to everybody.
    fn look_after_file(&mut self) -> io::Result<()> {
        let Some(file) = &self.file else { return self.open() };
        let links = file.metadata().map_or(1, |metadata| metadata.nlink());
        if self.regular && links == 0 {
            self.file = None;
            self.open()?;
            return Err(io::Error::other(format!(
                "{} had been removed and is begun anew",
                self.path.display()
            )));
        }
        self.measure();
        Ok(())
    }

    fn append(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut done = 0;
        let failed = loop {
            match file.write(&self.pending[done..]) {
                Ok(0) => break Some(io::ErrorKind::WriteZero.into()),
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && takes_more(file) => {}
                Err(error) => break Some(error),
            }
            if done == self.pending.len() {
                break None;
            }
        };
        match failed {
            None => {
                self.written += done as u64;
                self.pending.clear();
                self.pending.shrink_to(2 * GROUP);
                self.waiting = 0;
                Ok(())
            }
            Some(error) => {
                self.take_back(done);
                Err(explain(&error, format_args!("write {}", self.path.display())))
            }
        }
    }

    /// A full disk takes a part of a write. It is cut off again, so that no record stays torn and none is doubled; a
    /// file that cannot be cut goes on behind that part.
    fn take_back(&mut self, done: usize) {
        let Some(file) = self.file.as_ref().filter(|_| done > 0) else { return };
        if !self.regular || file.set_len(self.written).is_err() {
            self.written += done as u64;
            self.pending.drain(..done);
        }
    }

    /// Says, once it is over, how many records were lost.
    fn own_up(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.lost) {
            0 => Ok(()),
            lost => Err(io::Error::other(format!(
                "{lost} records were lost while {} was not writable",
                self.path.display()
            ))),
        }
    }

    /// The last write. What does not get into the file now is lost.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        let result = self.write();
        let lost = std::mem::take(&mut self.lost) + std::mem::take(&mut self.waiting);
        self.pending.clear();
        match result {
            Err(error) if lost > 0 => {
                Err(io::Error::new(error.kind(), format!("{lost} records are lost: {error}")))
            }
            result => result,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // A process that is just being started may have the file open for a moment longer.
        if let Some(file) = &self.file {
            drop(file.unlock());
        }
    }
}

#[cfg(test)]
mod tests;
