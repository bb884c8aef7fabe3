//! An item that is borrowed from a queue until it is done.
//!
//! It goes back if it is dropped or if its holder dies; the broker sees to the latter.

use std::fmt;
use std::ops::Deref;

use crate::broker::{Handle, Op};

/// An item on loan; see [`Queue::lease`](crate::Queue::lease).
#[must_use = "the item goes back to the queue when this is dropped"]
pub struct Leased<T> {
    handle: Handle,
    hand: u64,
    item: Option<T>,
    earlier: u32,
}

impl<T> Leased<T> {
    pub(super) fn new(handle: Handle, hand: u64, item: T, earlier: u32) -> Self {
        Self { handle, hand, item: Some(item), earlier }
    }

    /// How often the item was handed out before and came back. One that kills its consumers can be told by that.
    #[must_use]
    pub fn earlier(&self) -> u32 {
        self.earlier
    }

    /// Keeps the item: it will not be handed out again.
    pub fn done(mut self) -> T {
        self.handle.tell(Op::Settle(self.hand, false));
        self.item.take().expect("only this call takes the item, and it consumes the lease")
    }
}

impl<T> Deref for Leased<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.item.as_ref().expect("the item is there as long as the lease")
    }
}

impl<T> Drop for Leased<T> {
    fn drop(&mut self) {
        if self.item.is_some() {
            self.handle.tell(Op::Settle(self.hand, true));
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Leased<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leased").field("item", &self.item).field("earlier", &self.earlier).finish()
    }
}
