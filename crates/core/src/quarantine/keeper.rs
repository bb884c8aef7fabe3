//! Puts what is set aside into the folder inside the work folder: the record's bytes and its certificate.
//!
//! A group's rows are put there by the attempt that leaves it out.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Certificate;
use crate::disk;
use crate::input::Plan;
use crate::result::{AtPath, FileError, Result};
use crate::task::{Blame, Failure, Spot};

/// A record is copied in pieces of this size.
const PIECE: usize = 1 << 20;

/// Keeps what is set aside.
#[derive(Debug)]
pub(crate) struct Keeper {
    folder: PathBuf,
    plan: Arc<Plan>,
    durable: bool,
}

impl Keeper {
    pub(crate) fn new(folder: PathBuf, plan: Arc<Plan>, durable: bool) -> Self {
        Self { folder, plan, durable }
    }

    /// Keeps a record or group that is set aside after so many failures, of which this is the last.
    pub(crate) fn keep(&self, blame: &Blame, failure: &Failure, strikes: u32) -> Result {
        disk::create_dir_all(&self.folder).at("make the folder", &self.folder)?;
        let name = |kind| self.folder.join(format!("{}.{kind}", blame.spot));
        if let Spot::Record { file, offset, len } = blame.spot {
            let input = self.plan.files.get(file as usize).ok_or("there is no such input file")?;
            self.write(&name("record"), |to, path| copy(&input.path, (offset, len), to, path))?;
        }
        let certificate = Certificate::set_aside(blame, failure, strikes, &self.plan);
        let mut text = serde_json::to_vec_pretty(&certificate)?;
        text.push(b'\n');
        self.write(&name("json"), |to, path| disk::write_all(to, &text).at("write", path))
    }

    fn write(&self, path: &Path, fill: impl FnOnce(&mut File, &Path) -> Result<(), FileError>) -> Result {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".tmp");
        let temporary = PathBuf::from(temporary);
        let mut file = disk::create(&temporary).at("create", &temporary)?;
        fill(&mut file, &temporary)?;
        if self.durable {
            disk::sync(&file).at("sync", &temporary)?;
        }
        disk::rename(&temporary, path).at("name", path)?;
        if self.durable {
            disk::sync_parent(path)?;
        }
        Ok(())
    }
}

/// Copies `len` bytes at `offset` of the file at `from`.
fn copy(from: &Path, (offset, len): (u64, u64), to: &mut File, path: &Path) -> Result<(), FileError> {
    let input = File::open(from).at("open", from)?;
    let mut piece = vec![0; PIECE.min(usize::try_from(len).unwrap_or(PIECE))];
    let mut done = 0;
    while done < len {
        let wanted = piece.len().min(usize::try_from(len - done).unwrap_or(PIECE));
        input.read_exact_at(&mut piece[..wanted], offset + done).at("read", from)?;
        disk::write_all(to, &piece[..wanted]).at("write", path)?;
        done += wanted as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_record_is_copied_piece_by_piece() {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (folder.path().join("in"), folder.path().join("out"));
        let bytes: Vec<u8> = (0..3 * PIECE as u32 + 17).map(|n| (n % 251) as u8).collect();
        fs::write(&from, &bytes).expect("a file");
        for (offset, len) in [(0, bytes.len()), (5, 2 * PIECE), (9, 0), (100, 1)] {
            let mut file = File::create(&to).expect("a file");
            copy(&from, (offset as u64, len as u64), &mut file, &to).expect("a copy");
            assert!(fs::read(&to).expect("the copy") == bytes[offset..][..len]);
        }
    }
}
