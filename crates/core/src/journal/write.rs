//! Appends entries to a journal.
//!
//! It does not decide what is worth an entry.

use std::fs::File;
use std::path::{Path, PathBuf};

use gristmill_ipc::codec;

use super::{Entry, HEAD, JobEntry, checksum, header};
use crate::disk;
use crate::result::{AtPath, Result};

/// A journal, open for appending.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    path: PathBuf,
    len: u64,
    durable: bool,
}

impl Journal {
    /// Starts the journal of `job`. It gets its name when the first entry is in it.
    pub(crate) fn create(path: &Path, job: JobEntry, durable: bool) -> Result<Self> {
        let temporary = path.with_extension("tmp");
        let file = disk::create(&temporary).at("create the journal", &temporary)?;
        disk::write_all(&file, &header()).at("write", &temporary)?;
        let mut journal = Self { file, path: temporary, len: header().len() as u64, durable };
        journal.append(&Entry::Job(Box::new(job)))?;
        disk::rename(&journal.path, path).at("name the journal", path)?;
        path.clone_into(&mut journal.path);
        if durable {
            disk::sync_parent(path)?;
        }
        Ok(journal)
    }

    /// Goes on with a journal whose last whole entry ends at `len`; what stands behind it is cut off.
    pub(crate) fn go_on(path: &Path, len: u64, durable: bool) -> Result<Self> {
        let file = disk::open_with(File::options().append(true), path).at("open the journal", path)?;
        disk::set_len(&file, len).at("cut", path)?;
        Ok(Self { file, path: path.to_owned(), len, durable })
    }

    /// Appends an entry; when this returns, it survives the death of any process, and with `durable` a power loss.
    ///
    /// # Errors
    /// When it cannot be written. The journal ends with the entry before then.
    pub(crate) fn append(&mut self, entry: &Entry) -> Result {
        let encoded = codec::encode(entry)?;
        let mut frame = Vec::with_capacity(HEAD + encoded.len());
        frame.extend_from_slice(&u32::try_from(encoded.len())?.to_le_bytes());
        frame.extend_from_slice(&checksum(self.len, &encoded).to_le_bytes());
        frame.extend_from_slice(&encoded);
        let written =
            disk::write_all(&self.file, &frame).at("write", &self.path).and_then(|()| match self.durable {
                true => disk::sync_data(&self.file).at("sync", &self.path),
                false => Ok(()),
            });
        if let Err(error) = written {
            // Half an entry would hide all that come after it.
            disk::set_len(&self.file, self.len).at("cut", &self.path)?;
            return Err(error.into());
        }
        self.len += frame.len() as u64;
        Ok(())
    }
}
