//! Asks again and again until an answer comes or a time limit passes.
//!
//! It is for states that only `/proc` shows; where a descriptor or a channel tells of the change, wait on that.

use std::thread;
use std::time::{Duration, Instant};

const INTERVAL: Duration = Duration::from_millis(5);

/// Calls `answer` until it returns `Ok` or `limit` has passed, and returns what it said last.
///
/// It is called at least once, and once more after the limit, so a slow machine does not turn success into failure.
pub(crate) fn until<T, E>(limit: Duration, mut answer: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let end = Instant::now() + limit;
    loop {
        let expired = Instant::now() >= end;
        match answer() {
            Err(_) if !expired => thread::park_timeout(INTERVAL),
            last => return last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_at_the_first_success() {
        let mut calls = 0;
        let result = until(Duration::from_secs(60), || {
            calls += 1;
            if calls == 3 { Ok(calls) } else { Err(()) }
        });
        assert_eq!(result, Ok(3));
    }

    #[test]
    fn returns_the_last_failure_after_the_limit() {
        let mut calls = 0;
        let result: Result<(), u32> = until(Duration::from_millis(20), || {
            calls += 1;
            Err(calls)
        });
        assert_eq!(result, Err(calls));
        assert!(calls > 1, "asked more than once");
    }
}
