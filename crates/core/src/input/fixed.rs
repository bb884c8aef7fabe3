//! Records of a fixed length in bytes.
//!
//! It gives out bytes; what they mean is the mapper's business.

use std::path::Path;

use super::error::ReadError;
use super::{Cut, Input, RecordSink, Source, Span};
use crate::result::Result;

/// Records that all have the same length in bytes, with nothing between them.
///
/// A file whose size is no multiple of it is an error before the job starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixed {
    record_len: usize,
}

impl Fixed {
    /// Records of `record_len` bytes. A length of 0 is an error when the job is planned.
    pub fn new(record_len: usize) -> Self {
        Fixed { record_len }
    }

    fn check_size(&self, name: &dyn std::fmt::Display, size: u64) -> Result<(), ReadError> {
        match size.checked_rem(self.record_len as u64) {
            Some(0) => Ok(()),
            Some(_) => {
                Err(ReadError::NoMultiple { name: name.to_string(), size, record_len: self.record_len })
            }
            None => Err(ReadError::NoLength),
        }
    }

    /// A piece that ends inside a record can never be read to its end.
    fn check_piece(&self, source: &Source<'_>) -> Result<(), ReadError> {
        let (offset, end, len) = (source.offset(), source.end(), self.record_len as u64);
        if (end - offset).is_multiple_of(len) {
            return Ok(());
        }
        Err(ReadError::CutRecord { name: source.name().to_string(), offset: end - (end - offset) % len, len })
    }
}

impl Input for Fixed {
    type Record<'a> = &'a [u8];

    fn cut(&self) -> Cut {
        Cut::Multiple(self.record_len as u64)
    }

    fn check(&self, path: &Path, size: u64) -> Result {
        Ok(self.check_size(&path.display(), size)?)
    }

    fn read<S: RecordSink<Self>>(&self, source: &mut Source<'_>, sink: &mut S) -> Result {
        self.check_size(&source.name(), source.file_size())?;
        self.check_piece(source)?;
        let stop = source.end();
        let mut window = source.window(source.offset());
        while window.offset() < stop {
            window.fill(self.record_len, stop)?;
            let whole = window.held().len() / self.record_len * self.record_len;
            let (offset, block) = (window.offset(), &window.held()[..whole]);
            if !sink.block(Span { offset, len: whole as u64 }, block)? {
                let len = self.record_len as u64;
                for (index, record) in (0..).zip(block.chunks_exact(self.record_len)) {
                    sink.record(Span { offset: offset + index * len, len }, record)?;
                }
            }
            window.consume(whole);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Collect, plan_one, read_split};
    use super::super::{Buffers, Cut};
    use super::*;

    fn read(record_len: usize, cut: Cut) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"0123456789").unwrap();
        let plan = plan_one(&path, cut, 3);
        let (mut buffers, mut sink) = (Buffers::default(), Collect::default());
        let error = read_split(&Fixed::new(record_len), &plan, 0, &mut buffers, &mut sink).unwrap_err();
        error.to_string().replace(path.to_str().unwrap(), "FILE")
    }

    #[test]
    fn a_size_that_is_no_multiple_is_an_error_when_planned_and_when_read() {
        let error = Fixed::new(4).check(Path::new("FILE"), 10).unwrap_err().to_string();
        assert_eq!(error, "input FILE: its size 10 is no multiple of the record length 4");
        assert_eq!(read(4, Cut::Multiple(4)), error);
        assert!(Fixed::new(5).check(Path::new("FILE"), 10).is_ok());
        assert!(Fixed::new(0).check(Path::new("FILE"), 10).is_err());
    }

    #[test]
    fn a_piece_that_cuts_a_record_is_an_error() {
        assert!(read(2, Cut::Anywhere).starts_with("input FILE, offset 2: a record of 2 bytes does not end"));
    }
}
