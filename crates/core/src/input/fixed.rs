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
        let stop = source.end();
        let mut window = source.window(source.offset());
        while window.offset() < stop {
            window.fill(self.record_len, stop)?;
            let whole = window.held().len() / self.record_len * self.record_len;
            for (index, record) in (0..).zip(window.held()[..whole].chunks_exact(self.record_len)) {
                let len = self.record_len as u64;
                sink.record(Span { offset: window.offset() + index * len, len }, record)?;
            }
            window.consume(whole);
        }
        Ok(())
    }
}
