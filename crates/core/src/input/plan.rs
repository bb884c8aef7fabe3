//! Cuts the input files into input splits, one for each map task.
//!
//! It reads nothing: sizes come from `files`, and the first record of a piece is found by whoever reads it.

use serde::{Deserialize, Serialize};

use super::Cut;
use super::error::InputError;
use super::file::InputFile;
use super::ranges::Ranges;

/// More pieces in one split would not fit into a task message.
const MAX_PIECES: usize = 4096;

/// Task ordinals are 32 bits wide, with room to spare.
pub(super) const MAX_SPLITS: u64 = (u32::MAX / 2) as u64;

/// The inputs of a job: every file, and how they are cut into splits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Every input file, in the order of its records.
    pub(crate) files: Vec<InputFile>,
    /// The splits; one after the other they cover every byte of every file once, in order.
    pub(crate) splits: Vec<Split>,
    /// The sizes of all files together.
    pub(crate) total_bytes: u64,
}

/// What one map task reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Split {
    /// The pieces, in the order of their records; never empty.
    pub(crate) pieces: Vec<Piece>,
    /// In a job without a shuffle, the ordinal of the byte range that holds this split; otherwise 0.
    pub(crate) partition: u32,
}

/// A byte range of one file. The records that begin in it belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    /// Ordinal of the file in the plan.
    pub(crate) file: u32,
    /// First byte.
    pub(crate) offset: u64,
    /// Length in bytes; 0 only for an empty file that is a record as a whole.
    pub(crate) len: u64,
}

/// How long splits are to be, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chunks {
    size: u64,
    /// Those of the end are not to be longer than what is left divided by this; 0 for no such limit.
    shares: u64,
    /// But no shorter than this, unless `size` is.
    least: u64,
}

impl Chunks {
    /// So often those of the end are halved.
    const MOST_HALVINGS: u32 = 3;

    /// All as long as that.
    pub(crate) fn of(size: u64) -> Self {
        Self { size, shares: 0, least: size }
    }

    /// Those of the end are shorter, so that workers become idle at nearly the same time: no longer than what is left
    /// divided by `shares`, as in guided self-scheduling (Polychronopoulos and Kuck, 1987), but an eighth and `least` at least.
    pub(crate) fn shorter_at_the_end(self, shares: u64, least: u64) -> Self {
        Self { shares, least, ..self }
    }

    /// The length of one with `left` bytes from its beginning to the end of all input: halved so often that most begin at
    /// multiples of their length.
    pub(crate) fn with_left(self, left: u64) -> u64 {
        let share = left.checked_div(self.shares).unwrap_or(self.size);
        let mut size = self.size;
        for _ in 0..Self::MOST_HALVINGS {
            if size > share && size / 2 >= self.least {
                size /= 2;
            }
        }
        size
    }
}

impl Split {
    /// Its length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len).sum()
    }
}

impl Plan {
    /// Cuts `files` into splits of about the length that `chunks` says.
    ///
    /// A file longer than that is cut at multiples of it, as far as `cut` allows; small files and the ends of large ones
    /// share splits. With `ranges` the bytes of all files together are divided into that many ranges of equal size, and
    /// no split crosses their borders: which range a record is in does not depend on the chunk size. A range in which no
    /// record can begin has no split.
    pub(crate) fn cut(
        files: Vec<InputFile>,
        cut: Cut,
        chunks: Chunks,
        ranges: Option<u32>,
    ) -> Result<Plan, InputError> {
        let total_bytes = files.iter().map(|file| file.size).sum();
        check_counts(&files, cut, chunks.size, total_bytes)?;
        let mut cutter = Cutter::new(cut, chunks, total_bytes, ranges.unwrap_or(1));
        for (ordinal, file) in (0..).zip(&files) {
            cutter.add(ordinal, file.size);
        }
        Ok(Plan { splits: cutter.packer.finish(), files, total_bytes })
    }
}

fn check_counts(files: &[InputFile], cut: Cut, chunk_size: u64, total: u64) -> Result<(), InputError> {
    if u32::try_from(files.len()).is_err() {
        return Err(InputError::TooManyFiles { count: files.len() });
    }
    if cut != Cut::Never && total / unit(cut).max(chunk_size).max(1) > MAX_SPLITS {
        return Err(InputError::TooManySplits { chunk_size, total, limit: MAX_SPLITS });
    }
    Ok(())
}

/// The bytes between two places where a file may be cut.
fn unit(cut: Cut) -> u64 {
    match cut {
        Cut::Multiple(unit) => unit.max(1),
        Cut::Anywhere | Cut::Never => 1,
    }
}

/// Walks the files and says where each is cut.
#[derive(Debug)]
struct Cutter {
    cut: Cut,
    chunks: Chunks,
    total: u64,
    unit: u64,
    ranges: Ranges,
    /// The sizes of the files before this one.
    base: u64,
    packer: Packer,
}

impl Cutter {
    fn new(cut: Cut, chunks: Chunks, total: u64, ranges: u32) -> Self {
        let ranges = Ranges::new(total, ranges);
        Cutter { cut, chunks, total, unit: unit(cut), ranges, base: 0, packer: Packer::default() }
    }

    fn add(&mut self, file: u32, size: u64) {
        let mut offset = 0;
        while offset < size || (offset == 0 && self.cut == Cut::Never) {
            let partition = self.ranges.at(self.base, offset, self.unit);
            let step = self.step(offset);
            let len = self.end_of_piece(offset, size, step) - offset;
            self.packer.add(Piece { file, offset, len }, partition, step);
            offset += len;
            if self.cut == Cut::Never {
                break;
            }
        }
        self.base += size;
    }

    /// The chunk size at an offset of this file, as a multiple of `unit`.
    fn step(&self, offset: u64) -> u64 {
        let size = self.chunks.with_left(self.total - self.base - offset);
        (size / self.unit).max(1) * self.unit
    }

    fn end_of_piece(&self, offset: u64, size: u64, step: u64) -> u64 {
        if self.cut == Cut::Never {
            return size;
        }
        let chunk_end = if size > step { (offset / step + 1).saturating_mul(step) } else { size };
        let range_end = self.ranges.next_border(self.base, self.unit).unwrap_or(size);
        chunk_end.min(range_end).min(size)
    }
}

/// Puts pieces into splits: as many as fit, in order.
#[derive(Debug, Default)]
struct Packer {
    held: u64,
    splits: Vec<Split>,
}

impl Packer {
    /// Adds a piece to the last split, unless that would be longer than `capacity` then.
    fn add(&mut self, piece: Piece, partition: u32, capacity: u64) {
        if let Some(split) = self.splits.last_mut()
            && split.partition == partition
            && split.pieces.len() < MAX_PIECES
            && self.held.saturating_add(piece.len) <= capacity
        {
            self.held += piece.len;
            join(&mut split.pieces, piece);
            return;
        }
        self.start(piece, partition);
    }

    fn start(&mut self, piece: Piece, partition: u32) {
        self.held = piece.len;
        self.splits.push(Split { pieces: vec![piece], partition });
    }

    fn finish(self) -> Vec<Split> {
        self.splits
    }
}

/// Adds a piece; one that goes on where the last one ended makes it longer, so that the file is opened once.
fn join(pieces: &mut Vec<Piece>, piece: Piece) {
    match pieces.last_mut() {
        Some(last) if last.file == piece.file && last.offset + last.len == piece.offset => {
            last.len += piece.len
        }
        _ => pieces.push(piece),
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
