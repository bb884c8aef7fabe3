//! In-memory items: spooled into a file once, and read back from it by every attempt.
//!
//! The file is a scratch file of one job, `u32` length (little endian) and encoded bytes for each item; it is no format
//! for exchange.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::marker::PhantomData;
use std::path::Path;

use gristmill_ipc::codec;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{InputError, ReadError};
use super::file::{InputFile, Origin};
use super::plan::{MAX_SPLITS, Piece, Plan, Split};
use super::ranges::Ranges;
use super::window::Window;
use super::{Cut, Input, RecordSink, Source, Span};
use crate::result::{BoxError, Result};

/// Bytes in front of each item.
const HEADER: usize = size_of::<u32>();

/// Large enough that system calls do not count.
const BUFFER: usize = 1 << 20;

/// In-memory items of type `T`, given out as values.
pub struct Items<T> {
    item: PhantomData<fn() -> T>,
}

impl<T> Items<T> {
    /// Items of type `T`.
    pub fn new() -> Self {
        Items { item: PhantomData }
    }
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Items::new()
    }
}

impl<T> Clone for Items<T> {
    fn clone(&self) -> Self {
        Items::new()
    }
}

impl<T> fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Items")
    }
}

impl<T: Serialize + DeserializeOwned + 'static> Input for Items<T> {
    type Record<'a> = T;

    fn cut(&self) -> Cut {
        Cut::Never
    }

    fn check(&self, path: &Path, _size: u64) -> Result {
        // Only files that the user named are checked.
        Err(format!("input {}: the mapper reads in-memory items, not files", path.display()).into())
    }

    fn read<S: RecordSink<Self>>(&self, source: &mut Source<'_>, sink: &mut S) -> Result {
        let (file, stop) = (source.planned(), source.end());
        let mut window = source.window(source.offset());
        while window.offset() < stop {
            let len = hold_item(&mut window, file, stop)?;
            let at = Span { offset: window.offset(), len: len as u64 };
            match codec::decode(&window.held()[HEADER..len]) {
                Ok(item) => sink.record(at, item)?,
                Err(error) => sink.undecodable(at, bad_item(file, at.offset, error.into()).into())?,
            }
            window.consume(len);
        }
        Ok(())
    }
}

/// Brings the item at the window's start into memory and returns its length with the header.
fn hold_item(window: &mut Window<'_, '_>, file: &InputFile, stop: u64) -> Result<usize, ReadError> {
    window.fill(HEADER, stop)?;
    let len =
        window.held().first_chunk().map_or(HEADER, |header| HEADER + u32::from_le_bytes(*header) as usize);
    let offset = window.offset();
    if len as u64 > stop - offset {
        return Err(ReadError::CutRecord { name: file.to_string(), offset, len: len as u64 });
    }
    window.fill(len, stop)?;
    Ok(len)
}

fn bad_item(file: &InputFile, offset: u64, source: BoxError) -> ReadError {
    ReadError::BadItem { name: file.to_string(), offset, source }
}

/// Writes `items` into a new file at `path` and plans splits of `chunk` items each.
///
/// With `ranges` the items are divided into that many ranges of equal count, and no split crosses their borders.
///
/// # Errors
/// An item cannot be encoded or is too long, the file cannot be written, or there would be too many splits.
pub(crate) fn spool_items<T: Serialize>(
    items: impl IntoIterator<Item = T>,
    path: &Path,
    chunk: u64,
    ranges: Option<u32>,
) -> Result<Plan, InputError> {
    let at_path = |error| InputError::at(path, error);
    let file = File::create_new(path).map_err(at_path)?;
    let count = write_items(items, &file, path)?;
    let chunk = chunk.max(1);
    if count / chunk > MAX_SPLITS {
        return Err(InputError::TooManySplits { chunk_size: chunk, total: count, limit: MAX_SPLITS });
    }
    let splits = cut_items(path, count, chunk, Ranges::new(count, ranges.unwrap_or(1))).map_err(at_path)?;
    let metadata = file.metadata().map_err(at_path)?;
    let file = InputFile::new(path.into(), &metadata, Origin::Items);
    Ok(Plan { total_bytes: file.size, files: vec![file], splits })
}

fn write_items<T: Serialize>(
    items: impl IntoIterator<Item = T>,
    file: &File,
    path: &Path,
) -> Result<u64, InputError> {
    let mut writer = BufWriter::with_capacity(BUFFER, file);
    let mut bytes = Vec::new();
    let mut count = 0;
    for item in items {
        bytes.clear();
        codec::encode_into(&item, &mut bytes)
            .map_err(|error| InputError::BadItem { index: count, source: error.into() })?;
        write_item(&mut writer, &bytes, path, count)?;
        count += 1;
    }
    writer.flush().map_err(|error| InputError::at(path, error))?;
    Ok(count)
}

fn write_item(writer: &mut impl Write, bytes: &[u8], path: &Path, index: u64) -> Result<(), InputError> {
    let len = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= codec::DECODE_LIMIT);
    let Some(len) = len else { return Err(InputError::LongItem { index, len: bytes.len() }) };
    let written = writer.write_all(&len.to_le_bytes()).and_then(|()| writer.write_all(bytes));
    written.map_err(|error| InputError::at(path, error))
}

/// Walks over the spooled items: the borders of ranges are known only once all items are counted.
fn cut_items(path: &Path, count: u64, chunk: u64, mut ranges: Ranges) -> io::Result<Vec<Split>> {
    let mut reader = BufReader::with_capacity(BUFFER, File::open(path)?);
    let mut splits: Vec<Split> = Vec::new();
    let (mut offset, mut held) = (0, 0);
    for index in 0..count {
        let len = skip_item(&mut reader)?;
        let partition = ranges.at(0, index, 1);
        match splits.last_mut().filter(|split| split.partition == partition && held < chunk) {
            Some(split) => {
                split.pieces[0].len += len;
                held += 1;
            }
            None => {
                splits.push(Split { pieces: vec![Piece { file: 0, offset, len }], partition });
                held = 1;
            }
        }
        offset += len;
    }
    Ok(splits)
}

/// Moves the reader behind the next item and returns the item's length with its header.
fn skip_item(reader: &mut BufReader<File>) -> io::Result<u64> {
    let mut header = [0; HEADER];
    reader.read_exact(&mut header)?;
    let len = u32::from_le_bytes(header);
    reader.seek_relative(i64::from(len))?;
    Ok(HEADER as u64 + u64::from(len))
}

#[cfg(test)]
#[path = "items_tests.rs"]
mod tests;
