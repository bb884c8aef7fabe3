//! Memory for rows in chunks of one size, taken one after the other and all given back at once.
//!
//! It does not know what lies in a chunk.

use crate::os;

/// A job of a few rows is not to make more memory than that.
const LEAST_SLAB: usize = 32 << 10;
const MOST_SLAB: usize = 32 << 20;
const DOUBLINGS: usize = (MOST_SLAB / LEAST_SLAB).ilog2() as usize;

/// A stretch of a slab.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Chunk {
    pub(super) slab: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// Slabs, and how far they are in use.
#[derive(Debug)]
pub(super) struct Arena {
    slabs: Vec<Vec<u8>>,
    chunk: u32,
    /// The slab that chunks are taken from, and the first free byte there.
    current: usize,
    top: usize,
    taken: usize,
}

impl Arena {
    pub(super) fn new(chunk: u32) -> Self {
        Self { slabs: Vec::new(), chunk, current: 0, top: 0, taken: 0 }
    }

    /// Bytes of all chunks that were taken.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    #[inline(always)]
    pub(super) fn slab(&self, chunk: Chunk) -> &[u8] {
        &self.slabs[chunk.slab as usize]
    }

    #[inline(always)]
    pub(super) fn slab_mut(&mut self, chunk: Chunk) -> &mut [u8] {
        &mut self.slabs[chunk.slab as usize]
    }

    /// A chunk of at least `least` bytes.
    pub(super) fn take(&mut self, least: usize) -> Option<Chunk> {
        let len = least.max(self.chunk as usize);
        while self.slabs.get(self.current).is_some_and(|slab| self.top + len > slab.len()) {
            self.current += 1;
            self.top = 0;
        }
        if self.current == self.slabs.len() {
            let doubled = LEAST_SLAB << self.current.min(DOUBLINGS);
            self.slabs.push(os::zeroed(doubled.max(len)));
        }
        let end = self.top + len;
        let chunk = Chunk {
            slab: u32::try_from(self.current).ok()?,
            start: u32::try_from(self.top).ok()?,
            end: u32::try_from(end).ok()?,
        };
        self.top = end;
        self.taken += len;
        Some(chunk)
    }

    /// Gives all chunks back; slabs that were made for one long row are freed.
    pub(super) fn clear(&mut self) {
        self.slabs.retain(|slab| slab.len() <= MOST_SLAB);
        (self.current, self.top, self.taken) = (0, 0, 0);
    }
}
