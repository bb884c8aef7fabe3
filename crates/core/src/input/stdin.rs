//! Spools standard input into a file, because a retried task has to read it again.
//!
//! Where the file lies and when it goes away is decided by the caller.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::disk;

/// Large enough that system calls do not count.
const BUFFER: usize = 1 << 20;

/// Copies everything that `reader` gives into a new file at `path` and returns its length.
///
/// # Errors
/// The message names standard input or `path`, whichever failed.
pub(crate) fn spool(mut reader: impl Read, path: &Path) -> io::Result<u64> {
    let file = disk::create(path).map_err(|error| named(path.display(), &error))?;
    let mut buffer = vec![0; BUFFER];
    let mut total = 0;
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(named("standard input", &error)),
        };
        disk::write_all(&file, &buffer[..read]).map_err(|error| named(path.display(), &error))?;
        total += read as u64;
    }
}

fn named(what: impl std::fmt::Display, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_arrives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdin");
        let text = b"one\ntwo".repeat(BUFFER / 3);
        assert_eq!(spool(&text[..], &path).unwrap(), text.len() as u64);
        assert_eq!(std::fs::read(&path).unwrap(), text);
    }

    #[test]
    fn a_full_disk_is_named() {
        let error = spool(io::repeat(b'x'), Path::new("/dev/full")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert!(error.to_string().starts_with("/dev/full: "), "{error}");
    }

    #[test]
    fn a_reader_that_fails_is_standard_input() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::ConnectionReset.into())
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let error = spool(Broken, &folder.path().join("stdin")).unwrap_err();
        assert!(error.to_string().starts_with("standard input: "), "{error}");
    }
}
