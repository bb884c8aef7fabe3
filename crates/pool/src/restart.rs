//! When a slot may have its next worker: at once, unless its workers keep dying soon after their start.
//!
//! It counts and computes; the roster asks it, and the spawner waits.

use std::time::Duration;

/// How long a slot whose workers die young waits for the next one.
///
/// A worker that dies before it has lived for `proven`, and that nobody [vouched](crate::Crew::vouch) for, has a short
/// life. The first restart after a good life is immediate; then the wait is `first` and doubles with every further
/// short life, up to `longest`. A worker that completed its handshake and exited with status 0 ends the count as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartDelay {
    /// The first wait, after two short lives in a row.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
    /// How long a worker must live to count as a good one.
    pub proven: Duration,
}

impl RestartDelay {
    /// No waits at all.
    pub const NONE: Self =
        Self { first: Duration::ZERO, longest: Duration::ZERO, proven: Duration::from_secs(5) };

    /// The wait before the next start after so many short lives in a row.
    pub(crate) fn after(&self, short_lives: u32) -> Duration {
        let Some(doublings) = short_lives.checked_sub(2) else { return Duration::ZERO };
        let factor = 1u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

impl Default for RestartDelay {
    /// From 10 ms to 1 s; a worker has proven itself after 5 s.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(10),
            longest: Duration::from_secs(1),
            proven: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_the_second_short_life_on() {
        let delay = RestartDelay::default();
        let waits: Vec<_> = (0..11).map(|lives| delay.after(lives).as_millis()).collect();
        assert_eq!(waits, [0, 0, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        assert_eq!(delay.after(u32::MAX), delay.longest);
        assert_eq!(RestartDelay::NONE.after(40), Duration::ZERO);
    }
}
