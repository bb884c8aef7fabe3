//! Queues between processes: any number of producers and consumers, in any process, each free to die.
//!
//! A queue can be an argument of a worker function, or lie in another queue. Its items and its rules are in the parent's
//! broker; this is the typed face of it.

mod lease;
mod logs;

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use gristmill_ipc::{decode, encode};
use serde::{Deserialize, Serialize};

pub use lease::Leased;
pub use logs::LogQueue;

use crate::broker::{CallError, Handle, Object, Op, Reply};
use crate::toolkit::registry::Argument;
use crate::toolkit::wire::Bytes;

/// A first-in, first-out queue of `T`s, shared by any number of processes.
///
/// The parent makes it and passes it to workers as an argument. It lives as long as the parent has a handle of it, or
/// a worker runs something that was given one.
///
/// * **Bounded or not.** A full queue makes [`put`](Self::put) wait. An unbounded one takes everything at once; then a
///   worker's `put` does not even wait for an answer, and an item for a queue that was closed meanwhile is
///   logged and dropped.
/// * **Ends.** [`put_end`](Self::put_end) puts a marker that ends one consumer, behind all items put before.
///   [`close`](Self::close) ends all consumers once the queue is empty, and refuses further items.
/// * **Deaths.** A producer that dies takes nobody along: what it has put is there. A consumer that dies loses at most
///   the item that it took last: those [`losses`](Self::losses) are kept and logged. An item that was
///   [leased](Self::lease), or that had not reached it yet, goes back to the front instead.
pub struct Queue<T> {
    handle: Handle,
    bounded: bool,
    item: PhantomData<fn(T) -> T>,
}

/// An item that a consumer had taken and died over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lost<T> {
    /// The item.
    pub item: T,
    /// The consumer's name.
    pub worker: String,
    /// How it ended.
    pub cause: String,
}

impl<T: Argument> Queue<T> {
    /// A queue that holds `capacity` items, one at least.
    ///
    /// # Errors
    /// In a worker: queues are made in the parent.
    pub fn bounded(capacity: usize) -> Result<Self, CallError> {
        Ok(Self { handle: Handle::new(Object::queue(Some(capacity)))?, bounded: true, item: PhantomData })
    }

    /// A queue that holds as many items as there is memory for.
    ///
    /// # Errors
    /// In a worker: queues are made in the parent.
    pub fn unbounded() -> Result<Self, CallError> {
        Ok(Self { handle: Handle::new(Object::queue(None))?, bounded: false, item: PhantomData })
    }

    /// Puts an item at the end. A full queue makes it wait.
    ///
    /// # Errors
    /// When the queue is closed or gone.
    pub fn put(&self, item: T) -> Result<(), CallError> {
        self.put_until(&item, None)
    }

    /// Puts an item at the end if there is room within `limit`.
    ///
    /// # Errors
    /// [`CallError::TimedOut`] when there is none; otherwise as [`Queue::put`].
    pub fn put_timeout(&self, item: T, limit: Duration) -> Result<(), CallError> {
        self.put_until(&item, Some(limit))
    }

    fn put_until(&self, item: &T, limit: Option<Duration>) -> Result<(), CallError> {
        let op = Op::Put(Bytes::from(encode(item)?));
        if !self.bounded && crate::worker::is_worker() {
            self.handle.tell(op);
            return Ok(());
        }
        self.handle.call(op, limit).map(drop)
    }

    /// Puts an end marker, for one consumer. It needs no room.
    ///
    /// # Errors
    /// When the queue is closed or gone.
    pub fn put_end(&self) -> Result<(), CallError> {
        self.handle.ask(Op::PutEnd).map(drop)
    }

    /// Lets nothing more in. What is there can still be taken; then every consumer finds the end.
    ///
    /// # Errors
    /// When the queue is gone.
    pub fn close(&self) -> Result<(), CallError> {
        self.handle.ask(Op::Close).map(drop)
    }

    /// Takes the first item, and waits for one if need be; `None` is the end for this consumer.
    ///
    /// The item counts as dealt with when this thread takes the next one, or when its task is done.
    ///
    /// # Errors
    /// When the queue is gone or the item cannot be decoded.
    pub fn get(&self) -> Result<Option<T>, CallError> {
        self.get_until(None)
    }

    /// Takes the first item if one comes within `limit`; zero means that it must be there.
    ///
    /// # Errors
    /// [`CallError::TimedOut`] when none comes; otherwise as [`Queue::get`].
    pub fn get_timeout(&self, limit: Duration) -> Result<Option<T>, CallError> {
        self.get_until(Some(limit))
    }

    fn get_until(&self, limit: Option<Duration>) -> Result<Option<T>, CallError> {
        match self.handle.call(Op::Get, limit)? {
            Reply::Item { item, .. } => Ok(Some(decode(&item)?)),
            Reply::End => Ok(None),
            other => Err(other.unexpected()),
        }
    }

    /// Borrows the first item: it goes back to the front unless it is [done](Leased::done). `None` is the end.
    ///
    /// # Errors
    /// When the queue is gone or the item cannot be decoded.
    pub fn lease(&self) -> Result<Option<Leased<T>>, CallError> {
        self.lease_until(None)
    }

    /// Borrows the first item if one comes within `limit`.
    ///
    /// # Errors
    /// [`CallError::TimedOut`] when none comes; otherwise as [`Queue::lease`].
    pub fn lease_timeout(&self, limit: Duration) -> Result<Option<Leased<T>>, CallError> {
        self.lease_until(Some(limit))
    }

    fn lease_until(&self, limit: Option<Duration>) -> Result<Option<Leased<T>>, CallError> {
        match self.handle.call(Op::Lease, limit)? {
            Reply::Item { hand, item, earlier } => {
                // What cannot be decoded goes back, so that it is not lost with this error.
                let decoded = decode(&item).inspect_err(|_| self.handle.tell(Op::Settle(hand, true)))?;
                Ok(Some(Leased::new(self.handle.clone(), hand, decoded, earlier)))
            }
            Reply::End => Ok(None),
            other => Err(other.unexpected()),
        }
    }

    /// The items from now on, up to the end for this consumer.
    pub fn iter(&self) -> impl Iterator<Item = Result<T, CallError>> {
        std::iter::from_fn(|| self.get().transpose())
    }

    /// Takes everything that is there now, end markers too.
    ///
    /// # Errors
    /// When the queue is gone or an item cannot be decoded.
    pub fn drain(&self) -> Result<Vec<T>, CallError> {
        match self.handle.ask(Op::Drain)? {
            Reply::Items(items) => items.iter().map(|item| Ok(decode(item)?)).collect(),
            other => Err(other.unexpected()),
        }
    }

    /// How many items and end markers there are now.
    ///
    /// # Errors
    /// When the queue is gone.
    pub fn len(&self) -> Result<usize, CallError> {
        match self.handle.ask(Op::Len)? {
            Reply::Count(count) => Ok(usize::try_from(count).unwrap_or(usize::MAX)),
            other => Err(other.unexpected()),
        }
    }

    /// Whether there is nothing now.
    ///
    /// # Errors
    /// When the queue is gone.
    pub fn is_empty(&self) -> Result<bool, CallError> {
        self.len().map(|len| len == 0)
    }

    /// The items that were lost with their consumers since the last time somebody asked.
    ///
    /// # Errors
    /// When the queue is gone or an item cannot be decoded.
    pub fn losses(&self) -> Result<Vec<Lost<T>>, CallError> {
        match self.handle.ask(Op::Losses)? {
            Reply::Losses(losses) => {
                let typed = losses.into_iter().map(|loss| {
                    Ok(Lost { item: decode(&loss.item)?, worker: loss.worker, cause: loss.cause })
                });
                typed.collect()
            }
            other => Err(other.unexpected()),
        }
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), bounded: self.bounded, item: PhantomData }
    }
}

impl<T> Serialize for Queue<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.handle, self.bounded).serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Queue<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (handle, bounded) = Deserialize::deserialize(deserializer)?;
        Ok(Self { handle, bounded, item: PhantomData })
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("handle", &self.handle).field("bounded", &self.bounded).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;

    #[test]
    fn items_come_in_order_and_ends_end_one_consumer_each() {
        let queue = Queue::unbounded().expect("a queue");
        (0..3).for_each(|n| queue.put(n).expect("put"));
        queue.put_end().expect("put");
        queue.put(3).expect("put");
        assert_eq!(queue.iter().collect::<Result<Vec<u32>, _>>().expect("items"), [0, 1, 2]);
        assert_eq!(queue.get().expect("one more"), Some(3));
        assert!(matches!(queue.get_timeout(AT_ONCE), Err(CallError::TimedOut)));
    }

    #[test]
    fn a_bounded_queue_has_a_limit_and_a_closed_one_an_end() {
        let queue = Queue::bounded(2).expect("a queue");
        queue.put("a".to_owned()).expect("put");
        queue.put("b".to_owned()).expect("put");
        let full = queue.put_timeout("c".to_owned(), AT_ONCE);
        assert!(matches!(full, Err(CallError::TimedOut)), "{full:?}");
        queue.close().expect("close");
        assert!(matches!(queue.put("d".to_owned()), Err(CallError::Closed)));
        assert_eq!(queue.drain().expect("drain"), ["a", "b"]);
        assert_eq!(queue.get().expect("the end"), None);
    }

    #[test]
    fn what_is_leased_and_not_done_comes_back() {
        let queue = Queue::unbounded().expect("a queue");
        (1..=2).for_each(|n| queue.put(n).expect("put"));
        drop(queue.lease().expect("lease").expect("an item"));
        let again = queue.lease().expect("lease").expect("an item");
        assert_eq!((*again, again.earlier()), (1, 1));
        again.done();
        assert_eq!(queue.drain().expect("drain"), [2]);
    }

    #[test]
    fn a_thread_that_waits_is_woken_by_another() {
        let queue = Queue::bounded(1).expect("a queue");
        let consumer = {
            let queue = queue.clone();
            std::thread::spawn(move || queue.iter().map(|item| item.expect("item")).sum::<u64>())
        };
        (1..=100).for_each(|n| queue.put(n).expect("put"));
        queue.close().expect("close");
        assert_eq!(consumer.join().expect("no panic"), 5050);
    }
}
