//! A run file on its way to disk: gathers small pieces, writes large ones from where they are, counts the bytes.
//!
//! It does not know what it writes. Dropped without being committed, it leaves nothing behind.

use std::fs::File;
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::ledger::Claim;
use super::spilling::Spilling;
use crate::disk;
use crate::result::{AtPath, Result};

const BUFFER: usize = 256 << 10;
/// From this size on bytes are written from where they are.
const UNGATHERED: usize = 24 << 10;

/// A file that has no name of its own yet.
pub(super) struct TemporaryFile {
    path: PathBuf,
    /// Closed before the claim is given back.
    file: File,
    /// What the file takes up, at least, if there is a limit.
    claim: Option<Claim>,
    /// Whether the file still stands under its temporary name.
    named: bool,
    buffer: Vec<u8>,
    written: u64,
    spilling: Arc<Spilling>,
}

impl TemporaryFile {
    /// A file that will be called `path`; until then its name ends with `.tmp`.
    pub(super) fn create(path: &Path, spilling: &Arc<Spilling>) -> Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".tmp");
        let path = PathBuf::from(name);
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(true);
        let file = disk::open_with(options, &path).at("create the run", &path)?;
        let (claim, spilling, buffer) = (spilling.claim(), Arc::clone(spilling), Vec::with_capacity(4096));
        Ok(Self { path, file, claim, named: true, buffer, written: 0, spilling })
    }

    /// Removes the name: whatever happens, the space is free when the file is closed.
    pub(super) fn unlink(&mut self) -> Result {
        disk::remove_file(&self.path).at("remove the name of", &self.path)?;
        self.named = false;
        Ok(())
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result {
        self.gather(bytes).inspect_err(|error| self.spilling.note_full(error))
    }

    /// Appends pieces, one after the other, from where they are.
    pub(super) fn append_pieces(&mut self, pieces: &[&[u8]]) -> Result {
        self.write_out(pieces).inspect_err(|error| self.spilling.note_full(error))
    }

    fn gather(&mut self, bytes: &[u8]) -> Result {
        if bytes.len() >= UNGATHERED {
            return self.write_out(&[bytes]);
        }
        if self.buffer.len() + bytes.len() > BUFFER {
            self.write_out(&[])?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    /// Gives the file, which is whole, the name `path`. With `durable` it survives a power loss.
    pub(super) fn commit(mut self, path: &Path, durable: bool) -> Result {
        self.write_out(&[])?;
        if durable {
            disk::sync(&self.file).at("sync", &self.path)?;
        }
        let rename = || Ok(disk::rename(&self.path, path).at("commit the run", path)?);
        match self.claim.take() {
            Some(claim) => claim.commit(self.written, rename)?,
            None => rename()?,
        }
        self.named = false;
        if durable {
            disk::sync_parent(path)?;
        }
        Ok(())
    }

    /// The file, which is whole and has no name any more, and what it takes up.
    pub(super) fn into_unnamed(mut self) -> Result<(PathBuf, File, Option<Claim>)> {
        self.write_out(&[])?;
        if let Some(claim) = &mut self.claim {
            claim.settle(self.written);
        }
        let file = self.file.try_clone().at("reopen", &self.path)?;
        Ok((self.path.clone(), file, self.claim.take()))
    }

    /// Writes what was gathered and then `pieces`, with one call.
    fn write_out(&mut self, pieces: &[&[u8]]) -> Result {
        let len = self.buffer.len() + pieces.iter().map(|piece| piece.len()).sum::<usize>();
        if len == 0 {
            return Ok(());
        }
        if let Some(claim) = &mut self.claim {
            claim.cover(self.written + len as u64)?;
        }
        self.written += len as u64;
        let begun = self.spilling.is_auto().then(Instant::now);
        let all = || [&self.buffer[..]].into_iter().chain(pieces.iter().copied());
        let mut slices: Vec<_> = all().map(IoSlice::new).collect();
        disk::write_slices(&self.file, &mut slices).at("write", &self.path)?;
        if let Some(begun) = begun {
            let sample = all().max_by_key(|piece| piece.len()).unwrap_or_default();
            self.spilling.wrote(len, begun.elapsed(), sample);
        }
        self.buffer.clear();
        Ok(())
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // Scratch is removed as a whole at the end; a file that cannot be removed now only takes up space, which it
        // goes on to be charged with.
        if self.named
            && disk::remove_file(&self.path).is_err()
            && let Some(claim) = self.claim.take()
        {
            std::mem::forget(claim);
        }
    }
}
