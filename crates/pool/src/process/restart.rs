//! When a process is started again, and when that has been tried often enough.
//!
//! How long each start waits is the crew's affair.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Whether a process is started again after its end.
///
/// A process that was terminated or killed by the program itself is not, whatever the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Restart {
    /// Never.
    #[default]
    Never,
    /// After an error, a panic, a signal or a status other than 0, but not more than `most` times `within` a span.
    OnFailure {
        /// How many restarts there may be.
        most: u32,
        /// In which span of time.
        within: Duration,
    },
    /// After every end, with the same limit.
    Always {
        /// How many restarts there may be.
        most: u32,
        /// In which span of time.
        within: Duration,
    },
}

/// Counts the restarts of one process.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    policy: Restart,
    recent: VecDeque<Instant>,
}

impl Restarts {
    pub(super) fn new(policy: Restart) -> Self {
        Self { policy, recent: VecDeque::new() }
    }

    pub(super) fn is_never(&self) -> bool {
        self.policy == Restart::Never
    }

    /// Whether to start again now; counts it if so.
    pub(super) fn again(&mut self, succeeded: bool, now: Instant) -> bool {
        let (most, within) = match self.policy {
            Restart::Never => return false,
            Restart::OnFailure { .. } if succeeded => return false,
            Restart::OnFailure { most, within } | Restart::Always { most, within } => (most, within),
        };
        while self.recent.front().is_some_and(|then| now.duration_since(*then) > within) {
            self.recent.pop_front();
        }
        let may = self.recent.len() < most as usize;
        if may {
            self.recent.push_back(now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_policy_decides() {
        let now = Instant::now();
        assert!(!Restarts::default().again(false, now));
        let mut on_failure = Restarts::new(Restart::OnFailure { most: 9, within: MINUTE });
        assert!(!on_failure.again(true, now) && on_failure.again(false, now));
        assert!(Restarts::new(Restart::Always { most: 1, within: MINUTE }).again(true, now));
    }

    #[test]
    fn the_rate_is_capped_and_time_heals() {
        let now = Instant::now();
        let mut restarts = Restarts::new(Restart::Always { most: 2, within: MINUTE });
        assert!(restarts.again(false, now) && restarts.again(false, now));
        assert!(!restarts.again(false, now + MINUTE));
        assert!(restarts.again(false, now + MINUTE * 2));
    }
}
