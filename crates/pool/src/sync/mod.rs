//! State that processes share where messages do not serve: events, locks, conditions, semaphores.
//!
//! All of it can be an argument of a worker function. What a process holds when it dies is free again, and the next holder
//! is told. The rules are in the parent's broker; this is the typed face of it.
//!
//! Locks of files and robust mutexes in shared memory would be faster. But the former pass from a dead holder to the next
//! without a word, and the latter need unsafe code in every process that touches them; neither has timed waits, conditions
//! and semaphores with the same guarantee.

mod condition;
mod event;
mod lock;
mod semaphore;

use std::time::Duration;

pub use condition::{Condition, ConditionGuard};
pub use event::Event;
pub use lock::{Lock, LockGuard};
pub use semaphore::{Permit, Semaphore};

use crate::broker::{Abandonment, CallError, Handle, Op, Reply};

/// The last holder of a lock or permit died while it had it: what the lock protects may be half changed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Abandoned {
    /// The name of the worker that died.
    pub worker: String,
    /// How it ended.
    pub cause: String,
}

/// A permit of a lock, condition or semaphore, released when it is dropped.
#[derive(Debug)]
struct Held {
    handle: Handle,
    /// None when it was given away.
    permit: Option<u64>,
    abandoned: Option<Abandoned>,
}

impl Held {
    fn acquire(handle: &Handle, limit: Option<Duration>) -> Result<Self, CallError> {
        let (held, _) = Self::granted(handle, handle.call(Op::Acquire, limit)?)?;
        Ok(held)
    }

    /// The permit in an answer, and whether a sleep before it timed out.
    fn granted(handle: &Handle, reply: Reply) -> Result<(Self, bool), CallError> {
        let told = |Abandonment { worker, cause, .. }| Abandoned { worker, cause };
        match reply {
            Reply::Granted { permit, abandoned, late } => {
                let (handle, permit) = (handle.clone(), Some(permit));
                Ok((Self { handle, permit, abandoned: abandoned.map(told) }, late))
            }
            other => Err(other.unexpected()),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(permit) = self.permit {
            self.handle.tell(Op::Release(permit));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const AT_ONCE: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn an_event_is_waited_for_and_set() {
        let event = Event::new().expect("an event");
        assert!(!event.wait_timeout(AT_ONCE).expect("a wait"));
        let waiter = {
            let event = event.clone();
            thread::spawn(move || event.wait_timeout(LONG).expect("a wait"))
        };
        event.set().expect("set");
        assert!(waiter.join().expect("no panic"));
        event.clear().expect("clear");
        assert!(!event.is_set().expect("a look"));
    }

    #[test]
    fn a_lock_keeps_others_out_and_its_holder_from_himself() {
        let lock = Lock::new().expect("a lock");
        let guard = lock.acquire().expect("acquire");
        assert!(matches!(lock.acquire(), Err(CallError::Reentrant)));
        let other = lock.clone();
        let kept_out =
            thread::spawn(move || matches!(other.acquire_timeout(AT_ONCE), Err(CallError::TimedOut)));
        assert!(kept_out.join().expect("no panic"));
        drop(guard);
        assert_eq!(lock.acquire_timeout(AT_ONCE).expect("free again").abandoned(), None);
    }

    #[test]
    fn a_condition_lets_others_in_while_one_waits() {
        let condition = Condition::new().expect("a condition");
        let guard = condition.lock().expect("lock");
        let notifier = {
            let condition = condition.clone();
            thread::spawn(move || condition.lock().expect("lock").notify_all().expect("notify"))
        };
        let mut guard = guard.wait().expect("woken");
        assert_eq!(notifier.join().expect("no panic"), 1);
        let late;
        (guard, late) = guard.wait_timeout(AT_ONCE).expect("a wait");
        assert!(late);
        drop(guard);
    }

    #[test]
    fn a_semaphore_counts() {
        let semaphore = Semaphore::new(2).expect("a semaphore");
        let first = semaphore.acquire().expect("acquire");
        let _second = semaphore.acquire().expect("acquire");
        assert!(matches!(semaphore.acquire_timeout(AT_ONCE), Err(CallError::TimedOut)));
        drop(first);
        assert_eq!(semaphore.available().expect("a look"), 1);
    }
}
