//! Packs bytes into independent blocks and unpacks them: what stands in a compressed segment.
//!
//! It does no I/O, and does not choose the codec.

use std::cell::RefCell;
use std::io;
use std::time::{Duration, Instant};

use lz4_flex::block::{CompressTable, compress_into_with_table, decompress_into, get_maximum_output_size};
use serde::{Deserialize, Serialize};
use zstd::bulk::{Compressor, Decompressor};

use crate::result::Result;

/// How the bytes of a segment are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Codec {
    /// As they are, without blocks.
    #[default]
    None,
    Lz4,
    Zstd,
}

/// Raw bytes in a block, at most: what a damaged length may make a reader ask for.
pub(super) const MOST_BLOCK: usize = 128 << 10;
/// Bytes in front of a block: its raw length and its stored length.
pub(super) const HEAD: usize = 8;
/// Of zstd's levels the fastest that is not lz4 under another name.
const ZSTD_LEVEL: i32 = 1;

/// What stands in front of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) raw: usize,
    /// As long as `raw` where the bytes are stored as they are.
    pub(super) stored: usize,
}

impl Head {
    pub(super) fn bytes(self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[..4].copy_from_slice(&(self.raw as u32).to_le_bytes());
        bytes[4..].copy_from_slice(&(self.stored as u32).to_le_bytes());
        bytes
    }

    /// `None` if no block can have these lengths.
    pub(super) fn parse(bytes: [u8; HEAD]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h] = bytes;
        let (raw, stored) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        let head = Self { raw: raw as usize, stored: stored as usize };
        ((1..=MOST_BLOCK).contains(&head.raw) && (1..=head.raw).contains(&head.stored)).then_some(head)
    }
}

/// What packing came to so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Packed {
    pub(super) raw: usize,
    pub(super) stored: usize,
    pub(super) took: Duration,
}

/// Gathers bytes into blocks and packs them.
pub(super) struct Packer {
    codec: Codec,
    block: usize,
    raw: Vec<u8>,
    press: Press,
    /// Of the blocks since the last call of [`Packer::take_packed`].
    packed: Packed,
}

impl Packer {
    /// A packer that makes blocks of `block` raw bytes, or of [`MOST_BLOCK`].
    pub(super) fn new(codec: Codec, block: usize) -> Self {
        let block = block.clamp(1, MOST_BLOCK);
        Self { codec, block, raw: Vec::new(), press: Press::default(), packed: Packed::default() }
    }

    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    /// Takes `bytes`; what is to be stored is given to `put`, piece by piece.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut put: impl FnMut(&[u8]) -> Result) -> Result {
        while !bytes.is_empty() {
            let room = self.block - self.raw.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            if now.len() == self.block {
                self.press.block(self.codec, now, &mut self.packed, &mut put)?;
            } else {
                self.raw.extend_from_slice(now);
                if self.raw.len() == self.block {
                    self.finish(&mut put)?;
                }
            }
            bytes = later;
        }
        Ok(())
    }

    /// Ends the last block.
    pub(super) fn finish(&mut self, put: impl FnMut(&[u8]) -> Result) -> Result {
        if !self.raw.is_empty() {
            self.press.block(self.codec, &self.raw, &mut self.packed, put)?;
            self.raw.clear();
        }
        Ok(())
    }

    pub(super) fn take_packed(&mut self) -> Packed {
        std::mem::take(&mut self.packed)
    }
}

/// The compressors and their memory.
#[derive(Default)]
pub(super) struct Press {
    out: Vec<u8>,
    lz4: Option<CompressTable>,
    zstd: Option<Compressor<'static>>,
}

impl Press {
    /// Gives the block that `raw` makes to `put`.
    fn block(
        &mut self,
        codec: Codec,
        raw: &[u8],
        packed: &mut Packed,
        mut put: impl FnMut(&[u8]) -> Result,
    ) -> Result {
        let begun = Instant::now();
        let stored = self.shrink(codec, raw)?;
        packed.took += begun.elapsed();
        packed.raw += raw.len();
        packed.stored += HEAD + stored.unwrap_or(raw.len());
        match stored {
            Some(stored) => {
                self.out[..HEAD].copy_from_slice(&Head { raw: raw.len(), stored }.bytes());
                put(&self.out[..HEAD + stored])
            }
            None => {
                put(&Head { raw: raw.len(), stored: raw.len() }.bytes())?;
                put(raw)
            }
        }
    }

    /// Puts what `raw` shrinks to into `out`, behind the room for a head; `None` if it does not shrink.
    fn shrink(&mut self, codec: Codec, raw: &[u8]) -> Result<Option<usize>> {
        let room = HEAD + get_maximum_output_size(raw.len()).max(zstd::zstd_safe::compress_bound(raw.len()));
        if self.out.len() < room {
            self.out.resize(room, 0);
        }
        let out = &mut self.out[HEAD..];
        let len = match codec {
            Codec::None => raw.len(),
            Codec::Lz4 => {
                let table = self.lz4.get_or_insert_with(CompressTable::large);
                compress_into_with_table(raw, out, table)?
            }
            Codec::Zstd => zstd(&mut self.zstd)?.compress_to_buffer(raw, out)?,
        };
        Ok((len < raw.len()).then_some(len))
    }

    /// What packing and unpacking `sample` with lz4 takes, like one block among many.
    pub(super) fn try_lz4(&mut self, sample: &[u8]) -> Result<Packed> {
        // The first time pays for fresh memory, three to five times what the next ones take.
        const TIMES: u32 = 3;
        let mut back = vec![0; sample.len()];
        let mut best = Packed { raw: sample.len(), stored: sample.len(), took: Duration::MAX };
        for _ in 0..TIMES {
            let begun = Instant::now();
            if let Some(stored) = self.shrink(Codec::Lz4, sample)? {
                unpack(Codec::Lz4, &self.out[HEAD..HEAD + stored], &mut back)?;
                best.stored = stored;
            }
            best.took = best.took.min(begun.elapsed());
        }
        Ok(best)
    }
}

fn zstd<'p>(compressor: &'p mut Option<Compressor<'static>>) -> io::Result<&'p mut Compressor<'static>> {
    let made = match compressor.take() {
        Some(made) => made,
        None => Compressor::new(ZSTD_LEVEL)?,
    };
    Ok(compressor.insert(made))
}

/// Unpacks a block into `raw`, which is as long as what it holds.
///
/// # Errors
/// When it holds anything else than that many bytes.
pub(super) fn unpack(codec: Codec, stored: &[u8], raw: &mut [u8]) -> Result {
    let len = match codec {
        Codec::None => return Err("there are no blocks without a codec".into()),
        Codec::Lz4 => decompress_into(stored, raw)?,
        Codec::Zstd => unpack_zstd(stored, raw)?,
    };
    if len == raw.len() { Ok(()) } else { Err("a block has another length than it says".into()) }
}

thread_local! {
    /// A merge has many readers: one context for all of them.
    static ZSTD: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn unpack_zstd(stored: &[u8], raw: &mut [u8]) -> io::Result<usize> {
    ZSTD.with_borrow_mut(|context| {
        let made = match context.take() {
            Some(made) => made,
            None => Decompressor::new()?,
        };
        context.insert(made).decompress_to_buffer(stored, raw)
    })
}
