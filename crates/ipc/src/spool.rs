//! Messages too long for a channel, kept in files of a folder that both ends know.
//!
//! It does not decide what is too long and never removes the folder: that is its owner's part.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

static NEXT_FILE: AtomicU64 = AtomicU64::new(0);

/// The folder of one channel's long messages.
#[derive(Clone, Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
}

impl Spool {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Writes `bytes` to a file of its own and returns the file's name.
    pub(crate) fn store(&self, bytes: &[u8]) -> io::Result<String> {
        let name = format!("frame-{}-{}", std::process::id(), NEXT_FILE.fetch_add(1, Relaxed));
        self.write(&name, bytes).map_err(|error| self.named(&name, &error))?;
        Ok(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(name);
        let mut file = File::create_new(&path)?;
        // Half a message is of no use to anybody, least of all on a full disk.
        file.write_all(bytes).or_else(|error| fs::remove_file(&path).and(Err(error)))
    }

    /// Reads the file back, whole, and removes it.
    pub(crate) fn take(&self, name: &str, len: u64) -> io::Result<Vec<u8>> {
        // The name comes from another process: it must not lead out of the folder.
        if name.contains('/') || !name.starts_with("frame-") {
            return Err(io::Error::other(format!("{name:?} is not the name of a spooled message")));
        }
        self.read(name, len).map_err(|error| self.named(name, &error))
    }

    fn read(&self, name: &str, len: u64) -> io::Result<Vec<u8>> {
        let path = self.folder.join(name);
        let mut file = File::open(&path)?;
        let found = file.metadata()?.len();
        if found != len {
            return Err(io::Error::other(format!("holds {found} bytes instead of {len}")));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(len).map_err(io::Error::other)?);
        file.read_to_end(&mut bytes)?;
        fs::remove_file(&path)?;
        Ok(bytes)
    }

    pub(crate) fn discard(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.folder.join(name))
    }

    fn named(&self, name: &str, error: &io::Error) -> io::Error {
        let path = self.folder.join(name);
        io::Error::new(error.kind(), format!("spooled message {}: {error}", path.display()))
    }
}

impl Serialize for Spool {
    /// As bytes: a path that is not UTF-8 must not fail half-way through a message that carries descriptors.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.folder.as_os_str().as_bytes())
    }
}

impl<'de> Deserialize<'de> for Spool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes: Vec<u8> = serde_bytes::deserialize(deserializer)?;
        Ok(Self { folder: OsString::from_vec(bytes).into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_message_is_taken_once() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let spool = Spool::new(&folder.path().join("made on demand"));
        let name = spool.store(b"long").expect("store");
        assert_eq!(spool.take(&name, 4).expect("take"), b"long");
        let error = spool.take(&name, 4).expect_err("it is gone");
        assert!(error.to_string().contains(&name), "{error}");
    }

    #[test]
    fn a_wrong_length_and_a_foreign_path_are_refused() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let spool = Spool::new(folder.path());
        let name = spool.store(b"long").expect("store");
        assert!(spool.take(&name, 5).expect_err("too short").to_string().contains("4 bytes instead of 5"));
        assert!(spool.take("frame-/../../etc/passwd", 4).is_err());
        assert!(spool.take("elsewhere", 4).is_err());
    }
}
