//! Where rotation takes the time from, so that its tests need not wait.
//!
//! Only rotation by time asks a clock. The times in records are those of the processes that made them.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::record::unix_nanos;

/// Tells the time. It is asked once for each record and should be quick.
pub trait Clock: Debug + Send + Sync {
    /// The present moment.
    fn now(&self) -> SystemTime;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock that stands still until it is set. Clones show the same time.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use gristmill_log::{Clock, ManualClock};
///
/// let clock = ManualClock::new(UNIX_EPOCH + Duration::from_secs(100));
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(clock.now(), UNIX_EPOCH + Duration::from_secs(102));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock {
    nanos: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that shows `time`.
    #[must_use]
    pub fn new(time: SystemTime) -> Self {
        Self { nanos: Arc::new(AtomicI64::new(unix_nanos(time))) }
    }

    /// Sets it forward or back.
    pub fn set(&self, time: SystemTime) {
        self.nanos.store(unix_nanos(time), SeqCst);
    }

    /// Sets it forward.
    pub fn advance(&self, by: Duration) {
        self.nanos.fetch_add(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX), SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        let nanos = self.nanos.load(SeqCst);
        let distance = Duration::from_nanos(nanos.unsigned_abs());
        if nanos < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
    }
}
