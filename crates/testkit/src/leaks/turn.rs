//! Lets the leak-checked tests of one process run one at a time.
//!
//! It is not a general lock: it only serves tests, names the one that waits in vain and survives a panic of the holder.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// Longer than any test may take, so that only a real deadlock reaches it.
const LONGEST: Duration = Duration::from_secs(600);

static HOLDER: Mutex<Option<ThreadId>> = Mutex::new(None);
static FREED: Condvar = Condvar::new();

/// The right to be the only leak-checked test; dropping it lets the next one in.
#[derive(Debug)]
pub(super) struct Turn(());

impl Turn {
    #[track_caller]
    pub(super) fn take() -> Self {
        let own = thread::current().id();
        let end = Instant::now() + LONGEST;
        let mut holder = lock();
        while let Some(other) = *holder {
            assert!(other != own, "this test holds a leak check already");
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "another leak-checked test has held its turn for {LONGEST:?}");
            holder = FREED.wait_timeout(holder, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *holder = Some(own);
        Self(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *lock() = None;
        FREED.notify_one();
    }
}

fn lock() -> MutexGuard<'static, Option<ThreadId>> {
    HOLDER.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn only_one_at_a_time() {
        let inside = AtomicUsize::new(0);
        let visit = || {
            let _turn = Turn::take();
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "somebody else is inside");
            thread::yield_now();
            inside.fetch_sub(1, Ordering::SeqCst);
        };
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..50).for_each(|_| visit()));
            }
        });
    }
}
