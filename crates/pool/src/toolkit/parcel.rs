//! Arguments made ready to travel, together with the shared objects that they refer to.
//!
//! A queue that is handed to a worker must live as long as the worker may use it, even if the parent lets go of its own
//! handle: the parcel holds on to it. Encoding itself is the codec's part.

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;

use gristmill_ipc::codec::DECODE_LIMIT;
use gristmill_ipc::{CodecError, encode, encode_into};
use serde::Serialize;

use crate::broker::Guard;
use crate::toolkit::wire::Bytes;

/// No value is longer: the message around it must stay below what can be decoded.
const LONGEST: usize = DECODE_LIMIT - 4096;

/// What stands before each of several arguments: its length.
const PREFIX: usize = size_of::<u32>();

type Guards = Vec<Arc<Guard>>;

thread_local! {
    static COLLECTED: RefCell<Option<Guards>> = const { RefCell::new(None) };
}

/// An encoded value that keeps what it refers to alive.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parcel {
    pub(crate) bytes: Bytes,
    _guards: Guards,
}

impl Parcel {
    pub(crate) fn pack<T: Serialize + ?Sized>(value: &T) -> Result<Self, CodecError> {
        let collecting = Collecting::begin(Vec::new());
        let bytes = encode(value)?;
        checked_len(bytes.len())?;
        Ok(Self { bytes: Bytes::from(bytes), _guards: collecting.end() })
    }
}

/// Several of them in one piece of memory, each behind its length.
#[derive(Debug, Default)]
pub(crate) struct Parcels {
    bytes: Vec<u8>,
    guards: Guards,
}

impl Parcels {
    /// Adds a value. On an error everything is as before.
    pub(crate) fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CodecError> {
        let begin = self.bytes.len();
        self.bytes.extend([0; PREFIX]);
        let collecting = Collecting::begin(mem::take(&mut self.guards));
        let encoded = encode_into(value, &mut self.bytes);
        self.guards = collecting.end();
        let len = encoded.and_then(|()| checked_len(self.bytes.len() - begin - PREFIX));
        let len = len.inspect_err(|_| self.bytes.truncate(begin))?;
        self.bytes[begin..begin + PREFIX].copy_from_slice(&len.to_le_bytes());
        Ok(())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Takes the first argument off; `None` at the end, or where there is no whole argument.
pub(crate) fn split_first(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<PREFIX>()?;
    rest.split_at_checked(u32::from_le_bytes(*len) as usize)
}

/// The arguments one after the other.
pub(crate) fn each(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (first, rest) = split_first(bytes)?;
        bytes = rest;
        Some(first)
    })
}

/// What a message to a worker has for a single argument.
pub(crate) fn single(argument: &[u8]) -> Bytes {
    let len = u32::try_from(argument.len()).expect("a parcel is never longer than what can be decoded");
    let mut bytes = Vec::with_capacity(PREFIX + argument.len());
    bytes.extend(len.to_le_bytes());
    bytes.extend_from_slice(argument);
    Bytes::from(bytes)
}

pub(crate) fn checked_len(len: usize) -> Result<u32, CodecError> {
    let fits = u32::try_from(len).ok().filter(|_| len <= LONGEST);
    fits.ok_or_else(|| {
        CodecError::Encode(format!("it has {len} bytes, and {LONGEST} are the most that can travel"))
    })
}

/// Handles that are encoded meanwhile are collected; also if the encoding panics, what was before is put back.
struct Collecting {
    before: Option<Guards>,
}

impl Collecting {
    fn begin(guards: Guards) -> Self {
        Self { before: COLLECTED.replace(Some(guards)) }
    }

    fn end(mut self) -> Guards {
        let guards = COLLECTED.replace(self.before.take()).unwrap_or_default();
        mem::forget(self);
        guards
    }
}

impl Drop for Collecting {
    fn drop(&mut self) {
        COLLECTED.set(self.before.take());
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

#[cfg(test)]
mod tests {
    use serde::Serializer;
    use serde::ser::Error as _;

    use super::*;

    struct Refuses;
    impl Serialize for Refuses {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("no"))
        }
    }

    #[test]
    fn several_come_back_one_by_one_and_a_refusal_leaves_no_trace() {
        let mut parcels = Parcels::default();
        parcels.push("pear").expect("push");
        parcels.push(&("fig", Refuses)).expect_err("refused");
        parcels.push("").expect("push");
        let all: Vec<_> = each(parcels.bytes()).collect();
        assert_eq!(all, [encode("pear").expect("encode"), encode("").expect("encode")]);
        let cut = &parcels.bytes()[..parcels.bytes().len() - 1];
        assert_eq!(each(cut).count(), 1);
        assert_eq!(each(&single(b"one")).collect::<Vec<_>>(), [b"one"]);
    }

    #[test]
    fn what_is_too_long_is_refused_with_both_lengths() {
        assert_eq!(checked_len(LONGEST).expect("it fits") as usize, LONGEST);
        let error = checked_len(LONGEST + 1).expect_err("too long").to_string();
        assert!(error.contains(&LONGEST.to_string()), "{error}");
    }
}
