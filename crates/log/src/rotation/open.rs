//! Opens log files: for appending, claimed against programs that would rotate them as well, and never with a wait.
//!
//! What is written to them is not known here.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;

/// How long a pipe whose reader is slow may hold up a write.
const SLOW_READER: Duration = Duration::from_millis(100);

/// Opens a file for appending and creates it if need be. A pipe that nobody reads is an error, not a wait.
pub(super) fn append_to(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let opened = OpenOptions::new().append(true).create(true).custom_flags(flags).open(path);
    opened.map_err(|error| match Errno::from_io_error(&error) {
        Some(Errno::NXIO) => io::Error::new(error.kind(), "nobody reads from it"),
        _ => error,
    })
}

/// Claims a file until it is closed: alone for a program that sets it aside, otherwise together with others that do
/// not. Where the file system knows no locks there is no such protection.
pub(super) fn claim(file: &File, alone: bool) -> io::Result<()> {
    match if alone { file.try_lock() } else { file.try_lock_shared() } {
        Err(TryLockError::WouldBlock) => {
            let told = "it is another log's as well, and one of the two rotates it";
            Err(io::Error::new(io::ErrorKind::ResourceBusy, told))
        }
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

/// Whether a file ends in the middle of a line, as one does whose program was killed or whose machine went down. One
/// that cannot be read may do so or not.
pub(super) fn is_torn(path: &Path, len: u64) -> bool {
    let mut last = [b'\n'];
    let mut read = || File::open(path)?.read_exact_at(&mut last, len - 1);
    len > 0 && read().is_ok() && last != *b"\n"
}

/// Waits a moment until a pipe takes more, and returns whether it does.
pub(super) fn takes_more(file: &File) -> bool {
    let limit = Timespec::try_from(SLOW_READER).ok();
    let mut fds = [PollFd::new(file, PollFlags::OUT)];
    poll(&mut fds, limit.as_ref()).is_ok_and(|ready| ready > 0)
}
