//! Where records come from: which files, cut how, read into which kind of record.
//!
//! [`files`] finds them and fixes their sizes, [`plan`] cuts them into input splits, and each record kind reads the
//! records that begin in a piece of a split. Nothing here knows of tasks, workers or mappers.

pub(crate) mod error;
pub(crate) mod file;
pub(crate) mod files;
pub(crate) mod plan;
pub(crate) mod stdin;

mod blocks;
mod fixed;
mod glob;
mod items;
mod lines;
mod ranges;
mod source;
mod text;
mod whole;
mod window;

#[cfg(test)]
mod border_tests;
#[cfg(test)]
mod testing;

use std::path::Path;

use crate::result::{BoxError, Result};

pub(crate) use error::InputError;
pub(crate) use file::{InputFile, Origin, modified, path_bytes};
pub(crate) use files::{Given, find};
pub(crate) use items::spool_items;
pub(crate) use plan::{Chunks, Piece, Plan, Split};
pub(crate) use window::Buffers;

pub use fixed::Fixed;
pub use items::Items;
pub use lines::Lines;
pub use source::Source;
pub use text::Text;
pub use whole::WholeFile;

/// How the bytes of a file may be cut into input splits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Anywhere: the reader itself finds the first record that begins in its piece (lines).
    Anywhere,
    /// At multiples of this many bytes (records of a fixed size).
    Multiple(u64),
    /// Not at all: a file is one record, or can only be read from its start.
    Never,
}

/// Where a record stands in its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Byte offset of the record's first byte in its file.
    pub offset: u64,
    /// Length in bytes, the line end included.
    pub len: u64,
}

/// A kind of input record.
///
/// The library brings [`Text`], [`Lines`], [`Fixed`], [`WholeFile`] and [`Items`].
///
/// The coordinator calls [`cut`](Input::cut) and [`check`](Input::check) while it plans; a worker calls
/// [`read`](Input::read) once for each piece of a split, and again when the task is retried, so that reading the same
/// piece must give the same records every time. However a file is cut, each of its records belongs to exactly one
/// piece: the one in which its first byte lies.
pub trait Input: Clone + Send + Sync + 'static {
    /// One record, borrowed from the reader's buffer.
    type Record<'a>;

    /// How a file with this kind of records may be cut.
    fn cut(&self) -> Cut;

    /// Looks at a file's path and size before the job starts; the default accepts every file.
    ///
    /// # Errors
    /// The file cannot hold records of this kind (the message names it): the job does not start.
    fn check(&self, path: &Path, size: u64) -> Result {
        let _ = (path, size);
        Ok(())
    }

    /// Reads every record that *begins* in the piece behind `source`, in order, and gives each to `sink`.
    ///
    /// # Errors
    /// What reading returns (the message names the file and offset), or what the sink returns.
    fn read<S: RecordSink<Self>>(&self, source: &mut Source<'_>, sink: &mut S) -> Result;
}

/// Takes the records of a piece, one at a time or in blocks.
pub trait RecordSink<I: Input> {
    /// Offered the bytes of many whole records at once, with nothing between or beside them; `true` if the sink has
    /// taken them. Otherwise [`RecordSink::record`] must be called with each.
    ///
    /// # Errors
    /// As for [`RecordSink::record`].
    #[inline]
    fn block(&mut self, at: Span, block: &[u8]) -> Result<bool> {
        let _ = (at, block);
        Ok(false)
    }

    /// Called with each record.
    ///
    /// # Errors
    /// Ends the reading; the error is returned from [`Input::read`] as it is.
    fn record(&mut self, at: Span, record: I::Record<'_>) -> Result;

    /// Called instead of [`RecordSink::record`] for a record that cannot be decoded.
    ///
    /// # Errors
    /// As for [`RecordSink::record`]; returning `Ok` skips the record.
    fn undecodable(&mut self, at: Span, error: BoxError) -> Result;
}
