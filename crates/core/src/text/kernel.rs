//! What a set of vector instructions does for the search of words and fields, and how it is done without any.
//!
//! Which set the machine has is found out in [`super::simd`].

/// The bytes that are looked at together: one bit of a `u64` stands for each.
pub(super) const CHUNK: usize = 64;

/// The steps that depend on the instruction set. A value of an implementing type is the proof that the machine has it.
pub(super) trait Kernel: Copy {
    /// One bit for each byte that is ASCII white space.
    fn blanks(self, chunk: &[u8; CHUNK]) -> u64;

    /// The same, and writes the chunk with `A`–`Z` in lower case.
    fn lower(self, chunk: &[u8; CHUNK], lowered: &mut [u8; CHUNK]) -> u64;

    /// One bit for each byte that equals `byte`.
    fn equal(self, chunk: &[u8; CHUNK], byte: u8) -> u64;

    /// Writes `at` plus the position of each bit of `mask`, lowest first; what stands behind them has no meaning.
    fn positions(self, mask: u64, at: u16, out: &mut [u16; CHUNK]);

    /// The same, faster where most masks have but a few bits.
    fn few_positions(self, mask: u64, at: u16, out: &mut [u16; CHUNK]);
}

/// A loop over a piece of text that is compiled once per instruction set. No user code is part of it: that would be
/// compiled as often, and be too long to be inlined in so many places.
pub(super) trait Task {
    /// What comes out.
    type Output;

    /// The loop; to be marked `#[inline(always)]`, or it is compiled for the least of all machines.
    fn run<K: Kernel>(self, kernel: K) -> Self::Output;
}

/// Eight bytes at a time, on any machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable;

impl Kernel for Portable {
    #[inline(always)]
    fn blanks(self, chunk: &[u8; CHUNK]) -> u64 {
        each_eight(chunk, blank_bytes)
    }

    #[inline(always)]
    fn lower(self, chunk: &[u8; CHUNK], lowered: &mut [u8; CHUNK]) -> u64 {
        for (from, to) in chunk.as_chunks::<8>().0.iter().zip(lowered.as_chunks_mut::<8>().0) {
            let bytes = u64::from_le_bytes(*from);
            // The bit between capital and small letters is a quarter of a byte's highest.
            *to = (bytes ^ between(bytes, b'A', b'Z') >> 2).to_le_bytes();
        }
        self.blanks(chunk)
    }

    #[inline(always)]
    fn equal(self, chunk: &[u8; CHUNK], byte: u8) -> u64 {
        each_eight(chunk, |bytes| {
            let different = bytes ^ repeat(byte);
            !(different | ((different & LOW) + LOW)) & HIGH
        })
    }

    #[inline(always)]
    fn positions(self, mask: u64, at: u16, out: &mut [u16; CHUNK]) {
        in_groups::<8>(mask, at, out);
    }

    #[inline(always)]
    fn few_positions(self, mask: u64, at: u16, out: &mut [u16; CHUNK]) {
        in_groups::<4>(mask, at, out);
    }
}

/// Counts trailing zeros in groups: how many groups there are is easier to foresee than how many bits.
#[inline(always)]
pub(super) fn in_groups<const N: usize>(mut mask: u64, at: u16, out: &mut [u16; CHUNK]) {
    for group in out.as_chunks_mut::<N>().0 {
        for position in group {
            *position = at + mask.trailing_zeros() as u16;
            mask &= mask.wrapping_sub(1);
        }
        if mask == 0 {
            break;
        }
    }
}

const HIGH: u64 = repeat(0x80);
const LOW: u64 = repeat(0x7F);

const fn repeat(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Gathers the highest bit of each byte of what `high` gives for each eight bytes.
#[inline(always)]
fn each_eight(chunk: &[u8; CHUNK], high: impl Fn(u64) -> u64) -> u64 {
    let eights = chunk.as_chunks::<8>().0.iter().enumerate();
    eights.fold(0, |mask, (i, eight)| mask | gather(high(u64::from_le_bytes(*eight))) << (8 * i))
}

/// Moves the highest bits of eight bytes into one byte: no two products meet in a bit, so nothing is carried.
#[inline(always)]
const fn gather(high: u64) -> u64 {
    (high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[inline(always)]
fn blank_bytes(bytes: u64) -> u64 {
    let vertical_tab = between(bytes, 0x0B, 0x0B);
    between(bytes, b'\t', b'\r') & !vertical_tab | between(bytes, b' ', b' ')
}

/// The highest bit of every byte from `first` to `last`, both of them ASCII.
#[inline(always)]
const fn between(bytes: u64, first: u8, last: u8) -> u64 {
    // Seven bits plus at most 0x80 stay within their byte.
    let ascii = bytes & LOW;
    let from_first = ascii + repeat(0x80 - first);
    let beyond_last = ascii + repeat(0x7F - last);
    from_first & !beyond_last & !bytes & HIGH
}
