//! Workers whose start was ordered and is not due yet.
//!
//! It neither waits nor starts: the spawner asks it what is due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::member::Member;

#[derive(Debug, Default)]
pub(crate) struct Pending {
    waiting: Vec<(Instant, Arc<Member>)>,
}

impl Pending {
    pub(crate) fn push(&mut self, due: Instant, member: Arc<Member>) {
        self.waiting.push((due, member));
    }

    /// How long until the next start is due, if there is any.
    pub(crate) fn wait(&self, now: Instant) -> Option<Duration> {
        self.waiting.iter().map(|(due, _)| due.saturating_duration_since(now)).min()
    }

    /// Takes out what is due, and what was called off and can be reported now.
    pub(crate) fn take_due(&mut self, now: Instant) -> Vec<Arc<Member>> {
        self.take(|due, member| due <= now || member.called_off().is_some())
    }

    /// Takes out everything.
    pub(crate) fn take_all(&mut self) -> Vec<Arc<Member>> {
        self.take(|_, _| true)
    }

    fn take(&mut self, wanted: impl Fn(Instant, &Member) -> bool) -> Vec<Arc<Member>> {
        self.waiting.extract_if(.., |(due, member)| wanted(*due, member)).map(|(_, member)| member).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Stop;

    fn slots(members: &[Arc<Member>]) -> Vec<usize> {
        members.iter().map(|member| member.slot).collect()
    }

    #[test]
    fn what_is_due_or_called_off_is_taken_in_order() {
        let now = Instant::now();
        let mut pending = Pending::default();
        assert_eq!(pending.wait(now), None);
        for (slot, seconds) in [(0, 9), (1, 2), (2, 5), (3, 1)] {
            let member = Arc::new(Member::new(slot, 1, format!("Worker-{slot}")));
            pending.push(now + Duration::from_secs(seconds), member);
        }
        assert_eq!(pending.wait(now), Some(Duration::from_secs(1)));
        assert_eq!(slots(&pending.take_due(now + Duration::from_secs(2))), [1, 3]);
        pending.waiting[0].1.stop(Stop::Kill, "changed my mind");
        assert_eq!(slots(&pending.take_due(now)), [0]);
        assert_eq!(pending.wait(now + Duration::from_secs(60)), Some(Duration::ZERO));
        assert_eq!(slots(&pending.take_all()), [2]);
    }
}
