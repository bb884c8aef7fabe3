//! Reads a piece in blocks of whole lines, the unit in which text moves from a file to whoever takes lines apart.
//!
//! It finds the first line that begins in the piece and the end of the last; it does not look into lines.

use memchr::{memchr, memrchr};

use super::error::ReadError;
use super::source::Source;
use super::window::Window;
use crate::result::Result;

/// How far beyond a piece the first read goes, to find the end of the last line.
const TAIL: u64 = 4 << 10;

/// Gives every block to `visit`, with the offset of its first byte.
///
/// The blocks hold exactly the lines that begin in the piece, in order, with their line ends; the last line of a file
/// may have none. A block is as large as the buffer allows, and larger only if it is one long line.
///
/// # Errors
/// What reading or `visit` returns.
pub(super) fn each_block(source: &mut Source<'_>, mut visit: impl FnMut(u64, &[u8]) -> Result) -> Result {
    let lines = Lines { begin: source.offset(), stop: source.end(), eof: source.file_size() };
    let mut window = source.window(lines.begin.saturating_sub(1));
    if lines.begin >= lines.stop || !lines.find_first(&mut window)? {
        return Ok(());
    }
    while window.offset() < lines.stop {
        let len = lines.next_block(&mut window)?;
        visit(window.offset(), &window.held()[..len])?;
        window.consume(len);
    }
    Ok(())
}

/// The lines that begin in `begin..stop` of a file that ends at `eof`.
#[derive(Debug, Clone, Copy)]
struct Lines {
    begin: u64,
    stop: u64,
    eof: u64,
}

impl Lines {
    /// Moves the window to the first line start at or after `begin`; false if that is not before `stop`.
    ///
    /// It looks for the line end before it, from one byte before `begin` and no further than `stop`: a line that fills
    /// many pieces costs each of them one scan of its own bytes.
    fn find_first(self, window: &mut Window<'_, '_>) -> Result<bool, ReadError> {
        if self.begin == 0 {
            return Ok(true);
        }
        while window.offset() < self.stop - 1 {
            window.more(self.limit(window))?;
            let held = window.held();
            let searched = held.len().min(bytes(self.stop - 1 - window.offset()));
            let found = memchr(b'\n', &held[..searched]);
            window.consume(found.map_or(searched, |at| at + 1));
            if found.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Fills the window until it begins with a block, and returns the block's length.
    fn next_block(self, window: &mut Window<'_, '_>) -> Result<usize, ReadError> {
        // The line that holds the byte before `stop` is the last.
        let last = bytes(self.stop - 1 - window.offset());
        let mut searched = 0;
        loop {
            let held = window.held();
            let from = last.max(searched);
            if let Some(at) = held.get(from..).and_then(|rest| memchr(b'\n', rest)) {
                return Ok(from + at + 1);
            }
            if window.reached() == self.eof {
                return Ok(held.len());
            }
            if let Some(at) = memrchr(b'\n', &held[searched..]) {
                return Ok(searched + at + 1);
            }
            searched = held.len();
            window.more(self.limit(window))?;
        }
    }

    fn limit(self, window: &Window<'_, '_>) -> u64 {
        if window.reached() < self.stop { self.eof.min(self.stop.saturating_add(TAIL)) } else { self.eof }
    }
}

/// A distance in a file as a distance in memory; what does not fit is beyond every buffer.
fn bytes(distance: u64) -> usize {
    usize::try_from(distance).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
