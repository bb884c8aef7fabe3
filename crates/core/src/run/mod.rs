//! Runs: committed, checksummed files of map output.
//!
//! A worker writes one run file per flush. It holds *segments*, each the rows of one bucket of a partition; an index
//! and the commit record (which task attempts the file covers) stand at its end. The file is written under a
//! temporary name and renamed when it is whole, so a run that can be opened is complete. Nothing here sorts or merges.
//!
//! ```text
//! "GRISTRUN" version:u32 0:u32 │ segment … segment │ index │ offset:u64 len:u64 checksum:u64 "GRISTEND"
//! segment: rows, or blocks of compressed rows, as the index says
//! block: raw length:u32, stored length:u32, stored bytes
//! row: varint key length, varint value length, [varint split], key, value
//! ```
//!
//! Integers are little-endian, checksums are XXH3-64 of the bytes as they are stored, the index is a `RunIndex` in the
//! value codec. A block holds 1 to 131,072 raw bytes, compressed on their own with the segment's codec (an LZ4 block
//! or a Zstandard frame), or as they are if both lengths are equal; a row may begin in one block and end in another.
//!
//! What is compressed is up to the worker's [`Spilling`], which also keeps the [ledger] of what all runs take up.

mod entries;
mod file;
mod gauge;
mod index;
mod ledger;
mod pack;
mod pieces;
mod row;
mod scan;
mod segment;
mod source;
mod spilling;
mod temporary;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use file::{DamagedRun, RunFile, damaged};
pub(crate) use index::{CommitRecord, Kind, Label, Segment};
pub(crate) use pieces::Pieces;
pub(crate) use row::{HEAD_ROOM, Head, RowLayout, RowShape, SplitCode, parse_row, put_row};
pub(crate) use scan::{Row, scan};
pub(crate) use segment::SegmentReader;
pub(crate) use source::read_segment;
pub(crate) use spilling::{SpillLimit, SpillSettings, Spilling};
pub(crate) use writer::RunWriter;
