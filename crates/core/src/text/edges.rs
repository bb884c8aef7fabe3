//! Positions within one piece of a block, as they come out of bit masks.
//!
//! What the positions mean is not known here.

use super::kernel::{CHUNK, Kernel};

/// How much of a block is looked at before its words are handed out: the positions and the text between stay in the
/// first-level cache.
pub(super) const PIECE: usize = 4096;

/// A kernel writes a whole chunk's worth of positions, however few of them count.
const ROOM: usize = PIECE + CHUNK;

/// An ascending list of positions in a piece.
#[derive(Clone)]
pub(super) struct Edges {
    positions: [u16; ROOM],
    count: usize,
}

impl Default for Edges {
    fn default() -> Self {
        Self { positions: [0; ROOM], count: 0 }
    }
}

impl Edges {
    /// Forgets all of them, to write others.
    #[inline(always)]
    pub(super) fn rewrite(&mut self) -> Writer<'_> {
        Writer { positions: &mut self.positions, count: 0, stored: &mut self.count }
    }

    /// The positions from `skipped` on by two, and whether the last pair is complete; else its second has no meaning.
    #[inline(always)]
    pub(super) fn pairs(&self, skipped: usize) -> (&[[u16; 2]], bool) {
        let count = self.count - skipped;
        let (pairs, _) = self.positions[skipped..][..count.next_multiple_of(2)].as_chunks();
        (pairs, count.is_multiple_of(2))
    }

    /// The positions, and one more of no meaning.
    #[inline(always)]
    pub(super) fn and_one_more(&self) -> &[u16] {
        &self.positions[..self.count + 1]
    }

    /// How many there are.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The positions.
    #[inline(always)]
    pub(super) fn get(&self) -> &[u16] {
        &self.positions[..self.count]
    }
}

/// Writes a list of positions; its count stays in a register until the list is complete.
pub(super) struct Writer<'a> {
    positions: &'a mut [u16; ROOM],
    count: usize,
    stored: &'a mut usize,
}

impl Writer<'_> {
    /// Adds the bits of `mask`, which stands for the chunk that begins at `at`.
    #[inline(always)]
    pub(super) fn add<K: Kernel>(&mut self, kernel: K, mask: u64, at: usize) {
        kernel.positions(mask, at as u16, self.room());
        self.count += mask.count_ones() as usize;
    }

    /// The same, where most masks have but a few bits.
    #[inline(always)]
    pub(super) fn add_few<K: Kernel>(&mut self, kernel: K, mask: u64, at: usize) {
        kernel.few_positions(mask, at as u16, self.room());
        self.count += mask.count_ones() as usize;
    }

    #[inline(always)]
    fn room(&mut self) -> &mut [u16; CHUNK] {
        self.positions[self.count..].first_chunk_mut().expect("a piece has no more edges than bytes")
    }

    /// Adds one position.
    #[inline(always)]
    pub(super) fn push(&mut self, at: usize) {
        self.positions[self.count] = at as u16;
        self.count += 1;
    }

    /// The list is complete.
    #[inline(always)]
    pub(super) fn done(self) {
        *self.stored = self.count;
    }
}
