//! Writes that go on until everything is written, however little the system takes at a time.
//!
//! It buffers nothing.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::FileExt;

use super::fault::{Fault, Step, point};
use super::inject::Kind;

/// Up to so many bytes in one place are written at once or not at all, whoever is killed meanwhile.
const WORD: usize = size_of::<u64>();

/// Writes all of `bytes`.
pub(crate) fn write_all(file: &File, bytes: &[u8]) -> io::Result<()> {
    write_slices(file, &mut [IoSlice::new(bytes)])
}

/// Writes all of each slice, one after the other, with one call if the system takes them.
pub(crate) fn write_slices(file: &File, mut left: &mut [IoSlice<'_>]) -> io::Result<()> {
    // What is empty would look like a disk that takes nothing.
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match write_once(file, left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn write_once(mut file: &File, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let Some(fault) = point(Step::Write) else { return file.write_vectored(slices) };
    let mut other = file;
    fault.write(half_of(slices), || file.write_vectored(slices), |half| other.write(half))
}

/// Writes all of `bytes` at `offset`.
pub(crate) fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    let Some(fault) = point(Step::Write) else { return file.write_all_at(bytes, offset) };
    let half = if bytes.len() > WORD { bytes[..bytes.len() / 2].to_vec() } else { bytes.to_vec() };
    let whole = || file.write_all_at(bytes, offset).map(|()| bytes.len());
    let written = fault.write(half, whole, |half| file.write_at(half, offset))?;
    file.write_all_at(&bytes[written..], offset + written as u64)
}

/// The first half of what several slices hold.
fn half_of(slices: &[IoSlice<'_>]) -> Vec<u8> {
    let mut bytes: Vec<_> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
    bytes.truncate(bytes.len().div_ceil(2));
    bytes
}

impl Fault {
    /// Makes a write, or half of it, or none; returns how many bytes were written.
    fn write(
        self,
        half: Vec<u8>,
        whole: impl FnOnce() -> io::Result<usize>,
        some: impl FnOnce(&[u8]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        self.before()?;
        let written = if matches!(self.0, Kind::Short | Kind::DieHalf) { some(&half) } else { whole() };
        self.after();
        written
    }
}

/// A file for [`io::BufWriter`] and its like.
#[derive(Debug)]
pub(crate) struct Writer(pub(crate) File);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_once(&self.0, &[IoSlice::new(bytes)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn everything_is_written_in_order_and_nothing_is_no_error() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let write = |slices: [&[u8]; 3]| write_slices(file.as_file(), &mut slices.map(IoSlice::new));
        write([b"", b"", b""]).expect("there is nothing to write");
        write([b"one ", b"", b"two "]).expect("it can be written");
        write([b"", b"three", b""]).expect("it can be written");
        write_all_at(file.as_file(), b"ONE", 0).expect("it can be written");
        assert_eq!(fs::read(file.path()).expect("it is there"), b"ONE two three");
    }

    #[test]
    fn a_short_write_takes_half_and_says_so() {
        let mut taken = Vec::new();
        let slices = [IoSlice::new(b"abc"), IoSlice::new(b"defg")];
        let written = Fault(Kind::Short).write(
            half_of(&slices),
            || unreachable!("half of it is written"),
            |half| {
                taken.extend_from_slice(half);
                Ok(half.len())
            },
        );
        assert_eq!((written.expect("it can be written"), &taken[..]), (4, &b"abcd"[..]));
    }
}
