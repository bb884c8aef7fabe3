//! Keys as they stand in slots of a table and in batches on their way there.
//!
//! What the rest of a slot means is not known here.

use crate::key::{AnyKey, Image};

/// Three words of key and one more: in a table its value or where that is, in a batch its hash. All zeros: free.
///
/// A short key stands there as its [`Image`]. A long one as its hash, its place in the arena and its length, marked in
/// the top byte.
pub(crate) type Slot = [u64; 4];

/// What the top byte of a slot's third word says of a key that has no image.
pub(super) const LONG: u64 = 0xff << 56;

/// Whether the key of a slot lies in the arena.
#[inline(always)]
pub(crate) fn is_long(slot: &Slot) -> bool {
    slot[2] >= LONG
}

/// The key of a slot. What is behind a long one in the arena does not matter.
#[inline(always)]
pub(super) fn key_of<'b>(slot: &Slot, arena: &'b [u8]) -> AnyKey<'b> {
    let [a, b, c, _] = *slot;
    if is_long(slot) {
        AnyKey::Long(&arena[b as usize..][..(c & !LONG) as usize])
    } else {
        AnyKey::Short(Image([a, b, c]))
    }
}

/// The keys of some slots.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys<'b> {
    slots: &'b [Slot],
    arena: &'b [u8],
}

impl<'b> Keys<'b> {
    #[inline(always)]
    pub(super) fn new(slots: &'b [Slot], arena: &'b [u8]) -> Self {
        Self { slots, arena }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The slots, for [`Keys::of`].
    ///
    /// There is no iterator of keys: what its `next` would return, an enum within another, takes the way through memory.
    #[inline(always)]
    pub(crate) fn slots(&self) -> &'b [Slot] {
        self.slots
    }

    /// The key of one of the slots.
    #[inline(always)]
    pub(crate) fn of(&self, slot: &Slot) -> AnyKey<'b> {
        key_of(slot, self.arena)
    }
}
