//! Arguments made ready to travel, together with the shared objects that they refer to.
//!
//! A queue that is handed to a worker must live as long as the worker may use it, even if the parent lets go of its own
//! handle: the parcel holds on to it. Encoding itself is the codec's part.

use std::cell::RefCell;
use std::sync::Arc;

use gristmill_ipc::{CodecError, encode};
use serde::Serialize;

use crate::broker::Guard;
use crate::toolkit::wire::Bytes;

thread_local! {
    static COLLECTED: RefCell<Option<Vec<Arc<Guard>>>> = const { RefCell::new(None) };
}

/// An encoded value that keeps what it refers to alive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parcel {
    pub(crate) bytes: Bytes,
    _guards: Vec<Arc<Guard>>,
}

impl Parcel {
    pub(crate) fn pack<T: Serialize + ?Sized>(value: &T) -> Result<Self, CodecError> {
        let before = COLLECTED.replace(Some(Vec::new()));
        let bytes = encode(value);
        let guards = COLLECTED.replace(before).unwrap_or_default();
        Ok(Self { bytes: Bytes::from(bytes?), _guards: guards })
    }
}

/// Called when a handle is encoded.
pub(crate) fn collect(guard: &Arc<Guard>) {
    COLLECTED.with_borrow_mut(|collected| {
        if let Some(guards) = collected {
            guards.push(Arc::clone(guard));
        }
    });
}
