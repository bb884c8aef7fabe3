//! How long a process waits for room in its queue, and the wait itself.
//!
//! What is given up when the time is up is not decided here.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tracing::Level;

/// How long a record waits for room in a full queue before it is dropped and counted, by its level.
///
/// ```
/// use std::time::Duration;
/// use gristmill_log::{Level, Patience};
///
/// // What is less than a warning never holds a worker up.
/// let patience = Patience::new(Duration::from_secs(5))
///     .level(Level::INFO, Duration::ZERO)
///     .level(Level::DEBUG, Duration::ZERO)
///     .level(Level::TRACE, Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patience {
    by_level: [Duration; 5],
}

/// No wait is longer than this.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

impl Patience {
    /// The same for all levels.
    #[must_use]
    pub fn new(all: Duration) -> Self {
        Self { by_level: [all.min(LONGEST); 5] }
    }

    /// Another time for one level; zero drops at once.
    #[must_use]
    pub fn level(mut self, level: Level, patience: Duration) -> Self {
        self.by_level[place(level)] = patience.min(LONGEST);
        self
    }

    /// The time for this level.
    #[must_use]
    pub fn of(&self, level: Level) -> Duration {
        self.by_level[place(level)]
    }
}

impl Default for Patience {
    /// 5 s for all levels.
    fn default() -> Self {
        Self::new(Duration::from_secs(5))
    }
}

impl From<Duration> for Patience {
    fn from(all: Duration) -> Self {
        Self::new(all)
    }
}

fn place(level: Level) -> usize {
    match level {
        Level::ERROR => 0,
        Level::WARN => 1,
        Level::INFO => 2,
        Level::DEBUG => 3,
        Level::TRACE => 4,
    }
}

/// A wait for something in another process, such as room in a queue: so it looks again after short pauses.
pub(crate) struct Wait {
    until: Instant,
    pause: Duration,
    lock: Mutex<()>,
    never: Condvar,
}

impl Wait {
    const FIRST: Duration = Duration::from_micros(50);
    const LONGEST: Duration = Duration::from_millis(2);

    pub(crate) fn new(patience: Duration) -> Self {
        let until = Instant::now() + patience;
        Self { until, pause: Self::FIRST, lock: Mutex::new(()), never: Condvar::new() }
    }

    /// Waits a moment; `false`, without a wait, once the time is up.
    pub(crate) fn pause(&mut self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        // Parking the thread would be simpler and could swallow a wake-up that the program meant for itself.
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.never.wait_timeout(guard, self.pause.min(left)));
        self.pause = (self.pause * 2).min(Self::LONGEST);
        true
    }
}
