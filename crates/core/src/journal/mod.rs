//! The journal of a work folder: which job works there, and what it has committed so far.
//!
//! The coordinator appends an entry for everything that it accepts, before it counts on it. After its death another
//! coordinator reads them and goes on. Nothing here knows what resuming a job takes: `coordinate` does.
//!
//! ```text
//! "GRISTJNL" version:u32 0:u32 │ entry … entry
//! entry: length:u32, checksum:u64, an Entry in the value codec
//! ```
//!
//! Integers are little-endian. The checksum is XXH3-64 of the length and the encoded entry, with the entry's offset in
//! the file as the seed, so that an entry in another's place is found out. The file ends where the last whole entry
//! does: whatever stands behind it was being written when its writer died.

mod entry;
mod program;
mod read;
mod write;

pub(crate) use entry::{Entry, InputFigures, JobEntry, ProgramFile, Publication};
pub(crate) use program::program_hash;
pub(crate) use read::{Past, read};
pub(crate) use write::Journal;

const MAGIC: [u8; 8] = *b"GRISTJNL";
const VERSION: u32 = 1;
const HEADER: usize = 16;
/// Before each entry: its length and its checksum.
const HEAD: usize = 12;

fn header() -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(&MAGIC);
    header[8..12].copy_from_slice(&VERSION.to_le_bytes());
    header
}

fn checksum(offset: u64, encoded: &[u8]) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::with_seed(offset);
    hasher.update(&(encoded.len() as u32).to_le_bytes());
    hasher.update(encoded);
    hasher.digest()
}

#[cfg(test)]
mod tests;
