//! Waiting for what only the file system or `/proc` shows, with a limit.
//!
//! Where a channel or a descriptor tells of a change, wait on that instead.

use std::thread;
use std::time::{Duration, Instant};

/// Asks again and again until the answer is yes; tells whether it was within `limit`.
pub fn until(limit: Duration, mut answer: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        let late = Instant::now() >= end;
        if answer() {
            return true;
        }
        if late {
            return false;
        }
        thread::park_timeout(Duration::from_millis(5));
    }
}
