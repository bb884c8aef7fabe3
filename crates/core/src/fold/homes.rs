//! Where keys belong in a table: memory for pairs is asked for while they come, and used when their batch is folded.
//!
//! For tables beyond the cache: the waits overlap with each other and with whatever the mapper does between two pairs.

use super::keys::Slot;
use super::slot::Places;
use crate::key::{Image, long_table_hash};
use crate::os;

/// The places of a table's slots, as they were when it was last folded into: a table that has moved since is only asked
/// for in vain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Homes {
    seed: u64,
    address: usize,
    shift: u32,
}

impl Homes {
    /// Those of `slots`, unless the hash of keys is wanted there: others need it too, and it takes more code than belongs
    /// behind every pair.
    pub(super) fn of(slots: &[Slot], shift: u32, places: Places) -> Option<Self> {
        match places {
            Places::Mixed(seed) => Some(Self { seed, address: slots.as_ptr().addr(), shift }),
            Places::ByHash(_) => None,
        }
    }

    /// The hash that places a short key.
    #[inline(always)]
    pub(super) fn hash(self, key: Image) -> u64 {
        key.table_hash(self.seed)
    }

    /// That of a key without an image.
    #[inline(never)]
    pub(super) fn hash_long(self, key: &[u8]) -> u64 {
        long_table_hash(key, self.seed)
    }

    /// Asks for the memory where a key with this hash belongs.
    #[inline(always)]
    pub(super) fn ask(self, hash: u64) {
        os::prefetch_at(self.address.wrapping_add((hash >> self.shift) as usize * size_of::<Slot>()));
    }
}
