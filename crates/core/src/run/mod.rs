//! Runs: committed, checksummed files of map output.
//!
//! A worker writes one run file per flush. It holds *segments*, each the rows of one partition in key order; an index
//! and the commit record (which task attempts the file covers) stand at its end. The file is written under a
//! temporary name and renamed when it is whole, so a run that can be opened is complete. Nothing here sorts or merges.
//!
//! ```text
//! "GRISTRUN" version:u32 0:u32 │ segment … segment │ index │ offset:u64 len:u64 checksum:u64 "GRISTEND"
//! row: varint key length, varint value length, [varint split], key, value
//! ```
//!
//! Integers are little-endian, checksums are XXH3-64, the index is a `RunIndex` in the value codec.

mod file;
mod index;
mod row;
mod segment;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use file::{RunFile, damaged};
pub(crate) use index::{CommitRecord, Kind, Segment};
pub(crate) use row::{RowShape, put_row};
pub(crate) use segment::SegmentReader;
pub(crate) use writer::RunWriter;
