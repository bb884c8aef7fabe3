//! A whole file as one record.
//!
//! It reads any file into memory; whether that is wise is the user's decision.

use super::error::ReadError;
use super::{Cut, Input, RecordSink, Source, Span};
use crate::result::Result;

/// Each file is one record: its contents as bytes. An empty file is an empty record.
///
/// A worker holds the file in memory while it is mapped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WholeFile;

impl Input for WholeFile {
    type Record<'a> = &'a [u8];

    fn cut(&self) -> Cut {
        Cut::Never
    }

    fn read<S: RecordSink<Self>>(&self, source: &mut Source<'_>, sink: &mut S) -> Result {
        let size = source.file_size();
        let len = usize::try_from(size).map_err(|_| no_memory(source))?;
        let mut window = source.window(0);
        window.fill(len, size)?;
        sink.record(Span { offset: 0, len: size }, window.held())
    }
}

fn no_memory(source: &Source<'_>) -> ReadError {
    ReadError::NoMemory { name: source.name().to_string(), offset: 0, len: usize::MAX }
}
